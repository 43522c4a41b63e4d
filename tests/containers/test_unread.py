"""What is known to be a container and is not opened leaves its content undecided, on its own and in others."""

from pathlib import Path

import pytest

from csv_gate.containers.unread import UNREAD
from csv_gate.errors import ExitCode
from csv_gate.formats import identify
from csv_gate.gate import run
from csv_gate.limits import DEFAULT_LIMITS
from tests.builders.containers import zip_of
from tests.builders.opened import opened
from tests.builders.plans import plan, target
from tests.builders.tree import code, policy_for, tree

SAMPLES = {
    "rar": b"Rar!\x1a\x07\x01\0",
    "lzip": b"LZIP\x01\x0c" + bytes(20),
    "lz4": b"\x04\x22\x4d\x18" + bytes(9),
    "compress": b"\x1f\x9d\x90" + bytes(9),
    "cpio_old": b"070707" + b"0" * 70,
    "installshield_cab": b"ISc(" + bytes(60),
    "wim": b"MSWIM\0\0\0" + bytes(200),
    "xar": b"xar!\0\x1c" + bytes(60),
    "dmg": bytes(4000) + b"koly" + bytes(508),
    "iso": bytes(0x8001) + b"CD001\1" + bytes(3000),
    "squashfs": b"hsqs" + bytes(100),
    "erofs": bytes(1024) + b"\xe2\xe1\xf5\xe0" + bytes(3100),
    "vhd": b"conectix" + bytes(504),
    "vhdx": b"vhdxfile" + bytes(600),
}


def test_there_is_a_sample_of_each() -> None:
    assert SAMPLES.keys() == UNREAD.keys()


@pytest.mark.parametrize("format", UNREAD)
def test_it_is_recognised_and_a_gap_says_why(format: str) -> None:
    assert identify(SAMPLES[format], name="x.bin", limits=DEFAULT_LIMITS) == format
    assert "are not opened" in opened(SAMPLES[format]).gaps[""]
    assert "are not opened" in opened(zip_of({"in.bin": SAMPLES[format]})).gaps["in.bin"]


@pytest.mark.parametrize("format", UNREAD)
def test_a_build_that_ships_one_is_undecided(format: str, tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": code(), "image.bin": SAMPLES[format]})
    with run(plan(tmp_path, targets=[target(policy_for(code()))])) as result:
        assert result.summary.exit_code is ExitCode.UNDECIDED
        told = {Path(a.artifact.path).name: [verdict.checks for verdict in a.verdicts] for a in result.artifacts}
        assert told["image.bin"] == [("CSV805",)]


def test_disc_images_that_begin_with_something_are_recognised() -> None:
    udf = b"\xfa\xb8" + bytes(0x7FFF) + b"BEA01" + bytes(3000)
    assert identify(udf, name=None, limits=DEFAULT_LIMITS) == "iso"
