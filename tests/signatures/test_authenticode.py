from __future__ import annotations

from dataclasses import replace

import pytest

from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureSource
from csv_gate.model.problems import ProblemCode
from tests.builders import ca, cms, der
from tests.builders.signing import Content, authority, codes, file_digest, publisher, read_all, read_one, time_authority


def test_a_sound_signature_is_valid_and_names_its_signer() -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest()))
    assert facts.valid
    assert facts.digest_matches is True
    assert facts.signed_digest == file_digest().hex()
    assert facts.signer is not None
    assert facts.signer.subject_cn == "Test Publisher"
    assert facts.problems == ()


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_every_digest_algorithm_is_computed(digest: str) -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest(digest), digest=digest))
    assert facts.valid
    assert (ProblemCode.WEAK_DIGEST in codes(facts)) == (digest in ("md5", "sha1"))


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa3072"])
def test_every_usual_kind_of_key_verifies(kind: str) -> None:
    signer = authority().issue(key_kind=kind)
    assert read_one(cms.authenticode(signer, file_digest())).valid


def test_another_file_does_not_match() -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest()), content=Content(b"another file"))
    assert not facts.valid
    assert facts.digest_matches is False
    assert ProblemCode.DIGEST_MISMATCH in codes(facts)


DEFECTS = {
    "a signature without attributes": ({"no_attributes": True}, ProblemCode.CMS_NO_SIGNED_ATTRIBUTES),
    "no content type attribute": ({"signed_content_type": None}, ProblemCode.CMS_CONTENT_TYPE_MISSING),
    "another content type attribute": ({"signed_content_type": cms.DATA}, ProblemCode.CMS_CONTENT_TYPE_WRONG),
    "no message digest": ({"no_message_digest": True}, ProblemCode.CMS_MESSAGE_DIGEST_MISSING),
    "another message digest": ({"message_digest": bytes(32)}, ProblemCode.CMS_MESSAGE_DIGEST_WRONG),
    "no signer": ({"signers": 0}, ProblemCode.CMS_SIGNER_COUNT),
    "two signers": ({"signers": 2}, ProblemCode.CMS_SIGNER_COUNT),
    "no certificates": ({"certificates": ()}, ProblemCode.CMS_NO_CERTIFICATES),
    "content of another type": ({"content_type": cms.DATA}, ProblemCode.CMS_NOT_AUTHENTICODE),
    "no SignedData": ({"outer_type": cms.DATA}, ProblemCode.CMS_MALFORMED),
    "a file digest by another algorithm": ({"file_digest_algorithm": "sha384"}, ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH),
    "another algorithm in the message": ({"message_digests": ("sha1",)}, ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH),
    "two algorithms in the message": ({"message_digests": ("sha1", "sha256")}, ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH),
    "a signature algorithm with another digest": (
        {"algorithm": der.algorithm(ca.RSA_OIDS["sha1"])},
        ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH,
    ),
    "an unknown signature algorithm": ({"algorithm": der.algorithm("1.2.3.4")}, ProblemCode.CMS_ALGORITHM_UNKNOWN),
    "an attribute twice": (
        {"attributes": [cms.attribute(cms.CONTENT_TYPE, der.oid(cms.INDIRECT_DATA))]},
        ProblemCode.CMS_ATTRIBUTE_REPEATED,
    ),
    "an attribute with two values": (
        {"attributes": [cms.attribute("1.2.3", der.null(), der.null())]},
        ProblemCode.CMS_ATTRIBUTE_REPEATED,
    ),
    "a programme name that is none": ({"attributes": [cms.attribute(cms.OPUS, der.null())]}, ProblemCode.CMS_MALFORMED),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_makes_the_signature_invalid_and_has_a_code_of_its_own(defect: str) -> None:
    keywords, code = DEFECTS[defect]
    facts = read_one(cms.authenticode(publisher(), file_digest(), **keywords))  # type: ignore[arg-type]
    assert not facts.valid
    assert code in codes(facts)


def test_a_certificate_of_another_signer_is_not_the_signers() -> None:
    other = authority().issue("Other", serial=9)
    facts = read_one(cms.authenticode(publisher(), file_digest(), certificates=other.all_certificates))
    assert not facts.valid
    assert facts.signer is None
    assert ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING in codes(facts)


def test_two_certificates_that_answer_to_the_signers_name_are_refused_in_any_order() -> None:
    twin = authority().issue("Twin", key_label="impostor")
    for certificates in ((publisher().certificate, twin.certificate), (twin.certificate, publisher().certificate)):
        facts = read_one(cms.authenticode(publisher(), file_digest(), certificates=certificates))
        assert not facts.valid
        assert ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING in codes(facts)


def test_another_key_behind_the_same_issuer_and_serial_does_not_verify() -> None:
    impostor = authority().issue(key_label="impostor")
    facts = read_one(cms.authenticode(publisher(), file_digest(), certificates=impostor.all_certificates))
    assert not facts.valid
    assert ProblemCode.CMS_SIGNATURE_WRONG in codes(facts)


def test_attributes_are_hashed_in_the_order_they_were_written() -> None:
    assert read_one(cms.authenticode(publisher(), file_digest(), reverse_attributes=True)).valid


def test_a_later_version_of_the_signer_is_told_and_accepted() -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest(), version=3))
    assert facts.valid
    assert codes(facts) == {ProblemCode.CMS_SIGNER_VERSION}


def test_a_key_that_spells_out_its_curve_is_refused() -> None:
    private = ca.key("p256", "leaf")
    signer = authority().issue(key_kind="p256", public_key=ca.spki_with_explicit_curve(private))
    facts = read_one(cms.authenticode(signer, file_digest()))
    assert not facts.valid
    assert ProblemCode.CURVE_NOT_NAMED in codes(facts)


@pytest.mark.parametrize("wide", [True, False])
def test_the_programme_name_is_read_in_both_spellings(wide: bool) -> None:
    facts = read_one(
        cms.authenticode(
            publisher(), file_digest(), attributes=[cms.opus("Dr\xfccker", more_info="https://example.com", wide=wide)]
        )
    )
    assert (facts.program_name, facts.more_info) == ("Dr\xfccker", "https://example.com")
    assert facts.valid


def test_page_hashes_must_be_those_of_the_file() -> None:
    block = cms.authenticode(publisher(), file_digest(), value=cms.page_hashes(b"table"))
    right = read_one(block, content=Content(page_tables={"sha256": b"table"}))
    wrong = read_one(block, content=Content(page_tables={"sha256": b"other"}))
    assert right.valid
    assert right.page_hashes is not None
    assert right.page_hashes.matches
    assert not wrong.valid
    assert ProblemCode.PAGE_HASH_MISMATCH in codes(wrong)
    assert not read_one(block).valid


@pytest.mark.parametrize("value", [cms.page_hashes(b"", kind="1.2.3"), cms.page_hashes(b"", class_id=bytes(16))])
def test_page_hashes_of_an_unknown_kind_are_no_page_hashes(value: bytes) -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest(), value=value))
    assert not facts.valid
    assert ProblemCode.PAGE_HASH_MALFORMED in codes(facts)


@pytest.mark.parametrize(
    ("keywords", "code"),
    [
        ({"eku": None}, ProblemCode.EKU_MISSING),
        ({"eku": (ca.SERVER_AUTH,)}, ProblemCode.EKU_NO_CODE_SIGNING),
        ({"eku": (ca.CODE_SIGNING, ca.LIFETIME_SIGNING)}, ProblemCode.EKU_LIFETIME_SIGNING),
        ({"digital_signature": False}, ProblemCode.KEY_USAGE_NO_SIGNATURE),
        ({"key_kind": "rsa1024"}, ProblemCode.WEAK_KEY),
        ({"digest": "sha1"}, ProblemCode.WEAK_CHAIN_DIGEST),
    ],
)
def test_what_the_certificate_is_meant_for_is_told_and_left_to_the_engine(
    keywords: dict[str, object], code: ProblemCode
) -> None:
    facts = read_one(cms.authenticode(authority().issue(**keywords), file_digest()))  # type: ignore[arg-type]
    assert facts.valid
    assert code in codes(facts)


def test_an_unknown_unsigned_attribute_is_told_and_a_large_one_more_so() -> None:
    small = read_one(cms.authenticode(publisher(), file_digest(), unsigned=[cms.attribute("1.2.3", der.octets(b"x"))]))
    large = read_one(cms.authenticode(publisher(), file_digest(), unsigned=[cms.attribute("1.2.3", der.octets(bytes(8192)))]))
    assert small.valid
    assert large.valid
    assert codes(small) == {ProblemCode.CMS_UNSIGNED_ATTRIBUTE_UNKNOWN}
    assert codes(large) == {ProblemCode.CMS_UNSIGNED_ATTRIBUTE_UNKNOWN, ProblemCode.CMS_UNSIGNED_ATTRIBUTE_LARGE}


def test_zeros_to_the_next_multiple_of_eight_are_padding_and_anything_else_is_told() -> None:
    block = cms.authenticode(publisher(), file_digest())
    assert read_one(block + bytes(7)).problems == ()
    assert codes(read_one(block + b"\0\1")) == {ProblemCode.ENTRY_PADDING_NOT_ZERO}
    assert codes(read_one(block + bytes(8))) == {ProblemCode.ENTRY_TRAILING_DATA}


def test_nested_signatures_come_after_the_primary_and_are_judged_alone() -> None:
    good = cms.authenticode(publisher(), file_digest("sha384"), digest="sha384", stamps=[cms.Stamp(time_authority())])
    bad = cms.authenticode(publisher(), bytes(32))
    primary, first, second, broken = read_all(cms.authenticode(publisher(), file_digest(), nested=[good, bad, der.null()]))
    assert (primary.place, first.place, second.place, broken.place) == ("0", "0.0", "0.1", "0.2")
    assert primary.valid
    assert first.valid
    assert first.source is SignatureSource.NESTED
    assert first.timestamp is not None
    assert not second.valid
    assert codes(broken) == {ProblemCode.NESTED_MALFORMED}


def test_a_signature_nested_in_a_nested_one_is_told() -> None:
    inner = cms.authenticode(publisher(), file_digest())
    middle = cms.authenticode(publisher(), file_digest(), nested=[inner])
    found = read_all(cms.authenticode(publisher(), file_digest(), nested=[middle]))
    assert [(facts.place, ProblemCode.NESTED_DEEP in codes(facts)) for facts in found] == [
        ("0", False),
        ("0.0", False),
        ("0.0.0", True),
    ]


def test_one_signature_read_for_two_files_is_judged_for_each() -> None:
    block = cms.authenticode(publisher(), file_digest(), stamps=[cms.Stamp(time_authority())])
    assert [read_one(block, content=content).valid for content in (Content(), Content(b"other"), Content())] == [
        True,
        False,
        True,
    ]


def test_nested_signatures_are_bounded_in_depth_and_in_number() -> None:
    deep = cms.authenticode(publisher(), file_digest())
    for _ in range(30):
        deep = cms.authenticode(publisher(), file_digest(), nested=[deep])
    wide = cms.authenticode(publisher(), file_digest(), nested=[cms.authenticode(publisher(), file_digest())] * 30)
    for block in (deep, wide):
        found = read_all(block)
        assert len(found) == DEFAULT_LIMITS.max_nested_signatures
        assert ProblemCode.NESTED_TOO_MANY in codes(found[0])


def test_the_number_of_elements_is_bounded() -> None:
    (facts,) = read_all(
        cms.authenticode(publisher(), file_digest()),
        limits=replace(DEFAULT_LIMITS, max_asn1_nodes=20),
    )
    assert codes(facts) == {ProblemCode.CMS_MALFORMED}


def test_a_signature_in_ber_is_read_and_told() -> None:
    block = cms.authenticode(publisher(), file_digest())
    body = cms.contents(block)
    facts = read_one(b"\x30\x80" + body + b"\0\0")
    assert facts.valid
    assert codes(facts) == {ProblemCode.CMS_NOT_DER}


def test_an_unusual_type_of_data_is_told() -> None:
    facts = read_one(cms.authenticode(publisher(), file_digest(), data_type="1.3.6.1.4.1.311.2.1.21"))
    assert facts.valid
    assert codes(facts) == {ProblemCode.CMS_DATA_TYPE_UNUSUAL}


def test_a_certificate_that_cannot_be_read_is_told_and_passed_over() -> None:
    facts = read_one(
        cms.authenticode(publisher(), file_digest(), certificates=[*publisher().all_certificates, der.seq(der.null())])
    )
    assert facts.valid
    assert codes(facts) == {ProblemCode.CMS_CERTIFICATE_MALFORMED}


@pytest.mark.parametrize("block", [b"", b"\x30", b"\x30\x84\x7f\xff\xff\xff", b"\0" * 64, b"\x30\x80" * 5000])
def test_octets_that_are_no_signature_are_a_fact(block: bytes) -> None:
    facts = read_one(block)
    assert not facts.valid
    assert codes(facts) == {ProblemCode.CMS_MALFORMED}
