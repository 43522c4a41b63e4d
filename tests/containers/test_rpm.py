"""RPM packages and cpio archives. rpm2cpio and bsdtar are the second opinion where they are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.opened import opened
from tests.builders.rpm import LINK, PAYLOADS, TRAILER, cpio_of, entry, rpm, rpm_of, stripped_rpm

FILES = {"usr/lib/app.dll": b"MZ" + bytes(range(256)) * 300, "empty": b"", "etc/a.conf": b"words"}


@pytest.mark.parametrize("compressor", PAYLOADS)
def test_the_files_of_the_payload_are_the_members(compressor: str) -> None:
    found = opened(rpm(FILES, compressor=compressor))
    assert dict(found.files) == FILES
    assert (found.gaps, found.problems, found.containers) == ({}, {}, {"": "rpm"})


def test_headers_without_names_stand_for_the_files_that_the_package_lists() -> None:
    files = [("/usr/a", b"linked", 7), ("/usr/lib/b.dll", b"content", 8), ("/usr/c", b"linked", 7)]
    found = opened(stripped_rpm(files))
    assert found.files == [("usr/lib/b.dll", b"content"), ("usr/c", b"linked")]
    assert found.gaps == {}


def test_a_file_that_the_package_does_not_list_is_a_gap() -> None:
    data = stripped_rpm([("/a", b"1", 1)]).replace(b"07070X00000000", b"07070X00000009")
    assert "does not list" in opened(data).gaps[""]


def test_absolute_names_are_what_packages_have() -> None:
    found = opened(rpm_of(entry("/etc/x", b"1") + TRAILER, {1125: "none"}))
    assert (found.files, found.problems) == ([("etc/x", b"1")], {})


@pytest.mark.parametrize(
    ("tags", "told"),
    [({1124: "drpm"}, "form that is not read"), ({1125: "xz"}, "another method"), ({1125: "lzo"}, "another method")],
)
def test_a_payload_that_is_not_what_the_package_says_is_a_gap(tags: dict[int, str], told: str) -> None:
    assert told in opened(rpm_of(cpio_of(FILES), tags)).gaps[""]


def test_an_archive_of_its_own_is_opened_and_its_sums_are_compared() -> None:
    assert dict(opened(cpio_of(FILES)).files) == dict(opened(cpio_of(FILES, summed=True)).files) == FILES
    damaged = cpio_of({"a": b"words", "b": b"x"}, summed=True).replace(b"words", b"wirds")
    assert "checksum" in opened(damaged).gaps["a"]


def test_a_link_that_leads_out_is_told() -> None:
    data = entry("a/link", b"../../etc", mode=LINK) + entry("b", b"1") + TRAILER
    assert opened(data).problems == {"": ["member-name-hostile"]}


@pytest.mark.parametrize(
    "data",
    [
        cpio_of(FILES)[:-200],
        cpio_of(FILES).replace(b"070701", b"07x701", 3)[:6].replace(b"x", b"0")
        + cpio_of(FILES)[6:].replace(b"070701", b"07x701"),
        cpio_of(FILES) + cpio_of({"hidden.dll": b"MZ"}),
        entry("a", b"1").replace(b"00000001", b"0000000g") + TRAILER,
    ],
)
def test_a_damaged_archive_is_a_gap(data: bytes) -> None:
    assert opened(data).gaps[""]


@pytest.mark.skipif(shutil.which("bsdtar") is None, reason="bsdtar is not installed")
@pytest.mark.parametrize("compressor", PAYLOADS)
def test_bsdtar_sees_the_same(compressor: str, tmp_path: Path) -> None:
    path = tmp_path / "a.rpm"
    path.write_bytes(rpm(FILES, compressor=compressor))
    done = subprocess.run(["bsdtar", "-tf", str(path)], check=True, capture_output=True, text=True)
    assert {line.removeprefix("./") for line in done.stdout.split()} - {"folder"} == set(FILES)
