"""7-Zip archives: everything in them is found, and what the library would not bound is refused before it begins."""

from __future__ import annotations

import sys

import py7zr
import pytest

from csv_gate.limits import MIB, Limits
from tests.builders.containers import seven_zip_of, zip_of
from tests.builders.opened import opened

FILES = {"bin/app.dll": b"MZ" + bytes(range(256)) * 400, "empty": b"", "readme.txt": b"words " * 900}


@pytest.mark.parametrize(
    "filters",
    [
        [{"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_DEFLATE}],
        [{"id": py7zr.FILTER_BZIP2}],
        [{"id": py7zr.FILTER_COPY}],
        [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}],
    ],
)
def test_members_are_read_whatever_packs_them(filters: list[dict[str, int]]) -> None:
    found = opened(seven_zip_of(FILES, filters=filters))
    assert (dict(found.files), found.gaps) == (FILES, {})


def test_a_name_that_stands_twice_hides_nothing() -> None:
    found = opened(seven_zip_of([("a.dll", b"MZ one"), ("a.dll", b"MZ two")]))
    assert sorted(data for _, data in found.files) == [b"MZ one", b"MZ two"] or found.gaps


def test_containers_in_it_are_opened() -> None:
    found = opened(seven_zip_of({"in.zip": zip_of({"a": b"core"})}))
    assert found.files == [("in.zip!/a", b"core")]


def test_an_encrypted_archive_is_not_read() -> None:
    assert "encrypted" in opened(seven_zip_of(FILES, password="secret")).gaps[""]


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(max_container_members=2), "max_container_members"),
        (Limits(max_member_bytes=1000), "max_member_bytes"),
        (Limits(max_container_bytes=1000), "max_container_bytes"),
        (Limits(max_member_name_bytes=8), "max_member_name_bytes"),
        (Limits(max_decompressor_bytes=64 * 1024), "max_decompressor_bytes"),
    ],
)
def test_a_bound_that_is_reached_is_named(limits: Limits, word: str) -> None:
    assert word in opened(seven_zip_of(FILES), limits=limits).gaps[""]


def test_a_bomb_ends_at_the_ratio() -> None:
    bomb = seven_zip_of({"zeros": bytes(48 * MIB)})
    limits = Limits(container_ratio_floor_bytes=MIB)
    assert "ratio" in opened(bomb, limits=limits).gaps[""]


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = seven_zip_of(FILES)
    monkeypatch.setitem(sys.modules, "py7zr", None)
    assert "library that is not installed" in opened(data).gaps[""]


def test_what_is_cut_short_is_told() -> None:
    data = seven_zip_of(FILES)
    assert opened(data[: len(data) // 2]).gaps.keys() == {""}
