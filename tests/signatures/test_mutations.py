"""Mutated signatures and catalogs: nothing but facts and our own errors come out, and never a valid signature of changed octets.

`CSV_GATE_MUTATIONS=50000` runs more of them.
"""

from __future__ import annotations

import os
import random
from functools import cache

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.signatures import read_catalog, read_signed_data
from csv_gate.signatures.der import Source
from tests.builders import cms, der
from tests.builders.signing import file_digest, publisher, read_all, time_authority
from tests.builders.steps import few_steps, soon

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "2000"))


@cache
def signature() -> bytes:
    nested = cms.authenticode(
        publisher(), file_digest("sha384"), digest="sha384", stamps=[cms.Stamp(time_authority(), legacy=True)]
    )
    return cms.authenticode(
        publisher(),
        file_digest(),
        attributes=[cms.opus("Programme", more_info="https://example.com")],
        stamps=[cms.Stamp(time_authority()), cms.Stamp(time_authority(), legacy=True, raw_digest=True)],
        nested=[nested],
    )


@cache
def catalog() -> bytes:
    return cms.catalog(publisher(), [cms.member(file_digest()), cms.member(file_digest("sha1"), digest="sha1", flat=True)])


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One to four changes: flipped bits, lengths that lie, pieces cut out, doubled or put elsewhere."""
    found = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(found))
        match dice.randrange(6):
            case 0:
                found[at] ^= 1 << dice.randrange(8)
            case 1:
                found[at] = dice.choice((0x00, 0x80, 0xFF, 0x84, 0x30, 0x31, 0xA0, 0x1F))
            case 2:
                del found[at : at + dice.randint(1, 40)]
            case 3:
                found[at:at] = found[at : at + dice.randint(1, 200)]
            case 4:
                other = dice.randrange(len(found))
                found[at : at + 30] = found[other : other + 30]
            case _:
                del found[at:]
        found = found or bytearray(b"0")
    return bytes(found)


def signed_part(block: bytes) -> tuple[bytes, ...]:
    """Content and SignerInfo up to its signature: what the primary signer's key vouches for."""
    data = Source(block).root().fields()
    data.take()
    fields = data.take().only().fields()
    fields.take()
    fields.take()
    content = fields.take().children()[1].only().contents
    signer = [part for part in fields._parts if part.tag == 0x31][-1].children()[0].children()
    return content, next(part.contents for part in signer if part.tag == 0xA0)


def test_mutated_signatures_are_facts_and_valid_only_while_the_signed_octets_stand() -> None:
    dice = random.Random(2)
    original = signed_part(signature())
    for _ in range(ROUNDS):
        mutated = mutate(signature(), dice)
        with soon():
            found = read_all(mutated)
        assert found
        if found[0].valid:
            assert signed_part(mutated) == original


def test_mutated_catalogs_are_read_or_refused_and_valid_only_with_their_members() -> None:
    dice = random.Random(3)
    original = set(read_catalog(catalog(), path="c").members)
    for _ in range(ROUNDS // 2):
        mutated = mutate(catalog(), dice)
        try:
            with soon():
                found = read_catalog(mutated, path="c")
        except ArtifactError:
            continue
        assert not found.signature.valid or set(found.members) == original


def test_mutated_envelopes_are_facts() -> None:
    dice = random.Random(4)
    for _ in range(ROUNDS // 4):
        mutated = mutate(signature(), dice)
        with soon():
            read_signed_data(mutated)


@pytest.mark.parametrize("part", ["content", "attributes", "signature"])
def test_any_flipped_byte_of_the_signed_parts_breaks_the_signature(part: str) -> None:
    block = cms.authenticode(publisher(), file_digest())
    content, attributes = signed_part(block)
    octets = {"content": content, "attributes": attributes, "signature": cms.signature_of(_signer_of(block))}[part]
    start = block.index(octets)
    for offset in range(start, start + len(octets), 3):
        changed = bytearray(block)
        changed[offset] ^= 0x01
        assert not any(facts.valid for facts in read_all(bytes(changed))), offset


def _signer_of(block: bytes) -> bytes:
    parts = Source(block).root().children()[1].only().children()
    return parts[-1].only().raw


@pytest.mark.parametrize(
    "block",
    [
        b"\x30\x80" * 100_000,
        b"\xa0\x80" * 50_000 + b"\0\0" * 50_000,
        der.seq(*[der.null()] * 20_000),
        b"\x30\x84\x7f\xff\xff\xff" + bytes(1000),
    ],
    ids=["open", "nested", "wide", "long"],
)
def test_hostile_shapes_end_in_few_steps(block: bytes) -> None:
    with few_steps():
        read_all(block)
        read_signed_data(block)
