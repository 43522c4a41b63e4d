"""Cabinets: what their folders hold, and what is refused. cabextract is the second opinion where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from csv_gate.containers.lzx_bits import code_of
from csv_gate.errors import FormatError
from csv_gate.limits import MIB, Limits
from tests.builders import lzx
from tests.builders.cabinets import LZX, MSZIP, CabFolder, cab_of
from tests.builders.containers import Files
from tests.builders.opened import Asked, opened

WORDS = b"".join(b"%d bottles of beer on the wall\n" % number for number in range(3000))
CALLS = b"".join(
    b"\xe8" + (number * 977 % 70_000 - 9000).to_bytes(4, "little", signed=True) + b"\x90" for number in range(12_000)
)
FILES = {"bin/app.dll": b"MZ" + WORDS, "empty": b"", "b.dat": bytes(50_000) + WORDS[:777]}


@pytest.mark.parametrize("method", [0, MSZIP, LZX | 15 << 8, LZX | 18 << 8, LZX | 21 << 8])
def test_the_files_of_a_folder_are_the_members(method: int) -> None:
    found = opened(cab_of(CabFolder(files=FILES, method=method)))
    assert dict(found.files) == FILES
    assert (found.gaps, found.problems) == ({}, {})


@pytest.mark.parametrize("kind", [lzx.VERBATIM, lzx.ALIGNED, lzx.RAW])
@pytest.mark.parametrize("first_raw", [False, True])
@pytest.mark.parametrize("translated_size", [0, 60_000])
def test_every_kind_of_lzx_block(kind: int, first_raw: bool, translated_size: int) -> None:
    data = CALLS + WORDS[:33_333]
    found = opened(lzx_cab(data, kind=kind, first_raw=first_raw, translated_size=translated_size))
    assert dict(found.files) == {"a": data}


def lzx_cab(data: bytes, *, damage: bytes = b"", **options: int) -> bytes:
    frames = lzx.frames(data, **options)  # type: ignore[arg-type]
    packed = [(one + damage, min(32768, len(data) - at * 32768)) for at, one in enumerate(frames)]
    return cab_of(CabFolder(files={"a": data}, method=LZX | 15 << 8, blocks=packed))


def test_octets_that_no_frame_uses_are_refused() -> None:
    assert "belong to no frame" in opened(lzx_cab(WORDS, damage=b"more")).gaps["a"]


def test_a_code_that_is_too_full_is_refused() -> None:
    with pytest.raises(FormatError):
        code_of(bytes([1, 1, 1]))


def test_reserved_areas_are_stepped_over() -> None:
    found = opened(cab_of(CabFolder(files=FILES), CabFolder(files={"z": b"z"}, method=0), reserve=(20, 4, 9)))
    assert dict(found.files) == FILES | {"z": b"z"}


def test_names_are_utf8_where_the_cabinet_says_so() -> None:
    assert opened(cab_of(CabFolder(files={"größe/λ.dll": b"x"}))).files == [("größe/λ.dll", b"x")]


def test_a_member_is_found_though_those_before_it_were_not_read() -> None:
    found = opened(cab_of(CabFolder(files=FILES)), asked=Asked(not_these={"c!/bin/app.dll"}))
    assert dict(found.files)["b.dat"] == FILES["b.dat"]


def test_a_wrong_checksum_is_a_gap_of_the_members_behind_it() -> None:
    data = bytearray(cab_of(CabFolder(files={"a": b"1" * 40_000, "b": WORDS}, method=0)))
    data[-100] ^= 1
    found = opened(bytes(data))
    assert dict(found.files) == {"a": b"1" * 40_000}
    assert "checksum" in found.gaps["b"]


def test_quantum_is_a_gap_that_says_so() -> None:
    found = opened(cab_of(CabFolder(files={"a": WORDS}, method=2 | 5 << 8), CabFolder(files={"b": b"b"})))
    assert "Quantum, which is not read" in found.gaps["a"]
    assert found.files == [("b", b"b")]


def test_what_goes_on_in_another_volume_is_a_gap_that_names_it() -> None:
    folders = [CabFolder(files={"a": b"a", "b": b"b"}), CabFolder(files={"c": b"c", "d": b"d"}, method=0)]
    data = cab_of(*folders, flags=3, volumes=["one.cab", "three.cab"], folder_numbers={"a": 0xFFFD, "d": 0xFFFE})
    found = opened(data)
    assert found.files == [("c", b"c")]
    assert [found.gaps[name].count("'one.cab'") for name in ("a", "b")] == [1, 1]
    assert "'three.cab'" in found.gaps["d"]


def test_members_that_overlap_are_refused() -> None:
    found = opened(cab_of(CabFolder(files={"a": b"aaaa", "b": b"bbbb"}, method=0), starts={"b": 2}))
    assert "overlaps" in found.gaps["b"]
    assert found.problems == {"": ["container-members-overlap"]}


def test_a_list_of_files_in_another_place_is_told() -> None:
    found = opened(cab_of(CabFolder(files={"a": b"a"}), list_gap=b"other files"))
    assert found.problems == {"": ["container-inconsistent"]}


@pytest.mark.parametrize("lie", ["short", "no folder", "same place", "no end"])
def test_a_cabinet_that_contradicts_itself_is_a_gap(lie: str) -> None:
    data = cab_of(CabFolder(files={"a": b"a"}), CabFolder(files={"b": b"b"}))
    match lie:
        case "short":
            data = data[:-1]
        case "no folder":
            data = cab_of(CabFolder(files={"a": b"a"}), folder_numbers={"a": 7})
        case "same place":
            data = data[:44] + data[36:44] + data[52:]
        case _:
            data = cab_of(CabFolder(files={"a" * 300: b"a"}))
    assert opened(data).gaps[""]


def test_a_folder_unpacks_to_no_more_than_the_bounds_allow() -> None:
    found = opened(cab_of(CabFolder(files={"a": bytes(4 * MIB)})), limits=Limits(container_ratio_floor_bytes=MIB))
    assert "max_container_ratio" in found.gaps["a"]


@pytest.mark.skipif(shutil.which("cabextract") is None, reason="cabextract is not installed")
@pytest.mark.parametrize("method", [0, MSZIP, LZX | 15 << 8, LZX | 21 << 8])
def test_cabextract_sees_the_same(method: int, tmp_path: Path) -> None:
    path = tmp_path / "a.cab"
    path.write_bytes(cab_of(CabFolder(files=FILES, method=method)))
    assert cabextracted(path, tmp_path / "out") == dict(opened(path.read_bytes()).files)


def cabextracted(path: Path, into: Path) -> Files:
    subprocess.run(["cabextract", "-q", "-d", str(into), str(path)], check=True, capture_output=True)
    return {file.relative_to(into).as_posix(): file.read_bytes() for file in into.rglob("*") if file.is_file()}
