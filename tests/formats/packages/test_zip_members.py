from __future__ import annotations

import pytest

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.formats.packages.zip_members import Listing, read_listing
from csv_gate.limits import MIB, Limits
from csv_gate.model.problems import ProblemCode
from tests.builders.containers import ZipEntry, raw_zip


def listing(*members: ZipEntry, limits: Limits | None = None, prefix: bytes = b"") -> Listing:
    return read_listing(memoryview(raw_zip(*members, prefix=prefix)), limits or Limits())


def content(found: Listing, index: int = 0) -> bytes:
    return found.read(found.entries[index], max_bytes=64 * MIB)


@pytest.mark.parametrize("method", [0, 8])
def test_a_member_is_read_whole(method: int) -> None:
    data = bytes(range(256)) * 4000
    found = listing(ZipEntry(name="a/b", data=data, method=method), ZipEntry(name="empty", method=method))
    assert (content(found), content(found, 1)) == (data, b"")


def test_names_that_stand_twice_are_told() -> None:
    found = listing(ZipEntry(name="a", data=b"1"), ZipEntry(name="a", data=b"2"))
    assert [problem.code for problem in found.problems] == [ProblemCode.MEMBER_NAME_REPEATED]
    assert len(found.named("a")) == 2


def test_bytes_before_the_archive_are_told() -> None:
    found = listing(ZipEntry(name="a", data=b"1"), prefix=b"x" * 10)
    assert [problem.code for problem in found.problems] == [ProblemCode.CONTAINER_PREFIX]


@pytest.mark.parametrize(
    "member",
    [
        ZipEntry(name="a", data=b"x", crc=1),
        ZipEntry(name="a", data=b"x" * 100, size=99),
        ZipEntry(name="a", data=b"x" * 100, size=101),
        ZipEntry(name="a", data=b"x", packed=b"\xff\xff"),
        ZipEntry(name="a", data=b"x" * 1000, packed=b"\x4b"),
        ZipEntry(name="a", data=b"x", method=12),
        ZipEntry(name="a", data=b"x", flags=1),
        ZipEntry(name="a", data=b"x", local_name="b"),
    ],
)
def test_a_member_that_lies_or_is_damaged_is_refused(member: ZipEntry) -> None:
    with pytest.raises(FormatError):
        content(listing(member))


def test_what_unpacks_to_too_much_is_refused() -> None:
    limits = Limits(container_ratio_floor_bytes=1000, max_container_ratio=10)
    with pytest.raises(LimitError):
        content(listing(ZipEntry(name="a", data=bytes(100_000)), limits=limits))


def test_many_readings_of_one_content_are_counted_together() -> None:
    found = listing(
        ZipEntry(name="a", data=bytes(2000)), limits=Limits(container_ratio_floor_bytes=2000, max_container_ratio=1)
    )
    for _ in range(4):
        content(found)
    with pytest.raises(ArtifactError):
        content(found)


def test_the_number_of_members_is_bounded() -> None:
    with pytest.raises(LimitError):
        listing(*(ZipEntry(name=str(n)) for n in range(5)), limits=Limits(max_container_members=4))
