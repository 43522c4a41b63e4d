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
from tests.builders import ca, cms, der
from tests.builders.containers import zip_of
from tests.builders.pe import certificate, pe
from tests.builders.plans import NOON, plan, target
from tests.builders.policy import element, policy_xml, scenario_xml, signer_xml
from tests.builders.signed_pe import attach, signature, signed_pe
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


# --- borrowed trust


GENUINE_CA = ca.root("Contoso Root").issue_authority("Contoso CA")
GENUINE = GENUINE_CA.issue("Contoso Ltd")
ROGUE_CA = ca.root("Contoso Root", key_label="rogue root").issue_authority("Contoso CA", key_label="rogue")
IMAGE = pe()


def wellknown_policy(number: str) -> bytes:
    return policy_xml(
        options=ENFORCED,
        signers=[signer_xml("ID_SIGNER_S", root=element("CertRoot", Type="Wellknown", Value=number))],
        scenarios=[scenario_xml(value=value, allowed=["ID_SIGNER_S"]) for value in ("12", "131")],
    )


def decision_of(tmp_path: Path, image: bytes, policy: bytes) -> Decision:
    tree(tmp_path, {"a.dll": image})
    files, _, _ = results(plan(tmp_path, targets=[target(policy)]))
    return decisions(files)["a.dll"]["prod"]


def test_a_genuine_signature_by_the_allowed_authority_allows(tmp_path: Path) -> None:
    assert decision_of(tmp_path, signed_pe(IMAGE, GENUINE), policy_of(GENUINE_CA)) is ALLOWED


@pytest.mark.parametrize("bag", [(GENUINE_CA.certificate,), GENUINE_CA.all_certificates, (*GENUINE.all_certificates,)])
def test_genuine_certificates_in_a_rogue_signature_lend_it_nothing(tmp_path: Path, bag: tuple[bytes, ...]) -> None:
    rogue = ROGUE_CA.issue("Contoso Ltd", serial=0x6666)
    padded_bag = replace(rogue, chain=(*rogue.chain, *bag))
    assert decision_of(tmp_path, signed_pe(IMAGE, padded_bag), policy_of(GENUINE_CA)) in (DENIED, UNDECIDED)


def test_a_rogue_certificate_of_the_genuine_serial_lends_nothing(tmp_path: Path) -> None:
    rogue = ROGUE_CA.issue("Contoso Ltd", key_label="rogue leaf")
    assert rogue.serial == GENUINE.serial
    for chain in ((*GENUINE.all_certificates, *rogue.chain), (*rogue.chain, *GENUINE.all_certificates)):
        image = signed_pe(IMAGE, replace(rogue, chain=chain))
        assert decision_of(tmp_path, image, policy_of(GENUINE_CA)) in (DENIED, UNDECIDED)


def test_a_leaf_used_as_an_authority_lends_nothing(tmp_path: Path) -> None:
    below = GENUINE.issue("Contoso Ltd", key_label="below", serial=0x7777)
    assert decision_of(tmp_path, signed_pe(IMAGE, below), policy_of(GENUINE_CA)) in (DENIED, UNDECIDED)


def test_a_signature_of_another_image_lends_nothing(tmp_path: Path) -> None:
    stolen = attach(pe(code=b"\xc3" * 900), certificate(signature(IMAGE, GENUINE)))
    assert decision_of(tmp_path, stolen, policy_of(GENUINE_CA)) is DENIED


def test_a_nested_signature_of_another_image_lends_nothing(tmp_path: Path) -> None:
    rogue = ROGUE_CA.issue("Contoso Ltd", serial=0x6666)
    image = signed_pe(pe(code=b"\xc3" * 900), rogue, nested=[signature(IMAGE, GENUINE)])
    assert decision_of(tmp_path, image, policy_of(GENUINE_CA)) is DENIED


@pytest.mark.parametrize("number", ["03", "04", "05", "06", "07", "08", "0C", "0E", "12", "14", "16"])
@pytest.mark.parametrize("embedded", [True, False])
def test_a_root_that_only_bears_the_name_of_microsofts_is_nobody(tmp_path: Path, number: str, embedded: bool) -> None:
    name = {
        "06": "Microsoft Root Certificate Authority 2010",
        "16": "Microsoft Identity Verification Root Certificate Authority 2020",
    }
    fake = ca.root(name.get(number, "Microsoft Root Authority"), key_label="fake")
    leaf = fake.issue("Microsoft Corporation", in_chain=embedded)
    assert decision_of(tmp_path, signed_pe(IMAGE, leaf), wellknown_policy(number)) in (DENIED, UNDECIDED)


def test_several_common_names_in_a_real_certificate_are_seen(tmp_path: Path) -> None:
    two = der.seq(*(der.set_of(der.seq(der.oid("2.5.4.3"), der.tlv(0x0C, one))) for one in (b"Contoso Ltd", b"Evil")))
    leaf = GENUINE_CA.issue(subject=two)
    tbs = read_certificate(GENUINE_CA.certificate).facts.tbs["sha256"].upper()
    root = element("CertRoot", Type="TBS", Value=tbs)
    for publisher_ in ("Contoso Ltd", "Evil"):
        signers = [signer_xml("ID_SIGNER_S", element("CertPublisher", Value=publisher_), root=root)]
        policy = policy_xml(options=ENFORCED, signers=signers, scenarios=[scenario_xml(allowed=["ID_SIGNER_S"])])
        assert decision_of(tmp_path, signed_pe(IMAGE, leaf), policy) is UNDECIDED


# --- programs that a reader of first bytes may miss


def test_a_program_whose_header_lies_far_behind_the_first_bytes_is_judged(tmp_path: Path) -> None:
    assert decision_of(tmp_path, pe(pe_offset=0x8000, headers_size=0x9000), policy_for(GOOD)) is not ALLOWED


@pytest.mark.parametrize("size", [64, 100, 200, 300, 500])
def test_a_program_that_is_cut_short_is_judged(tmp_path: Path, size: int) -> None:
    tree(tmp_path, {"a.dll": IMAGE[:size], "b.dll": GOOD})
    files, _, _ = results(plan(tmp_path, targets=[target(policy_for(GOOD))]))
    assert decisions(files)["a.dll"]["prod"] is UNDECIDED


@pytest.mark.parametrize("magic", [0x107, 0, 0x30B])
def test_a_program_of_an_unknown_kind_is_judged(tmp_path: Path, magic: int) -> None:
    assert decision_of(tmp_path, pe(magic=magic), policy_for(GOOD)) is UNDECIDED


# --- members of containers


def test_a_member_that_no_target_takes_is_told_by_its_own_path(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.zip": zip_of({"a.dll": GOOD}), "b/b.zip": zip_of({"b.dll": GOOD, "c.dll": GOOD})})
    files, findings, code_ = results(plan(tmp_path, targets=[routed(target(policy_for(GOOD)), "a/")], base=tmp_path))
    assert decisions(files) == {"a.dll": {"prod": ALLOWED}, "b.dll": {}, "c.dll": {}}
    (finding,) = findings
    assert (finding.check, code_) == ("CSV905", ExitCode.OK)
    assert "b/b.zip!/b.dll, " in finding.message
    assert "b/b.zip!/c.dll:" in finding.message


def test_members_that_no_target_takes_are_nothing_checked(tmp_path: Path) -> None:
    tree(tmp_path, {"b/b.zip": zip_of({"b.dll": GOOD})})
    with pytest.raises(NoArtifactsError, match="1 that no target takes"):
        run(plan(tmp_path, targets=[routed(target(policy_for(GOOD)), "a/")], base=tmp_path))


def test_a_catalog_in_a_container_signs_only_where_it_goes(tmp_path: Path) -> None:
    tree(tmp_path, {"a/a.zip": zip_of({"a.cat": catalog_of(image_digest(GOOD))}), "a/a.dll": GOOD, "b/b.dll": GOOD})
    policy = policy_of(publisher())
    one, two = routed(target(policy), "a/"), routed(target(policy, name="other"), "b/")
    files, _, _ = results(plan(tmp_path, targets=[one, two], base=tmp_path))
    assert decisions(files) == {"a.dll": {"prod": ALLOWED}, "b.dll": {"other": DENIED}}


def test_a_catalog_in_a_container_is_bounded(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"a.cat": catalog_of(image_digest(GOOD))}), "a.dll": GOOD})
    files, findings, _ = results(plan(tmp_path, targets=[target(policy_of(publisher()))], limits=Limits(max_catalog_bytes=100)))
    assert [finding.check for finding in findings] == ["CSV111"]
    assert decisions(files) == {"a.dll": {"prod": UNDECIDED}}
