"""Attacks on the engine: what a careless reading would let through, and what must come of it. One sentence per attack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.model.appcontrol import VERSION_MAX, AppControlPolicySet, Option, PolicyForm, PolicySignature, VersionBounds
from csv_gate.model.context import AppControlContext, CodeMode
from csv_gate.model.facts import CertificateFacts, ChainEnd, Facts, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.model.verdict import Decision
from tests.builders import appcontrol as ac
from tests.builders import facts as f

ALLOWED, DENIED, UNDECIDED, OTHER = Decision.ALLOWED, Decision.DENIED, Decision.UNDECIDED, Decision.NOT_APPLICABLE
CA = f.tbs("Contoso CA", "Contoso Root")
ANY = ac.allow(file_name="*")
CONTOSO = ac.signer(tbs=CA, publisher="Contoso Ltd")
ALLOW_CONTOSO = ac.policy_set(ac.policy(signers=[CONTOSO]))
DENY_CONTOSO = ac.policy_set(ac.policy(ANY, signers=[CONTOSO], denied=[ac.use()]))
SIGNED = f.facts(f.signature())
SIGN_TIME = datetime(2024, 6, 1, tzinfo=UTC)


def decision(artifact: Facts, policies: AppControlPolicySet, **context: object) -> Decision:
    told = replace(AppControlContext(evaluated_at=f.NOW), **context)  # type: ignore[arg-type]
    return evaluate(artifact, compile_policy_set(policies), told, target="production").decision


def named(subject: str, cn: str | None) -> Facts:
    return f.facts(f.signature(replace(f.certificate(), subject=subject, subject_cn=cn)))


def by(leaf: CertificateFacts, **rest: object) -> Facts:
    return f.facts(f.signature(leaf, **rest))  # type: ignore[arg-type]


# --- firmware subsystems


@pytest.mark.parametrize("header", [f.pe(is_efi=True, is_dll=True), replace(f.pe(is_efi=True), is_dotnet=True)])
def test_a_library_with_the_subsystem_of_firmware_is_not_waved_through(header: object) -> None:
    assert decision(f.facts(header=header), ac.policy_set(ac.policy())) is UNDECIDED  # type: ignore[arg-type]


@pytest.mark.parametrize("imports", [{"imports_kernel": True}, {"imports_read": False}])
def test_a_firmware_application_has_no_imports(imports: dict[str, bool]) -> None:
    assert decision(f.facts(header=f.pe(is_efi=True, **imports)), ac.policy_set(ac.policy())) is UNDECIDED


def test_a_plain_firmware_application_is_no_business_of_the_policy() -> None:
    assert decision(f.facts(header=f.pe(is_efi=True)), ac.policy_set(ac.policy())) is OTHER


def test_a_told_code_mode_outweighs_the_subsystem_of_firmware() -> None:
    assert decision(f.facts(header=f.pe(is_efi=True)), ac.policy_set(ac.policy()), code_mode=CodeMode.USER) is DENIED


# --- publishers


@pytest.mark.parametrize("subject", ["CN=Contoso Ltd,O=X,CN=Evil", "CN=Evil+CN=Contoso Ltd,O=X"])
@pytest.mark.parametrize("cn", ["Contoso Ltd", "Evil"])
def test_of_two_common_names_neither_allows_nor_spares(subject: str, cn: str) -> None:
    assert decision(named(subject, cn), ALLOW_CONTOSO) is UNDECIDED
    assert decision(named(subject, cn), DENY_CONTOSO) is UNDECIDED


def test_two_common_names_of_others_match_nobody() -> None:
    assert decision(named("CN=Evil,CN=Worse", "Evil"), ALLOW_CONTOSO) is DENIED
    assert decision(named("CN=Evil,CN=Worse", "Evil"), DENY_CONTOSO) is ALLOWED


def test_a_comma_in_a_common_name_makes_no_second_one() -> None:
    assert decision(named("CN=Evil\\,CN=Contoso Ltd,O=X", "Evil,CN=Contoso Ltd"), ALLOW_CONTOSO) is DENIED


def test_a_common_name_that_ends_in_a_nul_for_some_readers_is_open() -> None:
    artifact = named("CN=Contoso Ltd\\00 of Elsewhere", "Contoso Ltd\0 of Elsewhere")
    assert decision(artifact, ALLOW_CONTOSO) is UNDECIDED
    assert decision(artifact, DENY_CONTOSO) is UNDECIDED


def test_a_common_name_that_is_no_text_of_its_type_is_open() -> None:
    artifact = named("CN=Contoso\ufffd", "Contoso\ufffd")
    assert decision(artifact, ALLOW_CONTOSO) is UNDECIDED
    assert decision(artifact, DENY_CONTOSO) is UNDECIDED


def test_a_denied_publisher_does_not_get_away_without_a_common_name() -> None:
    assert decision(named("O=Contoso Ltd", None), DENY_CONTOSO) is UNDECIDED
    assert decision(named("O=Contoso Ltd", None), ALLOW_CONTOSO) is DENIED


def test_a_programme_name_with_a_nul_is_open() -> None:
    artifact = f.facts(f.signature(program_name="Maker\0x"))
    policies = ac.policy_set(ac.policy(signers=[ac.signer(tbs=CA, oem_id="Maker")]))
    assert decision(artifact, policies) is UNDECIDED


# --- where signatures stand


def test_a_signature_in_a_second_table_entry_allows_nothing() -> None:
    other = f.signature(f.certificate("Other", issuer_cn="Other CA"))
    assert decision(f.facts(other, f.signature(place="1")), ALLOW_CONTOSO) is UNDECIDED
    assert decision(f.facts(other, f.signature(place="1.0", source=SignatureSource.NESTED)), ALLOW_CONTOSO) is UNDECIDED


@pytest.mark.parametrize("source", [SignatureSource.NESTED, SignatureSource.CATALOG])
def test_a_signature_beside_a_broken_embedded_one_allows_nothing(source: SignatureSource) -> None:
    broken = f.signature(f.certificate("Other", issuer_cn="Other CA"), valid=False)
    assert decision(f.facts(broken, f.signature(source=source, place="0.0")), ALLOW_CONTOSO) is UNDECIDED


def test_a_good_nested_signature_allows_beside_a_primary_of_a_stranger() -> None:
    stranger = f.signature(f.certificate("Other", issuer_cn="Other CA"))
    assert decision(f.facts(stranger, f.signature(source=SignatureSource.NESTED, place="0.0")), ALLOW_CONTOSO) is ALLOWED


def test_a_catalog_that_was_signed_over_a_weak_digest_allows_nothing() -> None:
    weak = f.signature(source=SignatureSource.CATALOG, problems=[ProblemCode.WEAK_DIGEST])
    assert decision(f.facts(weak), ALLOW_CONTOSO) is UNDECIDED


@pytest.mark.parametrize(
    "problem",
    [
        ProblemCode.CHAIN_INCOMPLETE,
        ProblemCode.CHAIN_LINK_INVALID,
        ProblemCode.CURVE_NOT_NAMED,
        ProblemCode.CMS_DATA_TYPE_UNUSUAL,
    ],
)
def test_what_was_seen_of_a_valid_signature_may_leave_it_open(problem: ProblemCode) -> None:
    assert decision(f.facts(f.signature(problems=[problem])), ALLOW_CONTOSO) is UNDECIDED


# --- certificates


def test_a_certificate_that_an_elliptic_curve_signed_leaves_it_open() -> None:
    issuer = f.authority(signature_algorithm="sha384_ecdsa")
    assert decision(f.facts(f.signature(f.certificate(), issuer)), ALLOW_CONTOSO) is UNDECIDED


@pytest.mark.parametrize("usage", [(f.TIME_STAMPING,), ("1.3.6.1.5.5.7.3.1",)])
def test_a_certificate_below_a_root_of_microsoft_that_is_not_for_code_allows_nothing(usage: tuple[str, ...]) -> None:
    artifact = by(f.certificate(eku=usage), root="06")
    assert decision(artifact, ac.policy_set(ac.policy(signers=[ac.signer(well_known=6)]))) is UNDECIDED


def test_a_certificate_that_is_for_nothing_in_particular_allows_nothing() -> None:
    assert decision(by(f.certificate(eku=None)), ALLOW_CONTOSO) is UNDECIDED


@pytest.mark.parametrize(
    "name",
    [
        "Microsoft Development Root Certificate Authority 2014",
        "Microsoft Testing Root Certificate Authority 2010",
        "Microsoft DMD Preview Root 2005",
    ],
)
def test_a_chain_that_claims_a_test_or_flight_root_whose_key_is_not_known_is_open(name: str) -> None:
    artifact = f.facts(f.signature(f.certificate(), f.authority(issuer_cn=name)))
    policies = ac.policy_set(ac.policy(signers=[ac.signer(tbs=f.tbs("Contoso CA", name))]))
    assert decision(artifact, policies) is UNDECIDED
    assert decision(artifact, policies, test_signing=True, flight_signing=True) is ALLOWED


def test_a_well_known_number_that_nobody_has_published_may_be_anybody() -> None:
    signers = [ac.signer(well_known=0x17)]
    assert decision(SIGNED, ac.policy_set(ac.policy(ANY, signers=signers, denied=[ac.use()]))) is UNDECIDED
    assert decision(SIGNED, ac.policy_set(ac.policy(signers=signers))) is UNDECIDED


# --- time


SINCE = ac.policy_set(ac.policy(signers=[ac.signer(tbs=CA, after=SIGN_TIME)]))
DENY_SINCE = ac.policy_set(ac.policy(ANY, signers=[ac.signer(tbs=CA, after=SIGN_TIME)], denied=[ac.use()]))
LATE, EARLY = datetime(2025, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("root", [None, "0A", "0E"])
def test_a_time_stamp_of_nobody_that_the_target_trusts_proves_no_sign_time(root: str | None) -> None:
    assert decision(f.facts(f.signature(stamp=f.timestamp(LATE, root=root))), SINCE) is UNDECIDED
    assert decision(f.facts(f.signature(stamp=f.timestamp(EARLY, root=root))), DENY_SINCE) is UNDECIDED
    assert decision(f.facts(f.signature(stamp=f.timestamp(EARLY, root=root))), SINCE) is DENIED


def test_a_time_stamp_below_a_listed_or_given_root_proves_the_sign_time() -> None:
    stamp = f.timestamp(LATE, root=None)
    assert stamp.chain is not None
    listed = frozenset({stamp.chain.certificates[-1].thumbprint_sha256})
    assert decision(f.facts(f.signature(stamp=stamp)), SINCE, trusted_roots_sha256=listed) is ALLOWED
    given = replace(stamp, chain=replace(stamp.chain, end=ChainEnd.GIVEN_ROOT))
    assert decision(f.facts(f.signature(stamp=given)), SINCE) is ALLOWED


# --- versions


@pytest.mark.parametrize(
    ("low", "high"), [(VERSION_MAX, VERSION_MAX), (VERSION_MAX, 1 << 48), (9 << 48, 1 << 48)], ids=["tops", "top", "turned"]
)
def test_a_deny_rule_for_versions_that_no_file_has_is_not_passed_by(low: int, high: int) -> None:
    rule = ac.deny(file_name="app.dll", stored=VersionBounds(minimum=low, maximum=high))
    assert decision(SIGNED, ac.policy_set(ac.policy(ANY, rule))) is UNDECIDED


def test_a_file_without_version_is_not_surely_outside_of_a_denied_range() -> None:
    rule = ac.deny(file_name="*", minimum=(1, 0, 0, 0), maximum=(2, 0, 0, 0))
    assert decision(f.facts(resource=None), ac.policy_set(ac.policy(ANY, rule))) is UNDECIDED


# --- policy sets


def extended(**properties: object) -> AppControlPolicySet:
    return ac.policy_set(ac.policy(), supplementals=[ac.supplemental(ANY, **properties)])  # type: ignore[arg-type]


def test_a_supplemental_whose_signature_does_not_hold_allows_nothing() -> None:
    broken = PolicySignature(valid=False, subject=None, thumbprint_sha1=None)
    assert decision(SIGNED, extended(form=PolicyForm.BINARY, signature=broken)) is DENIED


@pytest.mark.parametrize("form", PolicyForm)
def test_a_supplemental_that_must_be_signed_and_is_not_leaves_it_open(form: PolicyForm) -> None:
    assert decision(SIGNED, extended(options=(), form=form)) is UNDECIDED


def test_a_driver_under_option_8_is_open_even_where_the_policy_only_audits() -> None:
    options = ac.USUAL | {Option.AUDIT_MODE, Option.EV_SIGNERS}
    for rules in ((ANY,), ()):
        policies = ac.policy_set(ac.policy(*rules, options=options))
        driver = f.facts(f.signature(), header=f.pe(is_driver=True))
        told = AppControlContext(evaluated_at=f.NOW, driver_signing_satisfied=True)
        verdict = evaluate(driver, compile_policy_set(policies), told, target="production")
        assert (verdict.decision, verdict.audited) == (UNDECIDED, False)


# --- names


@pytest.mark.parametrize(("value", "wanted"), [("İnfo.dll", "info.dll"), ("a.dll ", "a.dll"), ("a\u200b.dll", "a.dll")])
def test_names_that_only_look_alike_do_not_match(value: str, wanted: str) -> None:
    assert decision(f.facts(resource=f.version(value)), ac.policy_set(ac.policy(ac.allow(file_name=wanted)))) is DENIED


@pytest.mark.parametrize(
    ("value", "wanted"), [("ınfo.dll", "info.dll"), ("\u212aelvin.dll", "kelvin.dll"), ("straße", "STRASSE"), ("ſafe", "safe")]
)
def test_names_that_only_some_tables_equate_are_open_both_ways(value: str, wanted: str) -> None:
    artifact = f.facts(resource=f.version(value))
    assert decision(artifact, ac.policy_set(ac.policy(ac.allow(file_name=wanted)))) is UNDECIDED
    assert decision(artifact, ac.policy_set(ac.policy(ANY, ac.deny(file_name=wanted)))) is UNDECIDED
