"""Hostile bytes: whatever is done to an image, extraction raises nothing but `ArtifactError`, soon, and in bounded memory.

`CSV_GATE_MUTATIONS=50000` runs more of them.
"""

import mmap
import os
import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import FactName
from csv_gate.model.result_json import dump, facts_json
from tests.builders import ca, cms
from tests.builders.pe import NATIVE, X86, certificate, pe
from tests.builders.signed_pe import signature, signed_pe
from tests.builders.steps import few_steps, soon
from tests.builders.version_resource import version_info

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "3000"))
_SIGNER = ca.root().issue()
_IMAGE = pe(imports=["kernel32.dll"], code=b"c" * 5000)
SEEDS = (
    signed_pe(_IMAGE, _SIGNER, nested=[signature(_IMAGE, _SIGNER)], stamps=[cms.Stamp(ca.root("Stamps").issue("TSA"))]),
    cms.catalog(_SIGNER, [cms.member(bytes([n]) * 32) for n in range(20)]),
    pe(versions={0: version_info()}, imports=["kernel32.dll"], table=certificate(b"\x30\x0e" + b"fourteen bytes")),
    pe(plus=False, machine=X86, versions={0x409: version_info(), 0x407: version_info(file_version=None)}, overlay=b"x" * 99),
    pe(subsystem=NATIVE, imports=["ntoskrnl.exe", "hal.dll"], sections=[b"data" * 2000], checksum=None),
)
EDGES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF8, 0xFFFF_FFFF)


def _mutate(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if len(changed) < 8:
            break
        # Half of the changes hit the headers or the end, where the lies are.
        edge = min(len(changed), 512)
        at = chance.choice([chance.randrange(edge), len(changed) - 1 - chance.randrange(edge), chance.randrange(len(changed))])
        match chance.randrange(6):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + 4] = struct.pack("<I", chance.choice(EDGES))
            case 2:
                changed[at : at + 2] = struct.pack("<H", chance.choice(EDGES) & 0xFFFF)
            case 3:
                del changed[at : at + chance.randrange(1, 64)]
            case 4:
                changed[at:at] = bytes(chance.randbytes(chance.randrange(1, 64)))
            case _:
                start = chance.randrange(len(changed))
                changed[at : at + 64] = changed[start : start + 64]
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def test_mutated_images_raise_nothing_of_their_own() -> None:
    settings = ExtractionSettings(verify_all_checksums=True)
    chance = random.Random(20261124)
    for number in range(ROUNDS):
        data = _mutate(SEEDS[number % len(SEEDS)], chance)
        try:
            with soon(number):
                facts = extract(data, settings)
        except ArtifactError:
            continue
        assert facts.size == len(data)
        dump(facts_json(facts))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pe(overlay=(b"\0\x02\x02\0\x30" + b"xxx") * 200_000), id="many marks of a left-over table"),
        pytest.param(pe(overlay=b"PK\x05\x06" * 20_000), id="many zip end records"),
        pytest.param(
            pe(versions={0: version_info(tables={f"{n:08x}": {"a": "b"} for n in range(1500)})}), id="many string tables"
        ),
        pytest.param(pe(imports=["a.dll"] * 1500), id="many imports"),
        pytest.param(pe(table=certificate(b"", kind=1) * 100_000), id="many table entries"),
        pytest.param(
            pe(resources=struct.pack("<IIHHHH", 0, 0, 0, 0, 0xFFFF, 0xFFFF) + b"\x10\0\0\0\0\0\0\x80" * 131_070),
            id="many resources",
        ),
    ],
)
def test_an_image_made_to_cost_time_costs_little(data: bytes) -> None:
    settings = ExtractionSettings()
    with few_steps():
        extract(data, settings)


def test_memory_does_not_grow_with_the_file() -> None:
    data = pe(overlay=bytes(64 * 1024 * 1024), table=certificate(b"\x30\x00"))
    settings = ExtractionSettings()
    tracemalloc.start()
    try:
        extract(data, settings)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_sparse_file_of_5_gb_is_a_gap_and_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.exe"
    with path.open("wb") as file:
        file.write(pe())
        file.truncate(5 * 1024**3)
    with path.open("rb") as sparse, mmap.mmap(sparse.fileno(), 0, access=mmap.ACCESS_READ) as mapped, few_steps():
        facts = extract(mapped, ExtractionSettings())
    assert facts.format == "pe"
    assert facts.digests is None
    assert [gap.what for gap in facts.gaps] == [FactName.CONTENT]
    assert "max_artifact_bytes" in facts.gaps[0].why
