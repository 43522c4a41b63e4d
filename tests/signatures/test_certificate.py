from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography import x509

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.names import escape
from tests.builders import ca, der
from tests.builders.signing import authority, publisher


def issued(**keywords: object) -> Certificate:
    return read_certificate(authority().issue(**keywords).certificate)  # type: ignore[arg-type]


def with_subject(subject: bytes) -> Certificate:
    return issued(subject=subject)


def test_facts_agree_with_a_second_reading() -> None:
    facts = read_certificate(publisher().certificate).facts
    other = x509.load_der_x509_certificate(publisher().certificate)
    assert facts.subject == other.subject.rfc4514_string()
    assert facts.issuer == other.issuer.rfc4514_string()
    assert int(facts.serial, 16) == other.serial_number
    assert (facts.not_before, facts.not_after) == (other.not_valid_before_utc, other.not_valid_after_utc)
    assert facts.tbs["sha256"] == hashlib.sha256(other.tbs_certificate_bytes).hexdigest()
    assert facts.thumbprint_sha1 == hashlib.sha1(publisher().certificate, usedforsecurity=False).hexdigest()
    assert facts.eku == (ca.CODE_SIGNING,)
    assert (facts.key_algorithm, facts.key_bits, facts.signature_algorithm) == ("rsa", 2048, "sha256_rsa")


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_the_tbs_digest_is_by_the_certificates_own_signature(digest: str) -> None:
    certificate = issued(digest=digest)
    assert certificate.facts.tbs_algorithm == digest
    assert certificate.facts.tbs[digest] == hashlib.new(digest, certificate.tbs).hexdigest()
    assert certificate.is_signed_by(read_certificate(authority().certificate).key)


def test_a_pss_signature_names_its_digest_in_its_parameters() -> None:
    certificate = issued(digest="sha384", pss=True)
    assert (certificate.facts.tbs_algorithm, certificate.facts.signature_algorithm) == ("sha384", "sha384_rsa_pss")
    assert certificate.is_signed_by(read_certificate(authority().certificate).key)
    assert not certificate.is_signed_by(certificate.key)


@pytest.mark.parametrize(
    ("tag", "encoding"),
    [(0x0C, "utf-8"), (0x13, "latin-1"), (0x14, "latin-1"), (0x16, "latin-1"), (0x1E, "utf-16-be"), (0x1C, "utf-32-be")],
)
def test_a_common_name_is_read_in_every_string_type(tag: int, encoding: str) -> None:
    facts = with_subject(ca.name("Dr\xfccker GmbH", organization="O", tag=tag, encoding=encoding)).facts
    assert facts.subject_cn == "Dr\xfccker GmbH"
    assert facts.subject == "CN=Dr\xfccker GmbH,O=O"


def test_a_name_without_common_name_has_none() -> None:
    certificate = with_subject(der.seq(der.set_of(der.seq(der.oid("2.5.4.11"), der.tlv(0x13, b"Unit")))))
    assert certificate.facts.subject_cn is None
    assert certificate.facts.subject == "OU=Unit"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a,b+c", "a\\,b\\+c"),
        (" a ", "\\ a\\ "),
        ("#a", "\\#a"),
        ('"\\<>;', '\\"\\\\\\<\\>\\;'),
        ("a\0b", "a\\00b"),
        (" ", "\\ "),
        ("", ""),
    ],
)
def test_names_are_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_value_that_is_no_string_is_shown_in_hexadecimal() -> None:
    assert with_subject(der.seq(der.set_of(der.seq(der.oid("1.2.3"), der.null())))).facts.subject == "1.2.3=#0500"


def test_validity_past_2050_and_negative_serials_are_read() -> None:
    certificate = issued(not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), serial=-5)
    assert certificate.facts.not_after.year == 9999
    assert certificate.serial == -5


def test_usage_extensions_are_absent_unless_they_are_there() -> None:
    bare = issued(eku=None, digital_signature=None).facts
    assert (bare.eku, bare.key_usage_digital_signature, bare.is_ca) == (None, None, None)
    full = issued(eku=(), digital_signature=False, is_ca=False).facts
    assert (full.eku, full.key_usage_digital_signature, full.is_ca) == ((), False, False)
    assert read_certificate(authority().certificate).facts.is_ca is True


def test_a_curve_that_is_spelled_out_gives_no_key() -> None:
    certificate = issued(public_key=ca.spki_with_explicit_curve(ca.key("p256")))
    assert certificate.key.is_curve_unnamed
    assert certificate.key.loaded is None


def test_unknown_keys_and_algorithms_are_named_by_number() -> None:
    certificate = issued(public_key=der.seq(der.seq(der.oid("1.2.3.4")), der.bits(b"key")))
    assert certificate.facts.key_algorithm == "1.2.3.4"
    assert certificate.facts.key_bits is None


def test_the_same_octets_give_the_same_object() -> None:
    assert read_certificate(publisher().certificate) is read_certificate(bytes(bytearray(publisher().certificate)))


def test_an_extension_twice_is_refused() -> None:
    usage = ca.extension("2.5.29.37", der.seq(der.oid(ca.TIME_STAMPING)))
    with pytest.raises(FormatError, match="twice"):
        issued(extensions=[usage])


@pytest.mark.parametrize("data", [b"", der.seq(), der.seq(der.null()), bytes(100_000)], ids=len)
def test_octets_that_are_no_certificate_are_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError):
        read_certificate(data)


def test_octets_behind_a_certificate_are_refused() -> None:
    with pytest.raises(FormatError):
        read_certificate(publisher().certificate + b"\0")
