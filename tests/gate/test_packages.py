"""Runs over build outputs that hold packages with signatures of their own."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest

from csv_gate.gate import Target, Uniform, run
from csv_gate.gate.inspection import inspect
from csv_gate.model.appcontrol import FileRuleKind, Option
from csv_gate.model.context import AppControlContext
from csv_gate.model.result import ArtifactResult
from csv_gate.model.verdict import Decision
from csv_gate.policies import write_xml
from csv_gate.report.inspect_tree import render_inspection
from csv_gate.report.options import ReportOptions
from tests.builders import appcontrol as ac
from tests.builders import ca, nupkg
from tests.builders.appx import app, bundle, manifest, signed
from tests.builders.containers import raw_zip, zip_of
from tests.builders.plans import NOON, plan, target
from tests.builders.signing import publisher
from tests.builders.tree import code, policy_for, tree

FAMILY = "Contoso.App_ek1grh0z258m2"
GOOD = signed(app({"a.dat": b"data"}))
OTHER = signed(app({"a.dat": b"data"}, manifest_text=manifest(name="Fabrikam.App")))
BROKEN = signed(app({"a.dat": b"data"}, manifest_text=manifest(publisher="CN=Somebody Else")))
ROOT = hashlib.sha256(ca.root().certificate).hexdigest()


def by_family(*, family: str = FAMILY, roots: frozenset[str] | None = frozenset({ROOT})) -> Target:
    """A target whose policy names one package family, and whose machines trust these roots."""
    rule = ac.allow("ID_ALLOW_FAMILY", package=family, stored=ac.bounds(FileRuleKind.ALLOW, None, None))
    policy = write_xml(ac.policy(rule, options=(*ac.USUAL, Option.ENFORCE_STORE_APPLICATIONS)))
    return replace(target(policy), routes=Uniform(AppControlContext(evaluated_at=NOON, machine_roots_sha256=roots)))


def results(folder: Path, one: Target) -> dict[str, ArtifactResult]:
    with run(plan(folder, targets=[one])) as result:
        return {a.artifact.path.removeprefix(f"{folder}/"): a for a in result.artifacts}


def test_packaged_apps_are_judged_by_their_family_wherever_they_lie(tmp_path: Path) -> None:
    inner = {"app.msix": GOOD}
    tree(
        tmp_path,
        {
            "good.msix": GOOD,
            "other.msix": OTHER,
            "broken.msix": BROKEN,
            "unsigned.msix": raw_zip(*app({}), zip64=True),
            "all.msixbundle": signed(bundle(inner)),
            "drop.zip": zip_of(inner),
        },
    )
    found = results(tmp_path, by_family())
    assert {path: one.verdicts[0].decision for path, one in found.items()} == {
        "good.msix": Decision.ALLOWED,
        "other.msix": Decision.DENIED,
        "broken.msix": Decision.UNDECIDED,
        "unsigned.msix": Decision.UNDECIDED,
        "all.msixbundle": Decision.ALLOWED,
        "all.msixbundle!/app.msix": Decision.ALLOWED,
        "drop.zip!/app.msix": Decision.ALLOWED,
    }
    assert found["other.msix"].verdicts[0].predicted_event == 8040


@pytest.mark.parametrize("roots", [None, frozenset[str]()])
def test_a_packaged_app_is_not_allowed_where_nobody_says_that_its_root_is_trusted(
    tmp_path: Path, roots: frozenset[str] | None
) -> None:
    tree(tmp_path, {"good.msix": GOOD})
    found = results(tmp_path, by_family(roots=roots))
    assert [one.verdicts[0].decision for one in found.values()] == [Decision.UNDECIDED]


def test_a_package_whose_signature_does_not_hold_is_a_finding_whatever_the_policy(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": code("good"), "broken.msix": BROKEN})
    found = results(tmp_path, target(policy_for(code("good"))))["broken.msix"]
    assert found.verdicts[0].decision is Decision.NOT_APPLICABLE
    assert [finding.check for finding in found.findings] == ["CSV332"]


def test_a_package_alone_in_an_archive_is_something_to_check(tmp_path: Path) -> None:
    tree(tmp_path, {"drop.zip": zip_of({"other.msix": OTHER, "unsigned.msix": raw_zip(*app({}), zip64=True)})})
    found = results(tmp_path, by_family())
    assert {path: one.verdicts[0].decision for path, one in found.items()} == {
        "drop.zip!/other.msix": Decision.DENIED,
        "drop.zip!/unsigned.msix": Decision.UNDECIDED,
    }


def test_a_broken_signature_of_a_package_is_told_though_nothing_in_it_is_judged(tmp_path: Path) -> None:
    broken = nupkg.nupkg(nupkg.signature(nupkg.nupkg(), publisher()), files=nupkg.FILES[:1])
    tree(tmp_path, {"a.dll": code("good"), "b.nupkg": broken, "c.zip": zip_of({"d.nupkg": broken})})
    found = results(tmp_path, target(policy_for(code("good"))))
    assert {path: [finding.check for finding in one.findings] for path, one in found.items()} == {
        "a.dll": [],
        "b.nupkg": ["CSV101"],
        "c.zip!/d.nupkg": ["CSV101"],
    }


def test_inspection_shows_who_a_package_is_and_who_signed_it(tmp_path: Path) -> None:
    artifact = next(iter(inspect([str(tree(tmp_path, {"good.msix": GOOD}))])))
    out = io.StringIO()
    render_inspection(artifact, out, ReportOptions())
    assert [
        word for word in (f"family {FAMILY}", "embedded appx 0: valid", "CN=Test Publisher") if word not in out.getvalue()
    ] == []
