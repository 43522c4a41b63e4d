from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from csv_gate.errors import ConfigErrors, UsageError
from csv_gate.waivers import NO_WAIVERS, read_waivers, read_waivers_at, waivers_from

ENTRY = "  - {id: W-1, reason: why, owner: me, expires: 2027-01-01, match: {paths: dist/a.dll}}\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 1\nwaivers:\n  - {id: W-1, owner: me, expires: 2027-01-01, match: {paths: a}}", 3, "'reason' is missing"),
        ("version: 1\nwaivers:\n  - {id: W-1, reason: '', owner: me, expires: 2027-01-01, match: {paths: a}}", 3, "not empty"),
        (
            "version: 1\nwaivers:\n  - {id: W-1, reason: ' ', owner: me, expires: 2027-01-01, match: {paths: a}}",
            3,
            "reason and an owner",
        ),
        ("version: 1\nwaivers:\n  - {id: W-1, reason: x, owner: me, expires: soon, match: {paths: a}}", 3, "a date"),
        ("version: 1\nwaivers:\n  - {id: W-1, reason: x, owner: me, expires: 2027-02-30, match: {paths: a}}", 3, "a date"),
        ("version: 1\nwaivers:\n  - {id: W-1, reason: x, owner: me, expires: 2027-01-01, match: {}}", 3, "match everything"),
        (
            "version: 1\nwaivers:\n  - {id: W-1, reason: x, owner: me, expires: 2027-01-01, match: {checks: CSV999}}",
            3,
            "no such check",
        ),
        (
            "version: 1\nwaivers:\n  - {id: W-1, reason: x, owner: me, expires: 2027-01-01, match: {sha256: abcd}}",
            3,
            "64 hex digits",
        ),
        ("version: 1\nwaivers:\n" + ENTRY + ENTRY, 4, "here twice"),
        ("version: 2\nwaivers: []", 1, "from 1 to 1"),
        ("version: 1\nwaiver: []", 2, "not known"),
        ("- a", 1, "a mapping"),
        ("version: 1\nwaivers: [", 2, "not YAML"),
    ],
)
def test_a_faulty_waiver_file_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        waivers_from(text.encode(), "waivers.yaml")
    assert words in str(caught.value)
    place = caught.value.errors[0].place
    assert place is not None
    assert place.line == line


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="can't be read"):
        read_waivers(tmp_path / "none.yaml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "waivers.yaml").write_text("version: 1\nwaivers:\n" + ENTRY)
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "waivers")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_waivers_of_a_ref_are_those_that_were_committed_there(repository: Path) -> None:
    path = repository / "gate" / "waivers.yaml"
    path.write_text("version: 1\nwaivers: []\n")
    found = read_waivers_at("main", path)
    assert [waiver.id for waiver in found] == ["W-1"]
    assert str(found.waivers[0].place) == "main:waivers.yaml:3:5"
    assert read_waivers(path).waivers == ()


def test_a_file_that_the_ref_does_not_have_excuses_nothing(repository: Path) -> None:
    assert read_waivers_at("main", repository / "gate" / "other.yaml") == NO_WAIVERS


@pytest.mark.parametrize("ref", ["nowhere", "", "-h", "--output=x", "main:gate", "a\0b", "a\nb"])
def test_what_is_no_ref_is_a_usage_error(repository: Path, ref: str) -> None:
    with pytest.raises(UsageError):
        read_waivers_at(ref, repository / "gate" / "waivers.yaml")


def test_a_ref_outside_of_a_repository_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_waivers_at("main", tmp_path / "waivers.yaml")
