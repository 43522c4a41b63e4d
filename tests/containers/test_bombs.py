"""Bombs end, in little memory, measured on a process of their own that checks them as a user would."""

import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.cabinets import CabFolder, cab_of
from tests.builders.containers import COMPRESSIONS, ZipEntry, deflated, raw_zip, tar_of, zip_of
from tests.builders.tree import code, policy_for

MEMORY_BYTES = 200 * 1024 * 1024
ADDRESS_SPACE_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 60
"""What ends a run that has no bound, however slow the machine is; bombs end some ten times sooner."""

RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({space}, {space}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from csv_gate.cli.main import main
print("code", int(main(sys.argv[1:])))
try:
    with open("/proc/self/status") as status:  # of this program alone; ru_maxrss begins with what the parent had
        used = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
except (OSError, StopIteration):
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("kilobytes", used)
"""


def layers(levels: int, width: int, core: bytes, method: int) -> bytes:
    for level in range(levels):
        core = zip_of({f"{n}.zip": core for n in range(width)}, method=method if level else 8)
    return core


def zeros(size: int) -> bytes:
    return bytes(size)


def many_over_one_content() -> bytes:
    """A member of 16 MB of zeros, listed a thousand times: the whole unpacks to 16 GB."""
    data = zeros(16_000_000)
    first = ZipEntry(name="0", data=data, packed=deflated(data))
    crc_and_size = {"packed": first.packed, "size": len(data)}
    others = [ZipEntry(name=str(n), data=data[:0], same_place_as=0, **crc_and_size) for n in range(1, 1000)]  # type: ignore[arg-type]
    return raw_zip(first, *others)


def many_of_one_content() -> bytes:
    """Two hundred members of 15 MB of zeros, each with octets of its own: 3 GB."""
    data = zeros(15_000_000)
    packed, crc = deflated(data), zlib.crc32(data)
    return raw_zip(*(ZipEntry(name=str(n), packed=packed, crc=crc, size=len(data)) for n in range(200)))


def zeros_packed(ending: str) -> Callable[[], bytes]:
    return lambda: COMPRESSIONS[ending](tar_of({"a": zeros(100_000_000)}))


BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros.zip": lambda: zip_of({"big": zeros(40_000_000)}),
    "lying.zip": lambda: raw_zip(ZipEntry(name="big", data=zeros(40_000_000), size=1000)),
    "nested.zip": lambda: layers(5, 16, zip_of({"a": zeros(15_000_000)}), 8),
    "nested-stored.zip": lambda: layers(3, 8, zip_of({"a": zeros(15_000_000)}), 0),
    "overlapping.zip": many_over_one_content,
    "members.zip": lambda: zip_of({str(n): b"" for n in range(40_000)}),
    "members.tar.gz": lambda: COMPRESSIONS["gz"](
        zip_of({f"{m}.zip": zip_of({str(n): b"" for n in range(10_000)}) for m in range(9)})
    ),
    **{f"zeros.tar.{ending}": zeros_packed(ending) for ending in COMPRESSIONS},
    "million.zip": lambda: zip_of(dict.fromkeys((f"{n}.zip" for n in range(20)), zip_of({str(n): b"" for n in range(60_000)}))),
    "flat.zip": many_of_one_content,
    "large-nest.zip": lambda: layers(4, 16, zip_of({str(n): zeros(15_000_000) for n in range(10)}), 8),
    "zeros.cab": lambda: cab_of(CabFolder(files={"a": zeros(40_000_000)})),
    "deep.gz": lambda: deep(30),
}


def deep(levels: int) -> bytes:
    data = code()
    for _ in range(levels):
        data = COMPRESSIONS["gz"](data)
    return data


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_undecided_within_its_bounds(bomb: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / bomb).write_bytes(BOMBS[bomb]())
    (tmp_path / "out" / "good.dll").write_bytes(code())
    (tmp_path / "policy.xml").write_bytes(policy_for(code()))
    script = RUN.format(space=ADDRESS_SPACE_BYTES, seconds=CPU_SECONDS)
    arguments = ["check", str(tmp_path / "out"), "--policy", str(tmp_path / "policy.xml"), "-j1"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=120)
    words = dict(line.split() for line in done.stdout.splitlines() if line.startswith(("code ", "kilobytes ")))
    assert words["code"] == ("0" if bomb == "members.zip" else "4"), done.stdout + done.stderr
    assert int(words["kilobytes"]) * 1024 < MEMORY_BYTES
    assert "1 allowed" in done.stderr


def test_the_measure_itself_is_told_by_the_system() -> None:
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 1024
