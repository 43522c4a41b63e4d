from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csv_gate.model.facts import SignatureFacts, TimestampFacts, TimestampKind
from csv_gate.model.problems import ProblemCode
from tests.builders import ca, cms, der
from tests.builders.signing import authority, codes, file_digest, publisher, read_one, time_authority

KINDS = [pytest.param(False, id="rfc3161"), pytest.param(True, id="pkcs9")]


def stamped(*stamps: cms.Stamp, signer: ca.Identity | None = None) -> SignatureFacts:
    return read_one(cms.authenticode(signer or publisher(), file_digest(), stamps=stamps))


def stamp_of(*stamps: cms.Stamp, signer: ca.Identity | None = None) -> TimestampFacts:
    facts = stamped(*stamps, signer=signer)
    assert facts.timestamp is not None
    return facts.timestamp


@pytest.mark.parametrize("legacy", KINDS)
def test_a_sound_time_stamp_counts(legacy: bool) -> None:
    stamp = stamp_of(cms.Stamp(time_authority(), legacy=legacy))
    assert stamp.valid
    assert stamp.kind is (TimestampKind.PKCS9 if legacy else TimestampKind.RFC3161)
    assert stamp.time == cms.STAMPED
    assert stamp.signer is not None
    assert stamp.signer.subject_cn == "Test TSA"
    assert stamp.problems == ()


@pytest.mark.parametrize("legacy", KINDS)
def test_a_time_stamp_of_another_signature_has_a_code_of_its_own(legacy: bool) -> None:
    facts = stamped(cms.Stamp(time_authority(), legacy=legacy, over=b"another signature"))
    assert facts.valid
    assert facts.timestamp is not None
    assert not facts.timestamp.valid
    assert codes(facts.timestamp) == {ProblemCode.TIMESTAMP_OTHER_SIGNATURE}


@pytest.mark.parametrize("legacy", KINDS)
def test_a_time_stamp_that_its_authority_did_not_sign_does_not_count(legacy: bool) -> None:
    stamp = stamp_of(cms.Stamp(time_authority(), legacy=legacy, break_signature=True))
    assert not stamp.valid
    assert codes(stamp) == {ProblemCode.TIMESTAMP_SIGNATURE_WRONG}


@pytest.mark.parametrize("legacy", KINDS)
def test_a_certificate_for_code_does_not_stamp_time(legacy: bool) -> None:
    stamp = stamp_of(cms.Stamp(authority().issue("No TSA", serial=5, key_label="no-tsa"), legacy=legacy))
    assert not stamp.valid
    assert codes(stamp) == {ProblemCode.TIMESTAMP_SIGNER_EKU}


@pytest.mark.parametrize("legacy", KINDS)
def test_the_authority_must_be_valid_at_the_stamped_time(legacy: bool) -> None:
    expired = authority().issue(
        "Old TSA", eku=(ca.TIME_STAMPING,), serial=6, key_label="tsa", not_after=datetime(2023, 1, 1, tzinfo=UTC)
    )
    assert codes(stamp_of(cms.Stamp(expired, legacy=legacy))) == {ProblemCode.TIMESTAMP_SIGNER_EXPIRED}
    assert stamp_of(cms.Stamp(expired, legacy=legacy, time=datetime(2022, 1, 1, tzinfo=UTC))).valid


@pytest.mark.parametrize("legacy", KINDS)
def test_a_time_outside_the_signers_validity_does_not_count(legacy: bool) -> None:
    signer = authority().issue("Short", not_after=datetime(2023, 1, 1, tzinfo=UTC), serial=7)
    assert codes(stamp_of(cms.Stamp(time_authority(), legacy=legacy), signer=signer)) == {
        ProblemCode.TIMESTAMP_OUTSIDE_VALIDITY
    }


@pytest.mark.parametrize("legacy", KINDS)
def test_a_time_stamp_without_the_authoritys_certificate_does_not_count(legacy: bool) -> None:
    stamp = stamp_of(cms.Stamp(time_authority(), legacy=legacy, with_certificates=False))
    assert not stamp.valid
    assert ProblemCode.TIMESTAMP_SIGNER_MISSING in codes(stamp)


@pytest.mark.parametrize("legacy", KINDS)
def test_the_authoritys_issuers_must_really_have_issued(legacy: bool) -> None:
    forged = time_authority().issue(
        "TSA by a stranger", eku=(ca.TIME_STAMPING,), serial=8, issuer=authority().subject, key_label="tsa"
    )
    stamp = cms.Stamp(
        ca.Identity(forged.certificate, forged.key, forged.subject, forged.issuer, 8, authority().all_certificates)
    )
    stamp.legacy = legacy
    assert codes(stamp_of(stamp)) == {ProblemCode.TIMESTAMP_CHAIN_INVALID}


def test_a_bare_digest_counts_in_a_legacy_counter_signature_and_is_told() -> None:
    stamp = stamp_of(cms.Stamp(time_authority(), legacy=True, raw_digest=True, digest="sha1"))
    assert stamp.valid
    assert codes(stamp) == {ProblemCode.TIMESTAMP_RAW_DIGEST, ProblemCode.WEAK_DIGEST}


def test_a_token_names_its_certificate() -> None:
    bound = {
        "v1": cms.Stamp(time_authority(), binding_v1=True),
        "none": cms.Stamp(time_authority(), binding=False),
        "other": cms.Stamp(time_authority(), bound_to=b"another certificate"),
        "other v1": cms.Stamp(time_authority(), bound_to=b"another certificate", binding_v1=True),
    }
    valid = {name: stamp_of(stamp).valid for name, stamp in bound.items()}
    assert valid == {"v1": True, "none": False, "other": False, "other v1": False}
    assert codes(stamp_of(bound["other"])) == {ProblemCode.TIMESTAMP_CERTIFICATE_NOT_BOUND}


def test_imprint_token_and_signer_may_digest_differently() -> None:
    assert stamp_of(cms.Stamp(time_authority(), digest="sha384", imprint_digest="sha512")).valid


def test_the_first_valid_time_stamp_counts_and_the_others_are_told() -> None:
    facts = stamped(cms.Stamp(time_authority(), over=b"other"), cms.Stamp(time_authority(), legacy=True))
    assert facts.timestamp is not None
    assert facts.timestamp.valid
    assert facts.timestamp.kind is TimestampKind.PKCS9
    assert codes(facts) == {ProblemCode.TIMESTAMP_OTHER_SIGNATURE, ProblemCode.TIMESTAMPS_SEVERAL}


@pytest.mark.parametrize(
    "stamp",
    [cms.Stamp(time_authority(), content_type=cms.DATA), cms.Stamp(time_authority(), legacy=True, no_time=True)],
    ids=["no TSTInfo", "no signing time"],
)
def test_a_time_stamp_that_says_no_time_is_malformed(stamp: cms.Stamp) -> None:
    assert codes(stamp_of(stamp)) == {ProblemCode.TIMESTAMP_MALFORMED}


def test_octets_that_are_no_time_stamp_are_malformed() -> None:
    block = cms.authenticode(publisher(), file_digest(), unsigned=[cms.attribute(cms.RFC3161_TOKEN, der.null())])
    facts = read_one(block)
    assert facts.valid
    assert facts.timestamp is not None
    assert codes(facts.timestamp) == {ProblemCode.TIMESTAMP_MALFORMED}


def test_a_signing_time_of_the_signer_is_no_time_stamp() -> None:
    block = cms.authenticode(
        publisher(), file_digest(), attributes=[cms.attribute(cms.SIGNING_TIME, der.utc_time(cms.STAMPED))]
    )
    assert read_one(block).timestamp is None
