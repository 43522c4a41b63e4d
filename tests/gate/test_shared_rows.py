"""Files like one that was judged get its row without being judged, and what any rule could tell apart is judged."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from csv_gate.engine.appcontrol import alike
from csv_gate.errors import Place
from csv_gate.gate import Plan, Target, Uniform, judge, run, shared_rows
from csv_gate.gate.engines import Evaluate
from csv_gate.gate.shared_rows import SharedRows
from csv_gate.model.appcontrol import FileRule
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Artifact, FactName, Facts
from csv_gate.model.result import ArtifactResult, Finding, Owner
from csv_gate.model.split_facts import SplitFacts, split
from csv_gate.model.verdict import Level, Verdict
from csv_gate.policies import join_policies, read_policy, write_xml
from csv_gate.records import dataclass, replace
from csv_gate.report import render
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.signatures.certificate import read_certificate
from csv_gate.waivers import Match, Waiver, WaiverFile
from tests.builders import appcontrol as ac
from tests.builders import cms, pe, signing
from tests.builders import facts as f
from tests.builders.plans import NOON, plan
from tests.builders.requirements import requirement
from tests.builders.results import allowed
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import authenticode_sha256, code, tree
from tests.builders.version_resource import version_info

SIGNED = [
    signed_pe(
        pe.pe(
            code=bytes([number]) * 700,
            versions={
                0x0409: version_info(file_version=(1, number, 0, 0), tables={"040904b0": {"OriginalFilename": f"{number}"}})
            },
        ),
        signing.publisher(),
        stamps=[cms.Stamp(signing.time_authority())],
    )
    for number in range(8)
]
UNSIGNED = [code(str(number)) for number in range(3)]


@pytest.fixture(autouse=True)
def _from_the_first_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "FEW", 1)
    monkeypatch.setattr(judge, "TOGETHER", 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        f"build/{name}{number}.dll": data for name, some in (("s", SIGNED), ("u", UNSIGNED)) for number, data in enumerate(some)
    }
    return tree(tmp_path, files)


class Judgements:
    """Counts the files that are judged for themselves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0

        def counted(self_: judge.Judge, *arguments: Any) -> Any:
            self.count += 1
            return judged(self_, *arguments)

        judged = judge.Judge._judged
        monkeypatch.setattr(judge.Judge, "_judged", counted)


@pytest.fixture
def judgements(monkeypatch: pytest.MonkeyPatch) -> Judgements:
    return Judgements(monkeypatch)


def target(*rules: FileRule, name: str = "prod", routes: Any = None) -> Target:
    """It trusts the authority that signs, and has these rules besides."""
    tbs = read_certificate(signing.authority().certificate).facts.tbs["sha256"]
    policy = read_policy(write_xml(ac.policy(*rules, signers=[ac.signer(tbs=tbs, publisher=None)])), path=f"{name}.xml")
    return Target(name=name, policies=join_policies([policy]), routes=routes or Uniform(AppControlContext(evaluated_at=NOON)))


def result(of: Plan) -> str:
    out = io.StringIO()
    with run(of) as found:
        render("json", found, out)
    return out.getvalue()


def judged_again(root: Path, judgements: Judgements, *targets: Target, **changes: Any) -> int:
    """How many files a run that knows all of them judges; it says what a run that knows none says."""
    of = plan(root / "build", targets=targets, jobs=1, **changes)
    plain = result(of)
    kept = replace(of, kept_facts=root / "kept")
    assert result(kept) == plain
    judgements.count = 0
    assert result(kept) == plain
    return judgements.count


def test_of_files_of_one_signer_one_is_judged(root: Path, judgements: Judgements) -> None:
    assert judged_again(root, judgements, target()) == 1 + len(UNSIGNED)


def test_a_file_that_a_rule_names_is_judged_and_denied(root: Path, judgements: Judgements) -> None:
    by_hash = ac.deny("ID_DENY_H", hash=authenticode_sha256(SIGNED[3]))
    by_name = ac.deny("ID_DENY_N", file_name="5")
    assert judged_again(root, judgements, target(by_hash, by_name)) == 3 + len(UNSIGNED)
    assert '"denied":5,' in result(plan(root / "build", targets=[target(by_hash, by_name)], kept_facts=root / "kept"))


def test_where_a_rule_asks_for_versions_every_file_is_judged(root: Path, judgements: Judgements) -> None:
    old = ac.deny("ID_DENY_V", file_name="*", maximum=(1, 2, 0, 0))
    assert judged_again(root, judgements, target(old)) == len(SIGNED) + len(UNSIGNED)


def test_two_targets_must_both_be_unable_to_tell_files_apart(root: Path, judgements: Judgements) -> None:
    other = target(ac.deny("ID_DENY_N", file_name="5"), name="edge")
    assert judged_again(root, judgements, target(), other) == 2 + len(UNSIGNED)
    blind = target(ac.deny("ID_DENY_V", file_name="*", maximum=(0, 0, 0, 1)), name="edge")
    assert judged_again(root, judgements, target(), blind) == len(SIGNED) + len(UNSIGNED)


@dataclass(frozen=True, slots=True)
class Odd:
    """A target that only takes files with an odd number, and knows two kinds of machine."""

    def context_for(self, scope: str) -> AppControlContext | None:
        number = int(scope[-5])
        return CONTEXTS[number % 4] if number % 2 else None


CONTEXTS = {
    1: AppControlContext(evaluated_at=NOON),
    3: AppControlContext(evaluated_at=NOON, flight_signing=True),
}


def test_files_that_go_to_other_targets_or_other_machines_are_not_alike(root: Path, judgements: Judgements) -> None:
    assert judged_again(root, judgements, target(), target(name="odd", routes=Odd())) == 3 + len(UNSIGNED)


@dataclass(frozen=True, slots=True)
class ByName:
    """Some files are somebody's."""

    is_silent: bool = False
    of_the_rest: Owner | None = None

    def owner_of(self, path: str, sha256: str | None = None) -> Owner | None:
        assert sha256 is not None
        return Owner(name="first") if path.endswith(("s1.dll", "s2.dll")) else None


def test_files_of_other_owners_are_not_alike(root: Path, judgements: Judgements) -> None:
    assert judged_again(root, judgements, target(), owners=ByName()) == 2 + len(UNSIGNED)


def test_where_something_is_waived_every_file_is_judged(root: Path, judgements: Judgements) -> None:
    place = Place(path="waivers.yaml", line=1)
    match = Match(sha256=("0" * 64,), place=place)
    waiver = Waiver(id="W1", match=match, reason="known", expires=date(2030, 1, 1), owner="@team", place=place)
    assert judged_again(root, judgements, target(), waivers=WaiverFile(version=1, waivers=(waiver,))) == len(SIGNED) + len(
        UNSIGNED
    )


def test_where_requirements_ask_for_more_every_file_is_judged(root: Path, judgements: Judgements) -> None:
    asked = requirement(paths=["s3.dll"], must_be_unsigned=True)
    assert judged_again(root, judgements, target(), requirements=(asked,)) == len(SIGNED) + len(UNSIGNED)


class Blind:
    """A target that cannot tell files apart."""

    def __init__(self, *, is_shared: bool = True) -> None:
        self._is_shared = is_shared

    def __call__(self, facts: Facts, context: AppControlContext) -> Verdict:
        return allowed()

    def is_shared(self, verdict: Verdict, facts: SplitFacts) -> bool:
        return self._is_shared

    def lists_none_of(self, facts: SplitFacts) -> bool:
        return True


def is_learnt(*evaluates: Evaluate, facts: Facts | None = None, findings: tuple[Finding, ...] = ()) -> bool:
    of = target()
    rows = SharedRows(plan(Path(), targets=[of]), [(of, evaluate) for evaluate in evaluates], ArtifactLines())
    facts = facts or f.facts(f.signature())
    judged = ArtifactResult(
        artifact=Artifact(path="a", facts=facts), verdicts=tuple(allowed() for _ in evaluates), findings=findings
    )
    kept = split(facts)
    rows.learn("a", kept, judged)
    return rows.row("b", "b", kept) is not None


def test_only_what_holds_for_all_files_of_a_shape_is_learnt() -> None:
    assert is_learnt(Blind())
    assert is_learnt(Blind(), Blind())
    assert not is_learnt(Blind(), Blind(is_shared=False))
    assert not is_learnt(Blind(is_shared=False), Blind())
    assert not is_learnt()
    assert not is_learnt(Blind(), findings=(Finding(check="CSV204", level=Level.NOTE, message="of this file"),))
    assert not is_learnt(Blind(), facts=f.facts(f.signature(), gaps=[FactName.CATALOGS]))
    assert not is_learnt(Blind(), facts=f.facts(taken=f.digests(sha1="0" * 40)))


def test_more_kinds_of_files_than_are_kept_are_judged_and_cost_no_memory(
    root: Path, judgements: Judgements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "MOST", 1)
    assert judged_again(root, judgements, target(), target(name="odd", routes=Odd())) == len(SIGNED) + len(UNSIGNED)
