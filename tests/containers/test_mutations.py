"""Hostile bytes: whatever is done to a container, walking it raises nothing, soon.

`CSV_GATE_MUTATIONS=20000` runs more of them.
"""

import os
import random
import struct
from collections.abc import Callable

import pytest

from csv_gate.containers import OPENERS
from csv_gate.formats import identify
from csv_gate.limits import MIB, Limits
from tests.builders.containers import Files, deb_of, tar_of
from tests.builders.every_container import EVERY_KIND
from tests.builders.installer import msi
from tests.builders.opened import opened
from tests.builders.steps import soon

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "150"))
LIMITS = Limits(max_container_bytes=8 * MIB, max_member_bytes=1 * MIB, container_ratio_floor_bytes=1 * MIB)
FILES = {"lib/app.dll": b"MZ" + bytes(range(256)) * 20, "readme.txt": b"words " * 50, "long/" + "n" * 90: b"x"}
SEEDS: dict[str, Callable[[Files], bytes]] = {
    **EVERY_KIND,
    "app.deb": lambda files: deb_of(files, compression="gz"),
    "app.msi": msi,
    "in.tar": lambda files: tar_of({"a.zip": EVERY_KIND["app.zip"](files)}),
}
EDGES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        if len(changed) < 16:
            break
        edge = chance.randrange(min(600, len(changed)))
        at = chance.choice([edge, len(changed) - 1 - edge, chance.randrange(len(changed))])
        match chance.randrange(7):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + 4] = struct.pack("<L", chance.choice(EDGES))
            case 2:
                changed[at : at + 2] = struct.pack("<H", chance.choice(EDGES) & 0xFFFF)
            case 3:
                del changed[at : at + chance.randrange(1, 64)]
            case 4:
                changed[at:at] = chance.randbytes(chance.randrange(1, 64))
            case 5:
                changed[at] = chance.choice(b"01234567 \0LKxgSV")
            case _:
                start = chance.randrange(len(changed))
                changed[at : at + 64] = changed[start : start + 64]
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


@pytest.mark.parametrize("kind", SEEDS)
def test_no_mutation_of_a_container_breaks_the_walk(kind: str) -> None:
    chance = random.Random(kind)
    seed = SEEDS[kind](FILES)
    walked = 0
    for number in range(ROUNDS):
        data = mutated(seed, chance)
        if identify(data, name=None, limits=LIMITS) not in OPENERS:
            continue
        with soon(f"mutation {number}"):
            opened(data, kind, limits=LIMITS)
        walked += 1
    assert walked > ROUNDS // 3
