"""Files of OpenPGP keys: what a key may sign when, by its own signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures.openpgp import KeyRing, read_openpgp_signatures
from tests.builders import openpgp as pgp
from tests.builders.openpgp import DAY, MADE, SIGNED

CONTENT = b"content"
PRIMARY = pgp.ed()
SUB = pgp.ed(1)
OTHER = pgp.ed(2)


def read(octets: bytes, *files: bytes) -> SignatureFacts:
    (facts,) = read_openpgp_signatures(
        octets,
        lambda sink: sink.update(CONTENT),
        keys=KeyRing.read(*files),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    return facts


def is_fit(certificate: bytes, *more: bytes, key: pgp.Key = PRIMARY, created: int = SIGNED) -> bool:
    facts = read(pgp.detached(CONTENT, key, created=created), certificate, *more)
    assert facts.digest_matches is True
    assert facts.valid is (not facts.problems)
    assert {problem.code for problem in facts.problems} <= {ProblemCode.OPENPGP_KEY_UNFIT}
    return facts.valid


def test_a_key_without_flags_may_sign_and_one_for_something_else_may_not() -> None:
    assert is_fit(pgp.certificate(PRIMARY, flags=None))
    assert is_fit(pgp.certificate(PRIMARY, flags=0x02))
    assert not is_fit(pgp.certificate(PRIMARY, flags=0x01))
    assert not is_fit(pgp.certificate(PRIMARY, flags=0x0C))


def test_a_key_of_version_6_must_say_that_it_signs() -> None:
    key = pgp.ed(version=6, algorithm=27)
    assert not is_fit(pgp.certificate(key, flags=None), key=key)
    assert is_fit(pgp.certificate(key, flags=None, direct=pgp.direct(key, flags=0x02)), key=key)


def test_a_key_without_any_signature_of_its_own_may_do_nothing() -> None:
    assert not is_fit(pgp.packet(6, PRIMARY.body))
    assert not is_fit(pgp.packet(6, PRIMARY.body) + pgp.packet(13, b"a"))
    wrong = pgp.certificate(OTHER)[len(pgp.packet(6, OTHER.body)) :]
    assert not is_fit(pgp.packet(6, PRIMARY.body) + wrong)


def test_self_signatures_by_sha1_count_and_by_md5_do_not() -> None:
    assert is_fit(pgp.certificate(PRIMARY, hash=2))
    assert not is_fit(pgp.certificate(PRIMARY, hash=1))


def test_expiry_is_taken_at_the_time_of_signing() -> None:
    certificate = pgp.certificate(PRIMARY, lives=200 * DAY)
    assert is_fit(certificate, created=MADE + 200 * DAY - 1)
    assert not is_fit(certificate, created=MADE + 200 * DAY)
    assert not is_fit(pgp.certificate(PRIMARY), created=MADE - 1)


def test_a_key_that_was_prolonged_later_was_good_before() -> None:
    short = pgp.certificate(PRIMARY, lives=50 * DAY)
    long = pgp.certificate(PRIMARY, lives=500 * DAY, self_made=MADE + DAY)
    assert not is_fit(short)
    assert is_fit(short, long)
    assert is_fit(long, short)


@pytest.mark.parametrize(
    ("reason", "created", "fit"),
    [
        (None, SIGNED + DAY, False),
        (0, SIGNED + DAY, False),
        (2, SIGNED + DAY, False),
        (1, SIGNED + DAY, True),
        (3, SIGNED + DAY, True),
        (1, SIGNED - DAY, False),
        (3, SIGNED, False),
        (200, SIGNED + DAY, False),
    ],
)
def test_a_revocation_reaches_back_unless_its_reason_says_that_it_does_not(reason: int | None, created: int, fit: bool) -> None:
    revocation = pgp.revocation(PRIMARY, reason=reason, created=created)
    assert is_fit(pgp.certificate(PRIMARY, direct=revocation)) is fit
    assert is_fit(pgp.certificate(PRIMARY, behind_user=revocation)) is fit
    assert is_fit(pgp.certificate(PRIMARY), pgp.certificate(PRIMARY, user=None, direct=revocation)) is fit


def test_a_revocation_counts_whatever_its_digest_and_only_by_the_key_itself() -> None:
    assert not is_fit(pgp.certificate(PRIMARY, direct=pgp.revocation(PRIMARY, hash=1)))
    assert is_fit(pgp.certificate(PRIMARY, direct=pgp.revocation(PRIMARY, by=OTHER)))


def test_a_revocation_by_another_counts_where_the_key_names_others_who_may() -> None:
    names = pgp.direct(PRIMARY, further=pgp.subpacket(12, b"\x80\x16" + OTHER.fingerprint))
    assert is_fit(pgp.certificate(PRIMARY, direct=names))
    assert not is_fit(pgp.certificate(PRIMARY, direct=names + pgp.revocation(PRIMARY, by=OTHER)))


def test_a_revoked_user_id_says_nothing_any_more() -> None:
    user = "Someone <someone@example.invalid>"
    revoked = pgp.Sign(key=PRIMARY, type=0x30, created=MADE + DAY).packet(PRIMARY.hashed + pgp.user_hashed(user))
    certificate = pgp.certificate(PRIMARY, user=user, behind_user=revoked)
    assert not is_fit(certificate)
    facts = read(pgp.detached(CONTENT, PRIMARY), certificate + b"")
    assert facts.key is not None
    assert facts.key.user_ids == ()


def test_a_subkey_signs_for_its_primary_key() -> None:
    certificate = pgp.certificate(PRIMARY, flags=0x01, further=pgp.subkey(PRIMARY, SUB))
    assert is_fit(certificate, key=SUB)
    facts = read(pgp.detached(CONTENT, SUB), certificate)
    assert facts.key is not None
    assert facts.key.fingerprint == PRIMARY.fingerprint.hex()
    assert facts.key.key_id == SUB.fingerprint.hex()


@pytest.mark.parametrize(
    "further",
    [
        pgp.subkey(PRIMARY, SUB, is_bound_back=False),
        pgp.subkey(PRIMARY, SUB, back=OTHER),
        pgp.subkey(PRIMARY, SUB, flags=0x0C),
        pgp.subkey(PRIMARY, SUB, lives=DAY),
        pgp.subkey(OTHER, SUB),
        pgp.packet(14, SUB.body),
    ],
    ids=["no back signature", "another's back signature", "for encryption", "expired", "bound by another", "not bound"],
)
def test_a_subkey_that_is_not_bound_or_not_for_signing_may_not(further: bytes) -> None:
    assert not is_fit(pgp.certificate(PRIMARY, further=further), key=SUB)


def test_a_subkey_falls_with_its_primary_key_and_by_its_own_revocation() -> None:
    bound = pgp.subkey(PRIMARY, SUB)
    assert not is_fit(pgp.certificate(PRIMARY, further=bound, direct=pgp.revocation(PRIMARY)), key=SUB)
    assert not is_fit(pgp.certificate(PRIMARY, further=bound, lives=DAY), key=SUB)
    own = pgp.Sign(key=PRIMARY, type=0x28, created=MADE + DAY).packet(PRIMARY.hashed + SUB.hashed)
    assert not is_fit(pgp.certificate(PRIMARY, further=bound + own), key=SUB)
    assert is_fit(pgp.certificate(PRIMARY, further=bound + own))


def test_another_key_with_the_same_id_in_the_ring_does_no_harm() -> None:
    ring = KeyRing.read(pgp.certificate(PRIMARY) + pgp.certificate(OTHER))
    (given,) = ring.named(PRIMARY.key_id)
    ring._by_id[PRIMARY.key_id] = [*ring.named(OTHER.key_id), given]
    octets = pgp.detached(CONTENT, PRIMARY, names_fingerprint=False)
    (facts,) = read_openpgp_signatures(
        octets,
        lambda sink: sink.update(CONTENT),
        keys=ring,
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    assert facts.valid


def test_armored_and_binary_files_with_several_keys_make_one_ring() -> None:
    both = pgp.certificate(PRIMARY) + pgp.certificate(OTHER)
    for octets in (both, pgp.armored(both, "PUBLIC KEY BLOCK")):
        ring = KeyRing.read(octets)
        assert len(ring.named(PRIMARY.key_id)) == len(ring.named(OTHER.fingerprint)) == 1
    two_blocks = b"".join(pgp.armored(pgp.certificate(key), "PUBLIC KEY BLOCK") for key in (PRIMARY, OTHER))
    assert KeyRing.read(two_blocks).named(OTHER.key_id)


def test_a_key_of_version_3_is_passed_over_with_all_that_belongs_to_it() -> None:
    old = pgp.packet(6, b"\x03" + bytes(20)) + pgp.packet(13, b"old") + pgp.packet(2, bytes(30))
    assert is_fit(old + pgp.certificate(PRIMARY) + old)
    with pytest.raises(FormatError, match="no OpenPGP public key"):
        KeyRing.read(old)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"text",
        pgp.armored(pgp.detached(CONTENT, PRIMARY)),
        pgp.detached(CONTENT, PRIMARY),
        pgp.packet(5, PRIMARY.body),
        pgp.certificate(PRIMARY) + pgp.packet(7, SUB.body),
        pgp.certificate(PRIMARY) + pgp.packet(11, b"data"),
        pgp.certificate(PRIMARY)[:-1],
        pgp.packet(6, PRIMARY.body[:-1]),
        pgp.packet(6, PRIMARY.body + b"x"),
        bytes(8) + b"KBXf",
    ],
    ids=[
        "empty",
        "text",
        "armored signature",
        "signature",
        "secret",
        "secret subkey",
        "data",
        "cut",
        "short",
        "long",
        "keybox",
    ],
)
def test_a_file_that_holds_something_else_than_public_keys_is_refused(octets: bytes) -> None:
    with pytest.raises(FormatError):
        KeyRing.read(octets)


def test_the_bounds_hold() -> None:
    limits = replace(DEFAULT_LIMITS, max_openpgp_packets=3)
    with pytest.raises(LimitError, match="max_openpgp_packets"):
        KeyRing.read(pgp.certificate(PRIMARY) * 2, limits=limits)
    flood = pgp.certificate(PRIMARY, direct=pgp.direct(PRIMARY) * (DEFAULT_LIMITS.max_openpgp_self_signatures + 1))
    assert not is_fit(flood)


def test_rings_of_equal_files_are_told_by_their_digests() -> None:
    first, second = (KeyRing.read(pgp.certificate(key)) for key in (PRIMARY, OTHER))
    assert first.sha256s == KeyRing.read(pgp.certificate(PRIMARY)).sha256s != second.sha256s
