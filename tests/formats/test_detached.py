"""Files beside a file: what they sign, and what they do not."""

from __future__ import annotations

import dataclasses
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.formats import ExtractionSettings
from csv_gate.formats.detached import needs_its_file
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import ProblemCode
from tests.builders import der
from tests.builders import openpgp as pgp
from tests.builders.detached import DATA, Side, cms_over, facts_beside, ima, indefinite, pem
from tests.builders.signing import codes
from tests.builders.steps import soon

FILE = b"what is shipped"
KEY = pgp.ed()
KEYS = ExtractionSettings(openpgp_keys=(pgp.certificate(KEY),))
ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "1000"))


def one(octets: bytes, name: str = "app.exe.p7s", *, content: bytes = FILE, given: ExtractionSettings = KEYS) -> SignatureFacts:
    (signature,) = facts_beside(content, Side(name, octets), settings=given).signatures
    assert signature.source is SignatureSource.DETACHED
    assert signature.place == name
    return signature


@pytest.mark.parametrize(
    "octets",
    [
        cms_over(FILE),
        cms_over(FILE, no_attributes=True),
        cms_over(FILE, digest="sha512"),
        cms_over(FILE, holds=FILE),
        indefinite(cms_over(FILE)),
        pem(cms_over(FILE)),
        pem(cms_over(FILE), "CMS"),
    ],
    ids=["der", "no-attributes", "sha512", "enveloping", "indefinite", "pem", "pem-cms"],
)
def test_a_cms_message_over_the_file_is_a_valid_signature(octets: bytes) -> None:
    signature = one(octets)
    assert signature.valid
    assert signature.digest_matches
    assert signature.scheme is SignatureScheme.CMS
    assert signature.signer is not None
    assert signature.signer.subject_cn == "Test Publisher"
    assert not one(octets, content=FILE + b"\0").valid


def test_a_message_over_another_file_says_so() -> None:
    signature = one(cms_over(b"another file"))
    assert signature.digest_matches is False
    assert ProblemCode.DIGEST_MISMATCH in codes(signature)


def test_a_message_that_holds_another_content_signs_nothing_beside_it() -> None:
    signature = one(cms_over(b"another file", holds=b"another file"), "app.exe.p7m")
    assert not signature.valid
    assert ProblemCode.DIGEST_MISMATCH in codes(signature)


def test_each_signer_of_a_message_is_a_signature_of_its_own() -> None:
    found = facts_beside(FILE, Side("a.p7s", cms_over(FILE, signers=2))).signatures
    assert [(signature.place, signature.valid) for signature in found] == [("a.p7s.0", True), ("a.p7s.1", True)]


@pytest.mark.parametrize("name", ["app.exe.p7b", "app.exe.p7s", "app.exe.sig"])
def test_a_list_of_certificates_signs_nothing(name: str) -> None:
    facts = facts_beside(FILE, Side(name, cms_over(FILE, signers=0)))
    assert facts.signatures == ()
    assert facts.problems == ()


def test_what_was_signed_as_something_else_is_no_file() -> None:
    signature = one(cms_over(FILE, content_type="1.3.6.1.4.1.311.2.1.4"))
    assert not signature.valid
    assert ProblemCode.CMS_CONTENT_TYPE_WRONG in codes(signature)


def test_a_signature_over_attributes_is_none_over_a_file_with_their_octets() -> None:
    attributes = der.tlv(0x31, der.seq(der.oid(DATA)))
    signature = one(cms_over(attributes, no_attributes=True), content=attributes)
    assert not signature.valid
    assert ProblemCode.CMS_NO_SIGNED_ATTRIBUTES in codes(signature)


@pytest.mark.parametrize("octets", [b"", b"garbage", cms_over(FILE)[:-20], b"-----BEGIN CMS-----\nA\n-----END CMS-----\n"])
def test_a_damaged_message_is_told_where_the_name_says_that_it_is_one(octets: bytes) -> None:
    facts = facts_beside(FILE, Side("app.exe.p7s", octets))
    told = codes(facts.problems) | {code for signature in facts.signatures for code in codes(signature)}
    assert told & {ProblemCode.CMS_MALFORMED, ProblemCode.DETACHED_UNREADABLE}
    assert not any(signature.valid for signature in facts.signatures)


@pytest.mark.parametrize("is_armored", [False, True])
def test_openpgp_signatures_are_verified_with_the_given_keys(is_armored: bool) -> None:
    packet = pgp.detached(FILE, KEY)
    octets = pgp.armored(packet) if is_armored else packet
    signature = one(octets, "app.exe.sig")
    assert signature.valid
    assert signature.scheme is SignatureScheme.OPENPGP
    assert not one(octets, "app.exe.sig", content=b"other").valid
    unknown = one(octets, "app.exe.asc", given=ExtractionSettings())
    assert ProblemCode.OPENPGP_KEY_UNKNOWN in codes(unknown)
    assert not unknown.valid


def test_a_public_key_beside_a_file_is_nothing() -> None:
    key = pgp.armored(pgp.certificate(KEY), "PUBLIC KEY BLOCK")
    facts = facts_beside(FILE, Side("app.exe.asc", key))
    assert (facts.signatures, facts.problems) == ((), ())


def test_a_clear_signed_text_signs_the_file_that_is_this_text() -> None:
    octets = pgp.clear_signed("one\ntwo", KEY)
    assert one(octets, "list.txt.asc", content=b"one\ntwo\n").valid
    other = one(octets, "list.txt.asc", content=b"one\nthree\n")
    assert not other.valid
    assert other.digest_matches is False


def test_an_ima_signature_tells_key_and_digest_and_is_not_verified() -> None:
    signature = one(ima(), "app.sig")
    assert signature.key is not None
    assert (signature.key.key_id, signature.digest_algorithm) == ("12345678", "sha256")
    assert not signature.valid
    assert "key not given" in signature.problems[0].detail
    assert ProblemCode.DETACHED_UNREADABLE in codes(one(ima(size=4), "app.sig"))
    assert ProblemCode.WEAK_DIGEST in codes(one(ima(hash=2), "app.sig"))


def test_what_is_nothing_known_is_told_and_counts_for_nothing() -> None:
    facts = facts_beside(FILE, Side("app.exe.sig", b"untrusted comment: minisign\nRWQ"), Side("app.exe.p7s", b"", "it changed"))
    assert facts.signatures == ()
    assert codes(facts.problems) == {ProblemCode.DETACHED_UNREADABLE}
    assert "it changed" in facts.problems[1].detail


def test_more_side_files_than_the_limit_are_not_read_and_that_is_told() -> None:
    few = dataclasses.replace(DEFAULT_LIMITS, max_detached_files=1)
    sides = [Side(f"a.{n}.p7s", cms_over(FILE)) for n in range(2)]
    facts = facts_beside(FILE, *sides, settings=ExtractionSettings(limits=few))
    assert len(facts.signatures) == 1
    assert "max_detached_files" in facts.problems[0].detail


@pytest.mark.parametrize(
    ("octets", "name", "needs"),
    [
        (cms_over(FILE), "a.p7s", True),
        (cms_over(FILE, holds=FILE), "a.p7m", False),
        (cms_over(FILE, signers=0), "a.p7b", False),
        (pgp.armored(pgp.detached(FILE, KEY)), "a.asc", True),
        (pgp.clear_signed("one", KEY), "a.asc", False),
        (ima(), "a.sig", True),
        (b"bundle of something", "a.bundle", False),
    ],
)
def test_only_what_means_nothing_alone_needs_its_file(octets: bytes, name: str, needs: bool) -> None:
    assert needs_its_file(octets, name, DEFAULT_LIMITS) is needs


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=64), other=st.binary(max_size=64))
def test_a_message_is_valid_for_its_own_file_alone(content: bytes, other: bytes) -> None:
    assert one(cms_over(content), content=other).valid is (content == other)


SAMPLES = {
    "a.p7s": cms_over(FILE),
    "a.p7m": cms_over(FILE, holds=FILE),
    "a.p7b": pem(cms_over(FILE)),
    "a.asc": pgp.armored(pgp.detached(FILE, KEY)),
    "a.sig": ima(),
    "a.sign": pgp.clear_signed("one", KEY),
    "a.sigstore.json": b'{"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.3", "verificationMaterial": {}}',
}


def test_damage_raises_nothing_and_never_signs_another_file() -> None:
    rng = random.Random(20)
    for number in range(ROUNDS):
        name, octets = list(SAMPLES.items())[number % len(SAMPLES)]
        damaged = bytearray(octets)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
            damaged = damaged or bytearray(b"\0")
        with soon(bytes(damaged)):
            facts = facts_beside(b"another file", Side(name, bytes(damaged)), settings=KEYS)
            needs_its_file(bytes(damaged), name, DEFAULT_LIMITS)
        assert not any(signature.valid for signature in facts.signatures), (name, bytes(damaged))


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
def test_signatures_of_openssl_and_gnupg_are_read_as_these_tools_do() -> None:
    root = Path(os.environ["CSV_GATE_CORPUS"]) / "signed"
    content = (root / "derived-p7/artifact.bin").read_bytes()
    keys = ExtractionSettings(openpgp_keys=((root / "derived-pgp/test-pubkeys.asc").read_bytes(),))
    said = {
        "derived-p7/artifact.bin.p7s": True,
        "derived-p7/artifact.bin.noattr.p7s": True,
        "derived-p7/artifact.bin.ec.p7s": True,
        "derived-p7/artifact.bin.sha1.p7s": True,
        "derived-pgp/artifact.bin.rsa.asc": True,
        "derived-pgp/artifact.bin.rsa.sig": True,
        "derived-pgp/artifact.bin.ed.asc": True,
        "derived-pgp/artifact.bin.ed.sig": True,
        # gpg 2.2 still takes SHA-1; RFC 9580, section 9.5 says not to.
        "derived-pgp/artifact.bin.rsa-sha1.asc": False,
    }
    for name, valid in said.items():
        octets = (root / name).read_bytes()
        assert one(octets, Path(name).name, content=content, given=keys).valid is valid, name
        assert not one(octets, Path(name).name, content=content + b"x", given=keys).valid, name
