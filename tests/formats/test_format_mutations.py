"""Hostile scripts, compound files, cabinets and ELF files: extraction raises nothing but `ArtifactError`, and soon.

`CSV_GATE_MUTATIONS=20000` runs more of them, for each kind of file.
"""

import os
import random
import struct

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.result_json import dump, facts_json
from tests.builders import cabinets, compound, scripts
from tests.builders.elf import elf, signed_module
from tests.builders.signing import publisher
from tests.builders.steps import few_steps, soon

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "2000"))
EDGES = (0, 1, 2, 0x7F, 0xFF, 0x200, 0xFFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFD, 0xFFFF_FFFE, 0xFFFF_FFFF)
TREE: compound.Tree = {"A": b"a" * 5000, "B": b"b" * 70, "S": {"C": b"c" * 300}}


def _seeds() -> dict[str, tuple[str, list[bytes]]]:
    text = "WScript.Echo 'x'\r\n"
    seeds = {
        kind: (f"a.{kind}", [scripts.signed(kind, text, signer=publisher()).encode()])
        for kind in ("ps1", "ps1xml", "mof", "vbs", "js", "wsf")
    }
    seeds["ps1"][1].append(("\ufeff" + scripts.signed("ps1", text, signer=publisher())).encode("utf-16-le"))
    seeds["msi"] = ("a.msi", [compound.signed(TREE, publisher(), with_metadata=True), compound.compound(TREE, loose=b"x")])
    seeds["cab"] = ("a.cab", [cabinets.signed(publisher()), cabinets.cabinet(reserve=bytes(60))])
    modules = [
        signed_module(publisher(), elf(type=1, build_id=b"x" * 20, interpreter=b"/lib/ld.so", bits=bits)) for bits in (32, 64)
    ]
    seeds["elf"] = ("a.ko", modules)
    return seeds


SEEDS = _seeds()


def _mutate(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(max(len(changed), 1))
        match chance.randrange(7):
            case 0 | 1:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                changed[at & ~3 : (at & ~3) + 4] = struct.pack("<I", chance.choice(EDGES))
            case 3:
                del changed[at:]
            case 4:
                del changed[at : at + chance.randrange(64)]
            case 5:
                start = chance.randrange(max(len(changed), 1))
                changed[at:at] = changed[start : start + chance.randrange(1, 600)]
            case _:
                at = chance.randrange(min(600, max(len(changed), 1)))
                changed[at : at + 4] = struct.pack("<I", chance.choice(EDGES))
    return bytes(changed)


@pytest.mark.parametrize("kind", SEEDS)
def test_nothing_but_our_own_errors_comes_of_damaged_bytes(kind: str) -> None:
    name, seeds = SEEDS[kind]
    chance = random.Random(f"{kind} 7")
    settings = ExtractionSettings()
    for number in range(ROUNDS):
        data = _mutate(chance.choice(seeds), chance)
        try:
            with soon(f"{kind}, round {number}"):
                facts = extract(data, settings, name=name)
        except ArtifactError:
            continue
        except Exception as error:
            error.add_note(f"{kind}, round {number}")
            raise
        dump(facts_json(facts))


@pytest.mark.parametrize("kind", SEEDS)
def test_what_a_valid_signature_covers_cannot_be_changed_unseen(kind: str) -> None:
    name, seeds = SEEDS[kind]
    settings = ExtractionSettings()
    original = extract(seeds[0], settings, name=name)
    chance = random.Random(f"{kind} 8")
    for _ in range(ROUNDS // 10):
        at = chance.randrange(len(seeds[0]))
        data = bytearray(seeds[0])
        data[at] ^= 1 << chance.randrange(8)
        facts = extract(bytes(data), settings, name=name)
        if any(one.valid for one in facts.signatures):
            assert facts.digests is not None
            assert original.digests is not None
            assert facts.digests.authenticode_sha256 in (original.digests.authenticode_sha256, None), at


SLOW = {
    "begin lines": b"# SIG # Begin signature block\r\n" * 200_000,
    "inner markers": b" # SIG # Begin signature block\r\n" * 200_000,
    "lines of a block without end": b"# SIG # Begin signature block\n" + b"# AAAA\n" * 800_000,
    "a block of megabytes": b"\n# SIG # Begin signature block\n" + b"# AAAA\n" * 800_000 + b"# SIG # End signature block\n",
    "end markers": b"# SIG # Begin signature block\n" + b" # SIG # End signature block\n" * 200_000,
    "empty lines": b"\n" * 6_000_000,
}


@pytest.mark.parametrize("shape", SLOW)
def test_a_script_made_to_be_slow_is_not(shape: str) -> None:
    with few_steps():
        facts = extract(SLOW[shape], ExtractionSettings(), name="a.ps1")
    assert not any(one.valid for one in facts.signatures)
