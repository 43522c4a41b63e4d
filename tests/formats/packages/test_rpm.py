"""RPM packages: what their digests and signatures reach."""

from __future__ import annotations

import hashlib

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.packages.rpm_header import LEAD_BYTES
from csv_gate.model.facts import Facts, PackageFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode
from tests.builders import openpgp as pgp
from tests.builders.linux_packages import PAYLOAD, Rpm

KEY, OTHER = pgp.ed(), pgp.ed(1)
KEYS = (pgp.certificate(KEY) + pgp.certificate(OTHER),)


def read(octets: bytes, keys: tuple[bytes, ...] = KEYS) -> Facts:
    facts = extract(octets, ExtractionSettings(openpgp_keys=keys), name="tool.rpm")
    assert facts.format == "rpm"
    return facts


def package(facts: Facts) -> PackageFacts:
    assert facts.package is not None
    return facts.package


def codes(facts: Facts) -> set[ProblemCode]:
    return {problem.code for problem in facts.problems}


def signature_codes(facts: Facts) -> set[ProblemCode]:
    return {problem.code for one in facts.signatures for problem in one.problems}


def test_a_package_signed_over_its_header_reaches_the_payload_by_the_digest_there() -> None:
    facts = read(Rpm(header_key=KEY, epoch=2).build())
    assert package(facts) == PackageFacts(
        name="tool", version="2:1.2-3", publisher="Vendor", architecture="x86_64", digests_match=True
    )
    (signature,) = facts.signatures
    assert signature.valid
    assert (signature.scheme, signature.role, signature.place) == (SignatureScheme.RPM, "header", "268")
    assert not facts.problems
    assert not facts.gaps


def test_an_unsigned_package_with_right_digests_has_no_signature_and_no_problem() -> None:
    facts = read(Rpm().build())
    assert package(facts).digests_match is True
    assert facts.signatures == ()
    assert package(facts).uncovered == ()
    assert not facts.problems


def test_an_unknown_key_is_told_apart_from_wrong_digests() -> None:
    facts = read(Rpm(header_key=KEY).build(), ())
    assert package(facts).digests_match is True
    assert not facts.signatures[0].valid
    assert signature_codes(facts) == {ProblemCode.OPENPGP_KEY_UNKNOWN}


@pytest.mark.parametrize("keyword", ["header_key", "whole_key"])
def test_another_payload_is_not_what_was_signed(keyword: str) -> None:
    facts = read(Rpm(**{keyword: KEY}, shipped=PAYLOAD + b"x").build())  # type: ignore[arg-type]
    assert not facts.signatures[0].valid
    assert facts.signatures[0].digest_matches is False
    assert signature_codes(facts) == {ProblemCode.DIGEST_MISMATCH}
    assert package(facts).digests_match is False
    assert codes(facts) == {ProblemCode.RPM_DIGEST_WRONG}


def test_another_payload_with_the_md5_put_right_still_breaks_the_signed_digest() -> None:
    other = b"another payload"
    good = Rpm(header_key=KEY).build()
    main = good[good.index(b"\x8e\xad\xe8", LEAD_BYTES + 3) : -len(PAYLOAD)]
    md5 = hashlib.md5(main + other).digest()
    facts = read(Rpm(header_key=KEY, shipped=other, md5=md5, size=len(main + other)).build())
    assert not facts.signatures[0].valid
    assert [problem.detail for problem in facts.problems] == ["the sha256 of the payload is not what the package says"]


def test_a_header_without_a_digest_of_the_payload_does_not_reach_it() -> None:
    facts = read(Rpm(header_key=KEY, payload_digest=False).build())
    assert not facts.signatures[0].valid
    assert facts.signatures[0].digest_matches is True
    assert signature_codes(facts) == {ProblemCode.RPM_PAYLOAD_UNBOUND}
    assert package(facts).uncovered == ("payload",)


@pytest.mark.parametrize("algorithm", [1, 2, 10])
def test_the_digest_of_the_payload_is_taken_as_sha256_whatever_algorithm_is_named(algorithm: int) -> None:
    assert not read(Rpm(header_key=KEY, payload_algorithm=algorithm).build()).signatures[0].valid


def test_a_payload_that_was_kept_unpacked_is_bound_by_the_digest_for_that() -> None:
    digest = hashlib.sha256(PAYLOAD).hexdigest()
    assert read(Rpm(header_key=KEY, payload_digest="0" * 64, alternative=digest).build()).signatures[0].valid
    assert not read(Rpm(header_key=KEY, payload_digest="0" * 64, alternative="1" * 64).build()).signatures[0].valid


def test_a_signature_over_header_and_payload_reaches_both_for_the_same_signer() -> None:
    facts = read(Rpm(header_key=KEY, whole_key=KEY, payload_digest=False).build())
    assert [(one.role, one.valid) for one in facts.signatures] == [("header", True), ("package", True)]
    assert package(facts).uncovered == ()
    facts = read(Rpm(header_key=KEY, whole_key=OTHER, payload_digest=False).build())
    assert [(one.role, one.valid) for one in facts.signatures] == [("header", False), ("package", True)]


def test_signatures_of_rpm_6_are_each_read_and_the_copy_in_the_older_tag_is_not_told_twice() -> None:
    facts = read(Rpm(header_key=KEY, new_keys=[KEY, OTHER]).build())
    assert [(one.place, one.valid) for one in facts.signatures] == [("278.0", True), ("278.1", True)]


def test_the_digests_of_rpm_6_bind_too() -> None:
    for tag, name in ((5121, "sha512"), (5123, "sha3_256")):
        right = Rpm(header_key=KEY, payload_digest=False, main=[(tag, hashlib.new(name, PAYLOAD).hexdigest())])
        assert read(right.build()).signatures[0].valid
        wrong = Rpm(header_key=KEY, main=[(tag, hashlib.new(name, b"").hexdigest())])
        assert not read(wrong.build()).signatures[0].valid


@pytest.mark.parametrize(
    ("how", "what"),
    [
        (Rpm(sha1="0" * 40), "sha1 of the header"),
        (Rpm(sha256="0" * 64), "sha256 of the header"),
        (Rpm(md5=bytes(16)), "md5 of header and payload"),
        (Rpm(size=7), "size of header and payload"),
        (Rpm(payload_digest="0" * 64), "sha256 of the payload"),
    ],
)
def test_each_digest_that_is_wrong_is_told_by_its_name(how: Rpm, what: str) -> None:
    facts = read(how.build())
    assert package(facts).digests_match is False
    assert [problem.detail for problem in facts.problems] == [f"the {what} is not what the package says"]


def test_weak_digests_in_signatures_do_not_count() -> None:
    key = pgp.rsa_key()
    facts = read(Rpm(header_key=key, hash=2).build(), (pgp.certificate(key),))
    assert not facts.signatures[0].valid
    assert signature_codes(facts) == {ProblemCode.WEAK_DIGEST}


def test_a_text_signature_over_a_header_is_none() -> None:
    facts = read(Rpm(header_key=KEY, type=1).build())
    assert not facts.signatures[0].valid
    assert signature_codes(facts) == {ProblemCode.OPENPGP_MALFORMED}


def test_file_signatures_are_counted() -> None:
    facts = read(Rpm(signature=[(274, ["0302", "", "0303"])]).build())
    assert package(facts).file_signatures == 2


def test_a_source_package_says_so() -> None:
    assert package(read(Rpm(is_source=True).build())).architecture == "src"


@pytest.mark.parametrize(
    "octets",
    [
        Rpm(header_key=KEY, main=[(9000, "outside")], left_out=1).build(),
        Rpm(header_key=KEY, main=[(1000, "other name")]).build(),
        Rpm(main=[(5092, ["0"])]).build(),
        Rpm(signature=[(1004, bytes(16))]).build(),
        Rpm(signature=[(279, 7)]).build(),
        Rpm().build()[:200],
        Rpm().build()[:95],
        Rpm().build()[:78] + b"\0\x01" + Rpm().build()[80:],
        Rpm().build()[:4] + b"\x09" + Rpm().build()[5:],
    ],
    ids=[
        "outside of region",
        "name twice",
        "digest twice",
        "md5 twice",
        "wrong type",
        "cut",
        "no lead",
        "old signature",
        "version",
    ],
)
def test_a_package_that_two_readers_could_see_differently_is_not_read(octets: bytes) -> None:
    facts = read(octets)
    assert codes(facts) == {ProblemCode.RPM_MALFORMED}
    assert facts.signatures == ()
    assert facts.gaps


@pytest.mark.parametrize("value", [[(268, "text")], [(278, ["not base64!"])], [(268, b"x"), (268, b"y")]])
def test_a_signature_that_cannot_be_found_is_a_problem(value: list[tuple[int, bytes]]) -> None:
    facts = read(Rpm(signature=value).build())
    assert codes(facts) == {ProblemCode.OPENPGP_MALFORMED}


def test_a_package_without_regions_is_read_whole() -> None:
    assert read(Rpm(header_key=KEY, region=None).build()).signatures[0].valid


def test_a_flipped_byte_anywhere_behind_the_signature_header_makes_the_signature_invalid() -> None:
    octets = Rpm(header_key=KEY).build()
    start = octets.index(b"\x8e\xad\xe8", LEAD_BYTES + 3)
    for at in range(start, len(octets), 7):
        changed = bytearray(octets)
        changed[at] ^= 0x10
        assert not any(one.valid for one in read(bytes(changed)).signatures), at
