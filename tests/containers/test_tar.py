import tarfile

import pytest

from tests.builders.containers import COMPRESSIONS, tar_of
from tests.builders.opened import opened

FILES = {"lib/a.dll": b"a" * 1000, "b": b"", "c" * 150 + "/" + "d" * 150: b"long", "naïve.txt": b"x"}


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_members_come_with_their_content_and_their_long_names(format: int) -> None:
    found = opened(tar_of(FILES, format=format))
    assert (dict(found.files), found.gaps, found.problems) == (FILES, {}, {})


def test_an_archive_of_the_form_before_posix_is_known_by_its_checksum() -> None:
    data = bytearray(tar_of({"MZ.dll": b"old"}, format=tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert opened(bytes(data)).files == [("MZ.dll", b"old")]


def test_a_leading_dot_is_no_part_of_the_path() -> None:
    assert opened(tar_of({"./usr/a": b"x"})).files == [("usr/a", b"x")]


def test_links_have_no_content_and_are_told_where_they_lead_out() -> None:
    found = opened(tar_of({"a/b": b"x"}, links={"a/in": "b", "a/out": "../../etc/passwd", "up": "../x"}))
    assert found.files == [("a/b", b"x")]
    assert found.problems == {"": ["member-name-hostile", "member-name-hostile"]}


def test_a_damaged_header_is_a_gap_behind_what_was_read() -> None:
    data = bytearray(tar_of({"a": b"1", "b": b"2"}, format=tarfile.USTAR_FORMAT))
    data[1024] ^= 1
    found = opened(bytes(data))
    assert found.files == [("a", b"1")]
    assert "checksum" in found.gaps[""]


def test_an_archive_that_ends_within_a_member_is_a_gap() -> None:
    found = opened(tar_of({"a": b"1" * 2000}, format=tarfile.USTAR_FORMAT)[:1500])
    assert "ends within" in found.gaps[""]
    assert "ends within" in found.gaps["a"]


def test_a_second_archive_behind_the_first_is_told() -> None:
    assert opened(tar_of({"a": b"1"}) + tar_of({"b": b"2"})).problems == {"": ["container-trailing-data"]}


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_compressed_archive_is_one_container(ending: str) -> None:
    found = opened(COMPRESSIONS[ending](tar_of(FILES)), f"x.tar.{ending}")
    assert dict(found.files) == FILES
    assert list(found.containers) == [""]


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_compressed_file_is_a_container_of_one(ending: str) -> None:
    assert opened(COMPRESSIONS[ending](b"x" * 100_000), f"app.dll.{ending}").files == [("app.dll", b"x" * 100_000)]


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_two_streams_are_one_content(ending: str) -> None:
    pack = COMPRESSIONS[ending]
    assert opened(pack(b"one") + pack(b"two"), f"x.{ending}").files == [("x", b"onetwo")]


@pytest.mark.parametrize("ending", COMPRESSIONS)
@pytest.mark.parametrize("change", [lambda data: data[:-4], lambda data: data + b"garbage behind it"])
def test_a_stream_that_is_cut_short_or_has_something_behind_it_is_a_gap(ending: str, change: object) -> None:
    assert callable(change)
    found = opened(change(COMPRESSIONS[ending](bytes(range(256)) * 40)), f"x.{ending}")
    assert found.gaps
    assert found.files == []
