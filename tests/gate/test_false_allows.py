"""Attacks on whole runs: what could slip past the engine, or get the wrong catalog's blessing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from csv_gate.errors import ExitCode, NoArtifactsError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.gate import Plan, Target, run
from csv_gate.globs import GlobSet
from csv_gate.limits import Limits
from csv_gate.model.context import AppControlContext
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision
from csv_gate.signatures.certificate import read_certificate
from tests.builders import ca, cms
from tests.builders.plans import NOON, plan, target
from tests.builders.policy import element, policy_xml, scenario_xml, signer_xml
from tests.builders.tree import ENFORCED, authenticode_sha256, code, policy_for, tree

ALLOWED, DENIED, UNDECIDED = Decision.ALLOWED, Decision.DENIED, Decision.UNDECIDED
GOOD = code("good")


@dataclass(frozen=True)
class Below:
    """Routes to a target what lies below a folder."""

    folder: str

    def context_for(self, scope: str) -> AppControlContext | None:
        return AppControlContext(evaluated_at=NOON) if scope.startswith(self.folder) else None


def routed(one: Target, folder: str) -> Target:
    return replace(one, routes=Below(folder))


def results(of: Plan) -> tuple[dict[str, ArtifactResult], tuple[Finding, ...], ExitCode]:
    with run(of) as result:
        return {Path(a.artifact.path).name: a for a in result.artifacts}, result.findings, result.summary.exit_code


def publisher() -> ca.Identity:
    return ca.root("Catalog Root").issue("Catalog Maker")


def image_digest(data: bytes) -> bytes:
    return bytes.fromhex(authenticode_sha256(data))


def catalog_of(*digests: bytes, **rest: Any) -> bytes:
    return cms.catalog(publisher(), [cms.member(one) for one in digests], **rest)


def policy_of(signer: ca.Identity) -> bytes:
    tbs = read_certificate(signer.certificate).facts.tbs["sha256"].upper()
    return policy_xml(
        options=ENFORCED,
        signers=[signer_xml("ID_SIGNER_S", root=element("CertRoot", Type="TBS", Value=tbs))],
        scenarios=[scenario_xml(value=value, allowed=["ID_SIGNER_S"]) for value in ("12", "131")],
    )


def decisions(files: Mapping[str, ArtifactResult]) -> dict[str, dict[str, Decision]]:
    return {name: {v.target: v.decision for v in one.verdicts} for name, one in files.items()}


# --- catalogs


def test_a_catalog_in_the_tree_vouches_and_is_named(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": GOOD, "a.cat": catalog_of(image_digest(GOOD))})
    files, _, code_ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    (verdict,) = files["a.dll"].verdicts
    assert (verdict.decision, code_) == (ALLOWED, ExitCode.OK)
    assert "a.cat" in verdict.because


def test_a_catalog_that_is_excluded_vouches_for_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": GOOD, "a.cat": catalog_of(image_digest(GOOD))})
    files, _, _ = results(
        plan(tmp_path, targets=[target(policy_of(publisher()))], exclude=GlobSet.of(["*.cat"]), base=tmp_path)
    )
    assert decisions(files) == {"a.dll": {"prod": DENIED}}


def test_a_catalog_that_goes_to_another_target_vouches_for_nothing_here(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.dll": GOOD, "b/b.dll": GOOD, "b/x.cat": catalog_of(image_digest(GOOD))})
    policy = policy_of(publisher())
    targets = [routed(target(policy, name="first"), "a/"), routed(target(policy, name="second"), "b/")]
    files, _, _ = results(plan(tmp_path, targets=targets, base=tmp_path))
    assert decisions(files) == {"a.dll": {"first": DENIED}, "b.dll": {"second": ALLOWED}}


def test_one_catalog_that_goes_to_both_targets_vouches_for_both(tmp_path: Path) -> None:
    catalog = catalog_of(image_digest(GOOD))
    tree(tmp_path, {"a/a.dll": GOOD, "a/x.cat": catalog, "b/b.dll": GOOD, "b/x.cat": catalog})
    policy = policy_of(publisher())
    targets = [routed(target(policy, name="first"), "a/"), routed(target(policy, name="second"), "b/")]
    files, _, _ = results(plan(tmp_path, targets=targets, base=tmp_path))
    assert decisions(files) == {"a.dll": {"first": ALLOWED}, "b.dll": {"second": ALLOWED}}


def test_a_catalog_of_one_target_does_not_leak_to_another(tmp_path: Path) -> None:
    (tmp_path / "own.cat").write_bytes(catalog_of(image_digest(GOOD)))
    tree(tmp_path / "build", {"a.dll": GOOD})
    policy = policy_of(publisher())
    targets = [target(policy, name="first", catalogs=[tmp_path / "own.cat"]), target(policy, name="second")]
    files, _, _ = results(plan(tmp_path / "build", targets=targets))
    assert decisions(files) == {"a.dll": {"first": ALLOWED, "second": DENIED}}


def test_a_catalog_with_the_flat_digest_of_a_program_is_no_allow(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": GOOD, "a.cat": catalog_of(hashlib.sha256(GOOD).digest())})
    files, _, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    assert decisions(files) == {"a.dll": {"prod": UNDECIDED}}


def test_a_catalog_that_knows_a_file_by_sha1_alone_is_no_allow(tmp_path: Path) -> None:
    facts = extract(GOOD, ExtractionSettings())
    assert facts.digests is not None
    sha1 = bytes.fromhex(facts.digests.authenticode_sha1 or "")
    tree(tmp_path, {"a.dll": GOOD, "a.cat": cms.catalog(publisher(), [cms.member(sha1, digest="sha1", version=1)], version=1)})
    files, _, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    assert decisions(files) == {"a.dll": {"prod": UNDECIDED}}


def test_a_catalog_that_was_signed_over_sha1_is_no_allow(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": GOOD, "a.cat": catalog_of(image_digest(GOOD), digest="sha1")})
    files, _, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    assert decisions(files) == {"a.dll": {"prod": UNDECIDED}}


def test_a_tampered_catalog_is_no_allow(tmp_path: Path) -> None:
    data = bytearray(catalog_of(image_digest(code("other"))))
    at = data.index(image_digest(code("other")))
    data = bytearray(bytes(data).replace(image_digest(code("other")), image_digest(GOOD)))
    assert at > 0
    tree(tmp_path, {"a.dll": GOOD, "a.cat": bytes(data)})
    files, _, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    assert decisions(files) == {"a.dll": {"prod": DENIED}}


def test_a_huge_file_that_begins_like_a_catalog_is_not_read_into_memory(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": GOOD, "a.cat": catalog_of(image_digest(GOOD))})
    with (tmp_path / "a.cat").open("r+b") as file:
        file.truncate(3 << 30)
    files, findings, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))]))
    assert [finding.check for finding in findings] == ["CSV111"]
    assert decisions(files) == {"a.dll": {"prod": UNDECIDED}}


# --- what no target takes


def test_an_artifact_that_no_target_takes_is_told(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.dll": GOOD, "b/b.dll": GOOD})
    files, findings, code_ = results(plan(tmp_path, targets=[routed(target(policy_for(GOOD)), "a/")], base=tmp_path))
    assert files["b.dll"].verdicts == ()
    (finding,) = findings
    assert (finding.check, code_) == ("CSV905", ExitCode.OK)
    assert "b/b.dll" in finding.message


def test_a_run_in_which_no_target_takes_anything_checked_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.dll": GOOD})
    with pytest.raises(NoArtifactsError, match="nothing to check"):
        run(plan(tmp_path, targets=[routed(target(policy_for(GOOD)), "b/")], base=tmp_path))


def test_a_folder_that_cannot_be_listed_may_hold_artifacts_of_every_target(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.dll": GOOD, "deep/1/2/b.dll": GOOD})
    of = plan(tmp_path, targets=[routed(target(policy_for(GOOD)), "a/")], base=tmp_path, limits=Limits(max_walk_depth=1))
    files, _, code_ = results(of)
    assert [one.decision for one in files["1"].verdicts] == [UNDECIDED]
    assert code_ == ExitCode.UNDECIDED


@pytest.mark.parametrize("patterns", [{"exclude": "**"}, {"include": "*.exe"}])
def test_patterns_that_leave_nothing_end_with_nothing_checked(tmp_path: Path, patterns: dict[str, str]) -> None:
    tree(tmp_path, {"a.dll": GOOD})
    globs = {key: GlobSet.of([value]) for key, value in patterns.items()}
    with pytest.raises(NoArtifactsError):
        run(plan(tmp_path, targets=[target(policy_for(GOOD))], base=tmp_path, **globs))
