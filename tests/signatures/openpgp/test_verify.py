"""OpenPGP signatures over content: what makes one valid and what does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures.openpgp import Feed, KeyRing, Sink, read_clear_signed, read_openpgp_signatures
from tests.builders import openpgp as pgp
from tests.builders.openpgp import DAY, MADE

CONTENT = b"what is signed\n" * 10
KEYS = {
    "ed25519-legacy": pgp.ed(),
    "ed25519": pgp.ed(algorithm=27),
    "ed25519-v6": pgp.ed(version=6, algorithm=27),
    "p256": pgp.p256(),
    "rsa": pgp.rsa_key(),
}


def ring(*files: bytes) -> KeyRing:
    return KeyRing.read(*files)


def read(
    octets: bytes, keys: KeyRing | bytes, content: bytes = CONTENT, limits: Limits = DEFAULT_LIMITS
) -> tuple[SignatureFacts, ...]:
    return read_openpgp_signatures(
        octets,
        lambda sink: sink.update(content),
        keys=ring(keys) if isinstance(keys, bytes) else keys,
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role="origin",
        limits=limits,
    )


def clear(octets: bytes, keys: bytes) -> tuple[bytes, SignatureFacts]:
    text, (facts,) = read_clear_signed(
        octets,
        keys=ring(keys),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.EMBEDDED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    return text, facts


def codes(facts: SignatureFacts) -> set[ProblemCode]:
    return {problem.code for problem in facts.problems}


def verdict(octets: bytes, keys: KeyRing | bytes, content: bytes = CONTENT) -> tuple[bool, set[ProblemCode]]:
    (facts,) = read(octets, keys, content)
    return facts.valid, codes(facts)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("is_armored", [False, True])
def test_a_signature_by_a_given_key_over_the_content_is_valid(name: str, is_armored: bool) -> None:
    key = KEYS[name]
    octets = pgp.detached(CONTENT, key)
    if is_armored:
        octets = pgp.armored(octets)
    (facts,) = read(octets, pgp.certificate(key))
    assert facts.valid
    assert facts.digest_matches
    assert not facts.problems
    assert facts.role == "origin"
    assert facts.key is not None
    assert facts.key.is_given
    assert facts.key.fingerprint == key.fingerprint.hex() == facts.key.key_id
    assert facts.key.user_ids == ("Someone <someone@example.invalid>",)


@pytest.mark.parametrize("name", KEYS)
def test_a_flipped_byte_of_the_content_makes_it_invalid(name: str) -> None:
    key = KEYS[name]
    (facts,) = read(pgp.detached(CONTENT, key), pgp.certificate(key), b"W" + CONTENT[1:])
    assert not facts.valid
    assert facts.digest_matches is not True


@pytest.mark.parametrize("name", KEYS)
def test_the_signature_itself_is_verified_and_not_only_its_two_octets_of_the_digest(name: str) -> None:
    key = KEYS[name]
    octets = bytearray(pgp.detached(CONTENT, key))
    octets[-3] ^= 1
    valid, found = verdict(bytes(octets), pgp.certificate(key))
    assert not valid
    assert found == {ProblemCode.OPENPGP_SIGNATURE_WRONG}


def test_two_wrong_octets_of_the_digest_void_a_right_signature() -> None:
    octets = pgp.detached(CONTENT, pgp.ed(), left16=b"\0\0")
    assert verdict(octets, pgp.certificate(pgp.ed())) == (False, {ProblemCode.DIGEST_MISMATCH})


def test_an_unknown_key_verifies_nothing_and_is_named() -> None:
    (facts,) = read(pgp.detached(CONTENT, pgp.ed()), KeyRing())
    assert not facts.valid
    assert facts.digest_matches is None
    assert codes(facts) == {ProblemCode.OPENPGP_KEY_UNKNOWN}
    assert "key unknown" in facts.problems[0].detail
    assert facts.key is not None
    assert not facts.key.is_given
    assert facts.key.key_id == pgp.ed().fingerprint.hex()


def test_an_unknown_key_and_other_content_is_told_as_other_content_too() -> None:
    (facts,) = read(pgp.detached(CONTENT, pgp.ed()), KeyRing(), b"x")
    assert facts.digest_matches is False
    assert codes(facts) == {ProblemCode.DIGEST_MISMATCH, ProblemCode.OPENPGP_KEY_UNKNOWN}


@pytest.mark.parametrize(("hash", "weak"), [(1, True), (2, True), (8, False), (10, False)])
def test_digests_weaker_than_sha256_never_make_a_signature_valid(hash: int, weak: bool) -> None:
    key = pgp.rsa_key()
    valid, found = verdict(pgp.detached(CONTENT, key, hash=hash), pgp.certificate(key))
    assert valid is not weak
    assert found == ({ProblemCode.WEAK_DIGEST} if weak else set())


@pytest.mark.parametrize("hash", [9, 12])
def test_further_strong_digests_count(hash: int) -> None:
    assert verdict(pgp.detached(CONTENT, pgp.ed(), hash=hash), pgp.certificate(pgp.ed()))[0]


def test_version_3_signatures_count_with_a_strong_digest() -> None:
    key = pgp.rsa_key()
    assert verdict(pgp.detached(CONTENT, key, version=3), pgp.certificate(key)) == (True, set())


def test_a_short_rsa_key_is_told() -> None:
    key = pgp.rsa_key(1024)
    valid, found = verdict(pgp.detached(CONTENT, key), pgp.certificate(key))
    assert ProblemCode.WEAK_KEY in found or not valid


def test_a_signature_of_version_4_by_a_key_of_version_6_is_no_signature() -> None:
    key = pgp.ed(version=6, algorithm=27)
    octets = pgp.detached(CONTENT, key, version=4, names_fingerprint=False)
    assert verdict(octets, pgp.certificate(key)) == (False, {ProblemCode.OPENPGP_KEY_UNKNOWN})


@pytest.mark.parametrize(
    "how",
    [
        {"created": None},
        {"subpackets": pgp.subpacket(2, pgp.number(MADE))},
        {"subpackets": pgp.subpacket(101, b"", is_critical=True)},
        {"subpackets": pgp.subpacket(20, bytes(8), is_critical=True)},
        {"subpackets": pgp.subpacket(16, bytes(8))},
        {"names_fingerprint": False, "names_id": False},
        {"type": 0x13},
        {"type": 0x02},
    ],
    ids=[
        "no time",
        "two times",
        "unknown critical",
        "critical notation",
        "another key ID",
        "no issuer",
        "certification",
        "standalone",
    ],
)
def test_what_the_standard_calls_an_error_voids_a_signature(how: dict[str, object]) -> None:
    valid, found = verdict(pgp.detached(CONTENT, pgp.ed(), **how), pgp.certificate(pgp.ed()))
    assert not valid
    assert ProblemCode.OPENPGP_MALFORMED in found


def test_an_unknown_subpacket_that_is_not_critical_does_no_harm() -> None:
    octets = pgp.detached(CONTENT, pgp.ed(), subpackets=pgp.subpacket(101, b"x") + pgp.subpacket(20, bytes(8)))
    assert verdict(octets, pgp.certificate(pgp.ed())) == (True, set())


def test_a_key_is_found_by_its_id_in_the_part_that_is_not_signed() -> None:
    octets = pgp.detached(CONTENT, pgp.ed(), names_fingerprint=False)
    assert verdict(octets, pgp.certificate(pgp.ed())) == (True, set())


def test_that_a_signature_expires_is_told_and_left_to_who_knows_the_day() -> None:
    octets = pgp.detached(CONTENT, pgp.ed(), subpackets=pgp.subpacket(3, pgp.number(DAY)))
    assert verdict(octets, pgp.certificate(pgp.ed())) == (True, {ProblemCode.OPENPGP_SIGNATURE_EXPIRES})


def test_text_signatures_take_line_ends_of_either_kind_and_nothing_else() -> None:
    octets = pgp.detached(b"a\r\nb \r\n", pgp.ed(), type=0x01)
    keys = pgp.certificate(pgp.ed())
    assert verdict(octets, keys, b"a\nb \n")[0]
    assert verdict(octets, keys, b"a\r\nb \r\n")[0]
    assert not verdict(octets, keys, b"a\nb\n")[0]
    assert not verdict(octets, keys, b"a\nb \n\n")[0]
    assert not verdict(octets, keys, b"a\nb ")[0]


def _feeding(pieces: Sequence[memoryview]) -> Feed:
    def feed(sink: Sink) -> None:
        for piece in pieces:
            sink.update(piece)

    return feed


def test_text_that_comes_in_pieces_hashes_as_in_one() -> None:
    content = b"one\r\ntwo\r\r\n\r\nthree\rfour\r\n"
    octets = pgp.detached(b"one\r\ntwo\r\n\r\nthree\rfour\r\n", pgp.ed(), type=0x01)
    for size in (1, 2, 3, 5):
        pieces = [memoryview(content[at : at + size]) for at in range(0, len(content), size)]
        (facts,) = read_openpgp_signatures(
            octets,
            _feeding(pieces),
            keys=ring(pgp.certificate(pgp.ed())),
            scheme=SignatureScheme.OPENPGP,
            source=SignatureSource.DETACHED,
            place="0",
            role=None,
            limits=DEFAULT_LIMITS,
        )
        assert facts.valid, size


def test_each_of_several_signatures_is_judged_for_itself() -> None:
    octets = pgp.detached(CONTENT, pgp.ed()) + pgp.detached(b"other", pgp.ed()) + pgp.detached(CONTENT, pgp.p256())
    found = read(octets, pgp.certificate(pgp.ed()))
    assert [(one.place, one.valid) for one in found] == [("0.0", True), ("0.1", False), ("0.2", False)]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x80",
        b"no signature at all",
        b"\xc2\xe0" + bytes(40),
        b"\x8b" + bytes(40),
        pgp.packet(11, b"b\0\0\0\0\0text"),
        pgp.packet(2, b""),
        pgp.packet(2, b"\x05" + bytes(40)),
        pgp.detached(CONTENT, pgp.ed())[:-1],
        pgp.detached(CONTENT, pgp.ed()) + b"\0",
        pgp.armored(pgp.detached(CONTENT, pgp.ed()), broken=True),
        pgp.armored(pgp.detached(CONTENT, pgp.ed()), "MESSAGE"),
        pgp.armored(pgp.detached(CONTENT, pgp.ed())).replace(b"-----END", b"----END"),
        pgp.detached(CONTENT, pgp.ed()) * 17,
    ],
    ids=[
        "empty",
        "type only",
        "text",
        "length in parts",
        "no length",
        "literal data",
        "empty packet",
        "version 5",
        "cut short",
        "trailing data",
        "armor checksum",
        "armored message",
        "no end line",
        "too many",
    ],
)
def test_octets_that_are_no_signature_are_told_as_malformed(octets: bytes) -> None:
    for facts in read(octets, pgp.certificate(pgp.ed())):
        assert not facts.valid
        assert codes(facts) == {ProblemCode.OPENPGP_MALFORMED}


def test_old_and_new_packet_formats_and_padding_read_alike() -> None:
    body = pgp.Sign(key=pgp.ed()).body(CONTENT)
    for octets in (
        pgp.packet(2, body, is_old=True),
        b"\xc2" + bytes([len(body)]) + body,
        pgp.packet(21, b"xx") + pgp.packet(2, body),
    ):
        assert verdict(octets, pgp.certificate(pgp.ed())) == (True, set())


def test_armor_without_a_checksum_counts() -> None:
    octets = pgp.armored(pgp.detached(CONTENT, pgp.ed()), checksum=False)
    assert verdict(octets, pgp.certificate(pgp.ed())) == (True, set())


TEXT = "first line  \n- dashed\n-----BEGIN something\n\nlast\t"


def test_a_clear_signed_text_is_valid_and_is_what_was_signed() -> None:
    text, facts = clear(pgp.clear_signed(TEXT, pgp.ed()), pgp.certificate(pgp.ed()))
    assert facts.valid
    assert not facts.problems
    assert text == b"first line\r\n- dashed\r\n-----BEGIN something\r\n\r\nlast"


def test_a_changed_line_of_a_clear_signed_text_makes_it_invalid() -> None:
    octets = pgp.clear_signed(TEXT, pgp.ed()).replace(b"first", b"First")
    assert not clear(octets, pgp.certificate(pgp.ed()))[1].valid


def test_text_around_a_clear_signed_one_is_not_signed_and_is_told() -> None:
    for octets in (
        pgp.clear_signed(TEXT, pgp.ed(), before="evil\n"),
        pgp.clear_signed(TEXT, pgp.ed(), behind="evil\n"),
    ):
        text, facts = clear(octets, pgp.certificate(pgp.ed()))
        assert b"evil" not in text
        assert ProblemCode.OPENPGP_UNSIGNED_TEXT in codes(facts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hash: SHA256\n\n", b"Hash: SHA256\nEvil: header\n\n"),
        (b"- - dashed", b"- dashed\n-dashed"),
        (b"-----BEGIN PGP SIGNATURE", b"-----BEGIN PGP MESSAGE"),
        (b"-----BEGIN PGP SIGNED", b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx\n-----BEGIN PGP SIGNED"),
    ],
    ids=["header", "dash", "no signature", "twice"],
)
def test_what_breaks_the_framework_is_malformed(old: bytes, new: bytes) -> None:
    octets = pgp.clear_signed(TEXT, pgp.ed())
    assert old in octets
    text, facts = clear(octets.replace(old, new), pgp.certificate(pgp.ed()))
    assert not facts.valid
    assert text == b"" or ProblemCode.OPENPGP_MALFORMED not in codes(facts)


def test_a_binary_signature_below_a_text_does_not_count() -> None:
    assert not clear(pgp.clear_signed(TEXT, pgp.ed(), type=0x00), pgp.certificate(pgp.ed()))[1].valid


def test_the_content_is_asked_for_only_as_often_as_there_are_signatures() -> None:
    calls = []

    def feed(sink: object) -> None:
        calls.append(sink)

    octets = pgp.detached(CONTENT, pgp.ed()) * 16
    read_openpgp_signatures(
        octets,
        feed,
        keys=KeyRing(),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    assert len(calls) == 16
