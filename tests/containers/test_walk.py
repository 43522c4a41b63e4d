import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import Limits
from tests.builders.containers import COMPRESSIONS, ZipEntry, deb_of, raw_zip, tar_of, zip_of
from tests.builders.every_container import EVERY_KIND
from tests.builders.opened import Asked, opened
from tests.builders.tree import code

SETTINGS = ExtractionSettings()


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_is_inside_has_the_facts_of_the_same_file_loose(kind: str) -> None:
    files = {"lib/app.dll": code("one"), "readme.txt": b"words", "empty": b"", "cat.bin": bytes(range(256)) * 300}
    found = opened(EVERY_KIND[kind](files), kind)
    inside = {path: content for path, content in found.files if path in files}
    assert {path: extract(content, SETTINGS) for path, content in inside.items()} == {
        path: extract(content, SETTINGS) for path, content in files.items()
    }


CONTENT = st.binary(max_size=9000).map(lambda data: b"x" + data)  # nothing that is itself a container
NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True)


@settings(max_examples=40)
@given(
    files=st.dictionaries(NAMES, CONTENT, min_size=1, max_size=5),
    kinds=st.lists(st.sampled_from(sorted(EVERY_KIND)), min_size=1, max_size=4),
)
def test_content_comes_out_of_any_nest_as_it_went_in(files: dict[str, bytes], kinds: list[str]) -> None:
    data, prefix = EVERY_KIND[kinds[0]](files), ""
    for index, kind in enumerate(kinds[1:]):
        data, prefix = EVERY_KIND[kind]({f"{index}.bin": data}), f"{index}.bin!/{prefix}"
    found = opened(data, kinds[-1])
    inside = {path.removeprefix(prefix): content for path, content in found.files if path.startswith(prefix)}
    assert {path: inside.get(path) for path in files} == files
    assert found.gaps == {}


def test_paths_name_each_container_on_the_way() -> None:
    data = zip_of({"in.deb": deb_of({"./a": COMPRESSIONS["gz"](b"x" * 9)})})
    assert [path for path, _ in opened(data).files][-1] == "in.deb!/data.tar.xz!/a!/content"


def test_an_archive_with_something_before_it_is_found_also_inside() -> None:
    data = zip_of({"x.bin": raw_zip(ZipEntry(name="a", data=b"1"), prefix=b"\0\1\2" * 2000)})
    assert opened(data).files == [("x.bin!/a", b"1")]


def test_a_member_that_does_not_matter_is_not_read() -> None:
    broken = ZipEntry(name="b", data=b"text " * 9000, crc=1)
    found = opened(raw_zip(ZipEntry(name="a", data=code()), broken), asked=Asked(formats={"pe"}))
    assert [path for path, _ in found.files] == ["a"]
    assert found.gaps == {}


def test_a_member_that_is_excluded_is_not_opened() -> None:
    found = opened(zip_of({"a.zip": b"PK\3\4 broken"}), asked=Asked(not_these={"c!/a.zip"}))
    assert (found.files, found.gaps) == ([], {})


def nest(levels: int) -> bytes:
    data = b"core"
    for _ in range(levels):
        data = zip_of({"n.zip": data})
    return data


@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(max_container_depth=3), nest(4)),
        (Limits(max_container_members=3), zip_of({str(n): b"x" for n in range(4)})),
        (Limits(max_container_bytes=1000), tar_of({"a": bytes(2000)})),
        (Limits(max_member_bytes=1000), zip_of({"a": os.urandom(1001)})),
        (Limits(max_member_bytes=1000), tar_of({"a": os.urandom(1001)})),
        (Limits(max_container_ratio=100, container_ratio_floor_bytes=1000), zip_of({"a": bytes(100_000)})),
        (Limits(max_container_ratio=100, container_ratio_floor_bytes=1000), COMPRESSIONS["xz"](bytes(100_000))),
        (
            Limits(max_container_total_ratio=1, container_ratio_floor_bytes=100_000),
            zip_of({str(n): bytes(90_000) for n in range(9)}),
        ),
        (Limits(max_decompressor_bytes=1000), COMPRESSIONS["xz"](b"x")),
    ],
    ids=lambda value: (
        next((name for name in Limits.__slots__ if getattr(value, name) != getattr(Limits(), name)), "")
        if isinstance(value, Limits)
        else "data"
    ),
)
def test_a_bound_that_is_reached_is_named_in_a_gap(limits: Limits, data: bytes) -> None:
    names = [name for name in Limits.__slots__ if getattr(limits, name) != getattr(Limits(), name)]
    gaps = opened(data, limits=limits).gaps
    assert any(f"({names[0]})" in why for why in gaps.values()), gaps


def test_bounds_within_which_everything_is_read_leave_no_gap() -> None:
    limits = Limits(max_container_depth=4, max_container_members=4, max_container_bytes=2000, max_member_bytes=1000)
    found = opened(nest(4), limits=limits)
    assert (found.files, found.gaps) == ([("n.zip!/n.zip!/n.zip!/n.zip", b"core")], {})


def test_time_is_bounded_by_the_clock_that_was_given() -> None:
    ticks = iter(range(0, 1_000_000, 50))
    found = opened(zip_of({str(n): b"x" for n in range(9)}), clock=lambda: float(next(ticks)))
    assert "max_container_seconds" in found.gaps[""]


def test_when_the_whole_is_over_its_bound_every_open_container_says_so() -> None:
    data = zip_of({"in.zip": zip_of({str(n): b"x" for n in range(9)}), "after": b"x"})
    found = opened(data, limits=Limits(max_container_members=5))
    assert set(found.gaps) == {"", "in.zip"}


def test_large_members_go_through_unnamed_files_of_which_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = os.urandom(50_000)
    inner = zip_of({"a": data, "b": data})
    found = opened(zip_of({"in.zip": inner}), limits=Limits(max_member_memory_bytes=10_000))
    assert found.files == [("in.zip!/a", data), ("in.zip!/b", data)]
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_full_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    found = opened(zip_of({"a": os.urandom(5000), "b": b"x"}), limits=Limits(max_member_memory_bytes=1000))
    assert "No space left" in found.gaps["a"]
    assert found.files == [("b", b"x")]


def test_a_library_that_is_missing_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(limits: Limits) -> None:
        raise ArtifactError("Zstandard is not read: the library is not installed")

    monkeypatch.setattr("csv_gate.containers.zstandard_stream.open_stream", missing)
    assert "not installed" in opened(COMPRESSIONS["zst"](b"x")).gaps[""]


def test_a_name_of_one_letter_that_is_repeated_is_told() -> None:
    assert opened(zip_of([("a", b"1"), ("a", b"2")])).problems == {"": ["member-name-repeated"]}
