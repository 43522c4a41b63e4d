"""What a container may ask for, counted: members that are looked at and bytes that are unpacked, not seconds."""

from dataclasses import dataclass, field

import pytest

from csv_gate.containers import Budget, walk_container
from csv_gate.formats import identify
from csv_gate.limits import MIB, Limits
from tests.builders.cabinets import LZX, CabFolder, cab_of
from tests.builders.containers import COMPRESSIONS, ZipEntry, raw_zip, tar_of, zip_of
from tests.builders.every_container import EVERY_KIND


@dataclass
class Counting:
    """Wants nothing, and counts what it is asked."""

    asked: list[str] = field(default_factory=list)

    def passes(self, path: str) -> bool:
        self.asked.append(path)
        return True

    def wants(self, path: str, format: str) -> bool:
        return False


def worked(data: bytes, format: str, limits: Limits) -> tuple[Budget, Counting, list[str]]:
    budget, counting = Budget(limits, len(data), lambda: 0.0), Counting()
    gaps = [found.gap.why for found in walk_container(data, "c", format, counting, budget) if found.gap is not None]
    return budget, counting, gaps


def test_members_are_counted_when_they_are_listed() -> None:
    many = zip_of({str(n): b"" for n in range(300)})
    data = zip_of({f"{n}.zip": many for n in range(20)})
    budget, counting, gaps = worked(data, "zip", Limits(max_container_members=400))
    assert len(counting.asked) == 302  # the first archive with its members, and the second one
    assert budget.members <= 400
    assert any("max_container_members" in gap for gap in gaps)


def test_a_directory_that_states_too_few_members_is_bounded_too() -> None:
    data = raw_zip(*(ZipEntry(name=str(n), method=0) for n in range(300)), count=1)
    _, counting, gaps = worked(data, "zip", Limits(max_container_members=100))
    assert (counting.asked, len(gaps)) == ([], 1)


def layers(levels: int, width: int, core: bytes) -> bytes:
    for _ in range(levels):
        core = zip_of({f"{n}.zip": core for n in range(width)})
    return core


ZEROS = bytes(900_000)
SMALL = Limits(container_ratio_floor_bytes=MIB)
BIG = {
    "flat": lambda: zip_of({str(n): ZEROS for n in range(200)}),
    "nest": lambda: layers(3, 16, zip_of({str(n): ZEROS for n in range(10)})),
    "compressed": lambda: zip_of({f"{n}.gz": COMPRESSIONS["gz"](ZEROS) for n in range(200)}),
    "tar": lambda: zip_of({f"{n}.tar.xz": COMPRESSIONS["xz"](tar_of({"a": ZEROS})) for n in range(200)}),
    "cab": lambda: zip_of({f"{n}.cab": cab_of(CabFolder(files={"a": ZEROS})) for n in range(200)}),
}


@pytest.mark.parametrize("bomb", BIG)
def test_the_bytes_that_are_unpacked_are_bounded_by_the_size_of_the_outer_file(bomb: str) -> None:
    data = BIG[bomb]()
    budget, _, gaps = worked(data, "zip", SMALL)
    assert budget.unpacked_bytes <= max(4 * MIB, SMALL.max_container_total_ratio * len(data)) + MIB
    assert any("max_container_total_ratio" in gap for gap in gaps)


def test_a_folder_of_lzx_is_bounded_like_any_other() -> None:
    data = cab_of(CabFolder(files={"a": bytes(3 * MIB)}, method=LZX | 15 << 8))
    budget, _, gaps = worked(data, "cab", SMALL)
    assert budget.unpacked_bytes <= 2 * MIB
    assert "max_container_ratio" in gaps[0]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_packages_of_thousands_of_files_stay_within_the_bounds(kind: str) -> None:
    files = {f"node_modules/{n % 40}/{n}.json": b'{"name": "package", "version": "1.0.%d"}\n' % n * 20 for n in range(1500)}
    data = EVERY_KIND[kind](files)
    budget, counting, gaps = worked(data, identify(data, name=None, limits=Limits()), Limits())
    assert gaps == []
    assert len(counting.asked) >= 1500
    assert budget.members == len(counting.asked)
