"""Which files lie beside which."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.scan import Entry, walk
from csv_gate.scan.side_files import SideNames
from tests.builders.tree import tree


def listed(*inputs: Path, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> dict[str, Entry]:
    found = walk(inputs, include=GlobSet.of(include), exclude=GlobSet.of(exclude), limits=DEFAULT_LIMITS)
    return {Path(entry.path).name: entry for entry in found.entries}


def beside(entry: Entry) -> list[str]:
    return [Path(side.path).name for side in entry.beside]


def test_a_file_has_the_side_files_that_are_named_after_it(tmp_path: Path) -> None:
    tree(tmp_path, dict.fromkeys(("a.exe", "a.exe.p7s", "a.exe.SIG", "a.exe.sigstore.json", "b.exe", "c.exe.asc"), b""))
    found = listed(tmp_path)
    assert beside(found["a.exe"]) == ["a.exe.SIG", "a.exe.p7s", "a.exe.sigstore.json"]
    assert found["b.exe"].beside == ()
    assert [name for name, entry in found.items() if entry.is_alone] == ["c.exe.asc"]


def test_patterns_do_not_take_signatures_away(tmp_path: Path) -> None:
    tree(tmp_path, {"a.exe": b"", "a.exe.p7s": b"", "a.exe.asc": b""})
    found = listed(tmp_path, include=("**/*.exe",), exclude=("**/*.asc",))
    assert [name for name, entry in found.items() if entry.is_included] == ["a.exe"]
    assert beside(found["a.exe"]) == ["a.exe.asc", "a.exe.p7s"]


def test_a_file_that_is_given_by_name_has_its_side_files_too(tmp_path: Path) -> None:
    tree(tmp_path, {"a.exe": b"", "a.exe.p7s": b"", "b.sig": b""})
    found = listed(tmp_path / "a.exe", tmp_path / "b.sig")
    assert beside(found["a.exe"]) == ["a.exe.p7s"]
    assert found["b.sig"].is_alone


def test_links_lead_to_signatures_inside_the_tree_alone(tmp_path: Path) -> None:
    tree(tmp_path, {"in/a.exe": b"", "in/store/a": b"", "out/a": b""})
    (tmp_path / "in/a.exe.sig").symlink_to(tmp_path / "in/store/a")
    (tmp_path / "in/a.exe.asc").symlink_to(tmp_path / "out/a")
    assert beside(listed(tmp_path / "in")["a.exe"]) == ["a.exe.sig"]


def test_a_folder_signs_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"a.exe": b"", "a.exe.bundle/x": b""})
    assert listed(tmp_path)["a.exe"].beside == ()


def test_a_folder_without_side_files_costs_no_further_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {f"{n}.exe": b"" for n in range(20)})
    asked: list[str] = []
    lstat = os.lstat

    def counted(path: str) -> os.stat_result:
        asked.append(path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", counted)
    assert len(listed(tmp_path)) == 20
    assert [path for path in asked if path.endswith(".exe")] == []
    (tmp_path / "0.exe.sig").touch()
    listed(tmp_path)
    assert [path for path in asked if ".exe" in path] == [f"{tmp_path}/0.exe.sig"]


def test_endings_alone_and_repeated_endings_name_no_file() -> None:
    sides = SideNames.among([".sig", "a", "a.sig", "a.sig.asc"])
    assert sides.beside("a") == ("a.sig",)
    assert sides.beside("a.sig") == ("a.sig.asc",)
    assert sides.is_alone(".sig")
