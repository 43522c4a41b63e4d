import lzma
import struct

import pytest

from csv_gate.limits import Limits
from tests.builders.containers import ZipEntry, deflated, raw_zip, zip_of
from tests.builders.opened import opened

A = ZipEntry(name="a.dll", data=b"content of a" * 20)
B = ZipEntry(name="lib/b.dll", data=b"content of b" * 20)
BOTH = [("a.dll", A.data), ("lib/b.dll", B.data)]


def test_members_come_with_their_content_in_the_order_of_the_directory() -> None:
    found = opened(raw_zip(B, A))
    assert found.files == BOTH[::-1]
    assert (found.gaps, found.problems) == ({}, {})


@pytest.mark.parametrize("method", [0, 8])
def test_zip64_records_are_read(method: int) -> None:
    members = [ZipEntry(name=m.name, data=m.data, method=method) for m in (A, B)]
    found = opened(raw_zip(*members, zip64=True))
    assert (found.files, found.gaps, found.problems) == (BOTH, {}, {})


def test_a_folder_is_no_member() -> None:
    assert opened(raw_zip(ZipEntry(name="lib/"), A)).files == [BOTH[0]]


def test_backslashes_divide_folders() -> None:
    assert opened(raw_zip(ZipEntry(name="lib\\a.dll", data=b"x"))).files == [("lib/a.dll", b"x")]


@pytest.mark.parametrize("counted", [False, True])
def test_bytes_before_the_archive_are_told_and_hide_nothing(counted: bool) -> None:
    found = opened(raw_zip(A, prefix=b"\0\1\2" * 99, offsets_count_prefix=counted))
    assert found.files == [BOTH[0]]
    assert found.problems[""][0] in ("container-prefix", "container-unlisted-data")


def test_bytes_behind_the_archive_are_told_and_hide_nothing() -> None:
    found = opened(raw_zip(A, trailing=b"more"))
    assert (found.files, found.problems) == ([BOTH[0]], {"": ["container-trailing-data"]})


def test_a_comment_is_no_data_behind_the_archive() -> None:
    assert opened(raw_zip(A, comment=b"hello")).problems == {}


def test_a_comment_that_holds_a_second_archive_makes_the_archive_unreadable() -> None:
    found = opened(raw_zip(A, comment=raw_zip(B)))
    assert (found.files, list(found.gaps)) == ([], [""])
    assert "two end records" in found.gaps[""]


def test_bytes_that_belong_to_no_member_are_told() -> None:
    hidden = raw_zip(ZipEntry(name="x", data=b"hidden"))[:40]
    assert opened(raw_zip(A, ZipEntry(name="b", data=b"b", gap=hidden))).problems == {"": ["container-unlisted-data"]}


def test_an_entry_that_the_end_record_does_not_count_is_read_and_told() -> None:
    found = opened(raw_zip(A, B, count=1))
    assert (found.files, found.problems) == (BOTH, {"": ["container-inconsistent"]})


def test_another_name_in_the_local_header_is_told() -> None:
    found = opened(raw_zip(ZipEntry(name="a.dll", data=b"x", local_name="evil.dll")))
    assert (found.files, found.problems) == ([("a.dll", b"x")], {"": ["container-inconsistent"]})


def test_members_that_share_their_bytes_are_not_read() -> None:
    found = opened(raw_zip(A, ZipEntry(name="again.dll", data=A.data, same_place_as=0), B))
    assert found.files == [BOTH[1]]
    assert set(found.gaps) == {"a.dll", "again.dll"}
    assert "container-members-overlap" in found.problems[""]


@pytest.mark.parametrize(
    ("member", "word"),
    [
        (ZipEntry(name="x", data=b"x", flags=1), "encrypted"),
        (ZipEntry(name="x", data=b"x", method=99), "encrypted"),
        (ZipEntry(name="x", data=b"x", method=9), "method 9"),
        (ZipEntry(name="x", data=b"data", crc=1), "CRC"),
        (ZipEntry(name="x", data=b"data", size=9), "shorter"),
        (ZipEntry(name="x", data=b"data" * 9, size=9), "longer"),
        (ZipEntry(name="x", data=b"data", packed=b"\xff" * 9), "damaged"),
        (ZipEntry(name="x", data=b"data" * 99, packed=deflated(b"data" * 99)[:-3]), "too early"),
    ],
)
def test_a_member_that_cannot_be_read_is_a_gap_and_costs_no_other_member_anything(member: ZipEntry, word: str) -> None:
    found = opened(raw_zip(A, member, B))
    assert found.files == BOTH
    assert list(found.gaps) == ["x"]
    assert word in found.gaps["x"]


def test_lzma_members_are_read() -> None:
    data = b"content " * 500
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    packed = struct.pack("<HHBL", 9, 5, 3 + 9 * (0 + 5 * 2), 1 << 16) + lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
    found = opened(raw_zip(ZipEntry(name="x", data=data, method=14, flags=0x802, packed=packed)))
    assert (found.files, found.gaps) == ([("x", data)], {})


@pytest.mark.parametrize("cut", [4, 23, 60, 100])
def test_an_archive_that_is_cut_short_is_a_gap(cut: int) -> None:
    found = opened(raw_zip(A, B)[:-cut])
    assert list(found.gaps) == [""]


def test_a_name_twice_is_told_and_both_are_read() -> None:
    found = opened(zip_of([("a", b"1"), ("./a", b"2"), ("A", b"3")]))
    assert found.files == [("a", b"1"), ("a", b"2"), ("A", b"3")]
    assert found.problems == {"": ["member-name-repeated", "member-names-collide"]}


@pytest.mark.parametrize("name", ["../up", "/etc/x", "C:/x", "a/../../x", "nul\0", "line\n", "x:stream", "..\\up"])
def test_a_name_that_leads_astray_is_only_a_name(name: str) -> None:
    found = opened(zip_of([(name, b"x")]))
    assert found.files == [(name.replace("\\", "/"), b"x")]
    assert found.problems == {"": ["member-name-hostile"]}


def test_a_name_that_is_too_long_names_the_limit() -> None:
    found = opened(zip_of([("x" * 100, b"")]), limits=Limits(max_member_name_bytes=99))
    assert "max_member_name_bytes" in found.gaps[""]
