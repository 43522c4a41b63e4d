"""Hostile packages, OpenPGP signatures and keys: reading raises nothing but `ArtifactError`, and soon; damage never makes a signature
valid over other content. `CSV_GATE_MUTATIONS=20000` runs more of them, for each kind.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.signatures.openpgp import KeyRing, read_clear_signed, read_openpgp_signatures
from tests.builders import openpgp as pgp
from tests.builders.linux_packages import Rpm, ar, deb_members, debsigs, dpkg_sig
from tests.builders.steps import soon

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "1000"))
EDGES = (0, 1, 2, 15, 16, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF)
KEY, SUB = pgp.ed(), pgp.ed(1)
CERTIFICATE = pgp.certificate(KEY, direct=pgp.revocation(KEY, reason=1, created=pgp.SIGNED + 1), further=pgp.subkey(KEY, SUB))
KEYS = KeyRing.read(CERTIFICATE)
SETTINGS = ExtractionSettings(openpgp_keys=(CERTIFICATE,))
CONTENT = b"content\n"
MEMBERS = deb_members()


def _read(octets: bytes, keys: KeyRing, content: bytes) -> tuple[SignatureFacts, ...]:
    return read_openpgp_signatures(
        octets,
        lambda sink: sink.update(content),
        keys=keys,
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )


def _package(data: bytes) -> bool:
    """Of packages other damage may leave a signature whole: what it is over is not told here."""
    extract(data, SETTINGS)
    return False


def _signature(data: bytes) -> bool:
    return any(one.valid for one in _read(data, KEYS, b"other content"))


def _clear(data: bytes) -> bool:
    text, facts = read_clear_signed(
        data,
        keys=KEYS,
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.EMBEDDED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    return text != b"a line\r\n- another" and any(one.valid for one in facts)


def _keys(data: bytes) -> bool:
    """A damaged key that is another key by its fingerprint verifies nothing."""
    signature = pgp.detached(CONTENT, SUB)
    return any(one.valid for one in _read(signature, KeyRing.read(data), CONTENT + b"x"))


KINDS: dict[str, tuple[list[bytes], Callable[[bytes], bool]]] = {
    "rpm": (
        [
            Rpm(header_key=KEY, whole_key=SUB, new_keys=[KEY], signature=[(274, ["03"])], epoch=1).build(),
            Rpm(region=None).build(),
        ],
        _package,
    ),
    "deb": ([ar([*MEMBERS, debsigs(MEMBERS, KEY)]), ar([*MEMBERS, dpkg_sig(MEMBERS, KEY)])], _package),
    "signature": (
        [
            pgp.detached(CONTENT, KEY),
            pgp.armored(pgp.detached(CONTENT, KEY)),
            pgp.detached(CONTENT, KEY, version=3),
        ],
        _signature,
    ),
    "clear-signed": ([pgp.clear_signed("a line\n- another", KEY)], _clear),
    "keys": ([CERTIFICATE, pgp.armored(CERTIFICATE, "PUBLIC KEY BLOCK")], _keys),
}


def _mutate(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(len(changed), 1))
        match chance.randrange(6):
            case 0 | 1:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                changed[at & ~3 : (at & ~3) + 4] = struct.pack(">I", chance.choice(EDGES))
            case 3:
                del changed[at:]
            case 4:
                del changed[at : at + chance.randrange(64)]
            case _:
                start = chance.randrange(max(len(changed), 1))
                changed[at:at] = changed[start : start + chance.randrange(1, 300)]
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_our_own_errors_comes_of_damaged_bytes(kind: str) -> None:
    seeds, reads_as_valid = KINDS[kind]
    chance = random.Random(f"{kind} 11")
    for number in range(ROUNDS):
        data = _mutate(chance.choice(seeds), chance)
        try:
            with soon(f"{kind}, round {number}"):
                assert not reads_as_valid(data), f"{kind}, round {number}"
        except ArtifactError:
            continue
        except Exception as error:
            error.add_note(f"{kind}, round {number}")
            raise


def test_a_valid_signature_of_a_damaged_rpm_is_over_the_same_header_and_payload() -> None:
    """Whatever is done to the file: where a signature is valid, main header and payload are the ones that were signed."""
    octets = Rpm(header_key=KEY).build()
    signed = octets[octets.index(b"\x8e\xad\xe8", 99) :]
    chance = random.Random(5)
    count = 0
    for _ in range(ROUNDS):
        data = _mutate(octets, chance)
        if any(one.valid for one in extract(data, SETTINGS).signatures):
            count += 1
            assert data.endswith(signed)
    assert count
