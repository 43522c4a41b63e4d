"""Packets and armor: what always holds of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.limits import DEFAULT_LIMITS, KIB, MIB
from csv_gate.model.facts import SignatureScheme, SignatureSource
from csv_gate.signatures.openpgp import KeyRing, armor, read_clear_signed, read_openpgp_signatures
from csv_gate.signatures.openpgp.hashing import TextSink
from csv_gate.signatures.openpgp.packets import Fields, read_packets
from tests.builders import openpgp as pgp
from tests.builders.steps import few_steps


@given(st.lists(st.tuples(st.integers(1, 15), st.binary(max_size=300), st.booleans()), max_size=5))
def test_packets_of_either_format_come_back_as_they_were_written(packets: list[tuple[int, bytes, bool]]) -> None:
    octets = b"".join(pgp.packet(tag, body, is_old=is_old) for tag, body, is_old in packets)
    assert [(one.tag, one.body) for one in read_packets(octets, DEFAULT_LIMITS)] == [(tag, body) for tag, body, _ in packets]


@given(st.binary(max_size=400))
def test_any_octets_are_packets_or_a_format_error(octets: bytes) -> None:
    try:
        found = list(read_packets(octets, DEFAULT_LIMITS))
    except FormatError:
        return
    assert sum(len(one.body) for one in found) <= len(octets)


@pytest.mark.parametrize(
    ("size", "head"), [(191, b"\xbf"), (192, b"\xc0\x00"), (8383, b"\xdf\xff"), (8384, b"\xff\0\0\x20\xc0")]
)
def test_the_lengths_of_the_new_format_begin_and_end_where_the_standard_says(size: int, head: bytes) -> None:
    (packet,) = read_packets(b"\xc2" + head + bytes(size), DEFAULT_LIMITS)
    assert len(packet.body) == size
    with pytest.raises(FormatError, match="ends behind"):
        list(read_packets(b"\xc2" + head + bytes(size - 1), DEFAULT_LIMITS))


def test_numbers_are_bounded_and_may_have_leading_zeros() -> None:
    assert Fields(b"\x00\x10\x00\x07").mpi() == 7
    with pytest.raises(FormatError, match="too large"):
        Fields(b"\xff\xff" + bytes(9000)).mpi()
    with pytest.raises(FormatError, match="cut short"):
        Fields(b"\x00\x10\x07").mpi()


@given(st.binary(min_size=1, max_size=300), st.booleans())
def test_armor_gives_back_what_was_put_in(octets: bytes, checksum: bool) -> None:
    (block,) = armor.read_blocks(b"words before\n" + pgp.armored(octets, checksum=checksum), DEFAULT_LIMITS)
    assert (block.kind, block.octets) == ("SIGNATURE", octets)


@given(st.binary(max_size=200), st.lists(st.integers(1, 7), min_size=1, max_size=200))
def test_text_hashes_alike_however_it_is_cut(text: bytes, sizes: list[int]) -> None:
    text = text.replace(b"a", b"\r").replace(b"b", b"\n")

    def hashed(pieces: list[bytes]) -> bytes:
        hasher = hashlib.sha256()
        sink = TextSink(hasher)
        for piece in pieces:
            sink.update(memoryview(piece))
        sink.finish()
        return hasher.digest()

    pieces, rest = [], text
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert hashed([*pieces, rest]) == hashed([text])


@given(st.binary(max_size=300))
def test_any_octets_give_facts_that_are_not_valid(octets: bytes) -> None:
    keys = KeyRing.read(pgp.certificate(pgp.ed()))
    found = read_openpgp_signatures(
        octets,
        lambda sink: sink.update(b""),
        keys=keys,
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    assert found
    assert not any(one.valid for one in found)
    with pytest.raises(ArtifactError):
        KeyRing.read(octets)


@pytest.mark.parametrize(
    "octets",
    [
        pgp.armored(bytes(MIB), checksum=False),
        b"-----BEGIN PGP SIGNATURE-----\n" * 30_000,
        pgp.packet(2, bytes(70_000)) * 14,
        bytes([0x88, 0]) * 500_000,
        pgp.clear_signed("x", pgp.ed()).replace(b"=\n", b"=\n" + b"A" * 64 + b"\n", 1) + b"A" * (2 * MIB),
    ],
    ids=["large", "many begins", "large packets", "many packets", "large below a text"],
)
def test_hostile_signatures_are_refused_in_few_steps(octets: bytes) -> None:
    with few_steps():
        detached = read_openpgp_signatures(
            octets,
            lambda sink: sink.update(b""),
            keys=KeyRing(),
            scheme=SignatureScheme.OPENPGP,
            source=SignatureSource.DETACHED,
            place="0",
            role=None,
            limits=DEFAULT_LIMITS,
        )
        _, clear = read_clear_signed(
            octets,
            keys=KeyRing(),
            scheme=SignatureScheme.OPENPGP,
            source=SignatureSource.DETACHED,
            place="0",
            role=None,
            limits=DEFAULT_LIMITS,
        )
    assert not any(one.valid for one in (*detached, *clear))


def test_a_text_larger_than_the_limit_is_not_read() -> None:
    with pytest.raises(LimitError, match="max_openpgp_armor_bytes"):
        armor.read_blocks(b"x" * (KIB + 1), replace(DEFAULT_LIMITS, max_openpgp_armor_bytes=KIB))
