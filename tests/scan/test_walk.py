import gc
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from csv_gate.errors import UsageError
from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.verdict import Level
from csv_gate.scan import Walk, unused_patterns
from csv_gate.scan import walk as scan
from csv_gate.scan.walk import MAX_FINDINGS_PER_CHECK
from tests.builders.tree import tree


def walk(*inputs: Path | str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), base: Path | None = None) -> Walk:
    return scan(inputs, include=GlobSet.of(include), exclude=GlobSet.of(exclude), base=base, limits=DEFAULT_LIMITS)


def names(found: Walk, root: Path) -> list[str]:
    return [entry.path.removeprefix(f"{root}/") for entry in found.entries]


def checks(found: Walk) -> list[str]:
    return [finding.check for finding in found.findings]


def test_files_come_sorted_by_whole_path(tmp_path: Path) -> None:
    tree(tmp_path, {"a/z": b"", "a.txt": b"", "b": b"", "a-b/c": b""})
    assert names(walk(tmp_path), tmp_path) == ["a-b/c", "a.txt", "a/z", "b"]


def test_a_relative_input_keeps_its_relative_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"build/x": b""})
    monkeypatch.chdir(tmp_path)
    assert [entry.path for entry in walk("./build/").entries] == ["build/x"]
    assert [entry.path for entry in walk(".").entries] == ["build/x"]


def test_a_folder_inside_another_input_is_not_listed_twice(tmp_path: Path) -> None:
    tree(tmp_path, {"a/x": b"", "y": b""})
    assert names(walk(tmp_path / "a", tmp_path, tmp_path), tmp_path) == ["a/x", "y"]


def test_a_missing_input_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        walk(tmp_path / "nowhere")
    assert caught.value.place is not None
    assert caught.value.place.path == str(tmp_path / "nowhere")


def test_a_pipe_given_by_name_is_a_usage_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError) as caught:
        walk(tmp_path / "pipe")
    assert caught.value.got == "a named pipe"


def test_excluded_files_are_counted_also_below_excluded_folders(tmp_path: Path) -> None:
    tree(tmp_path, {"keep": b"", "vendor/a": b"", "vendor/deep/b": b"", "x.pdb": b""})
    found = walk(tmp_path, exclude=("vendor/", "*.pdb"))
    assert names(found, tmp_path) == ["keep"]
    assert found.excluded == 3
    assert checks(found) == []


def test_an_exclude_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    tree(tmp_path, {"keep": b""})
    found = walk(tmp_path, exclude=("vendr/",))
    (finding,) = unused_patterns(found.unused, GlobSet())
    assert (finding.check, finding.level) == ("CSV901", Level.WARNING)
    assert "'vendr/'" in finding.message


def test_an_exclude_that_another_exclude_already_covers_still_matches(tmp_path: Path) -> None:
    tree(tmp_path, {"vendor/a.dll": b"", "b": b""})
    assert walk(tmp_path, exclude=("vendor/", "*.dll")).unused == ()


def test_what_is_not_included_is_left_and_an_idle_include_is_told(tmp_path: Path) -> None:
    tree(tmp_path, {"bin/a.dll": b"", "bin/b.txt": b""})
    found = walk(tmp_path, include=("bin/*.dll", "bin/*.sys"))
    assert names(found, tmp_path) == ["bin/a.dll"]
    assert found.not_included == 1
    assert [glob.pattern for glob in found.unused] == ["bin/*.sys"]


def test_what_is_not_included_is_listed_where_an_include_may_mean_something_in_it(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": b"", "a.zip": b""})
    assert [(entry.scope, entry.is_included) for entry in walk(tmp_path, include=("*.dll",)).entries] == [
        ("a.dll", True),
        ("a.zip", False),
    ]


def test_a_file_given_by_name_is_checked_whatever_the_patterns_say(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": b""})
    assert names(walk(tmp_path / "a.dll", exclude=("*.dll",)), tmp_path) == ["a.dll"]


def test_patterns_are_relative_to_the_base_and_outside_of_it_to_the_input(tmp_path: Path) -> None:
    tree(tmp_path, {"out/bin/a": b"", "out/lib/b": b""})
    assert names(walk(tmp_path / "out", exclude=("out/bin/",), base=tmp_path), tmp_path) == ["out/lib/b"]
    assert names(walk(tmp_path / "out", exclude=("bin/**",), base=tmp_path / "elsewhere"), tmp_path) == ["out/lib/b"]


def test_a_link_to_a_file_in_the_tree_is_judged_under_its_own_name(tmp_path: Path) -> None:
    tree(tmp_path, {"lib/real.dll": b"12345"})
    (tmp_path / "link.dll").symlink_to("lib/real.dll")
    found = walk(tmp_path)
    assert names(found, tmp_path) == ["lib/real.dll", "link.dll"]
    assert found.entries[1].size == 5
    assert checks(found) == []


def test_a_link_out_of_the_tree_is_not_followed_and_is_a_warning(tmp_path: Path) -> None:
    tree(tmp_path, {"tree/a": b"", "secret": b"x"})
    (tmp_path / "tree/link").symlink_to("../secret")
    found = walk(tmp_path / "tree")
    assert names(found, tmp_path / "tree") == ["a"]
    assert [(f.check, f.level) for f in found.findings] == [("CSV903", Level.WARNING)]
    assert found.skipped == 1


def test_a_tree_whose_name_begins_alike_is_still_outside(tmp_path: Path) -> None:
    tree(tmp_path, {"tree/a": b"", "tree-2/b": b""})
    (tmp_path / "tree/link").symlink_to("../tree-2/b")
    assert checks(walk(tmp_path / "tree")) == ["CSV903"]


@pytest.mark.parametrize("target", ["loop", "nowhere", ".", ".."])
def test_links_to_folders_to_nowhere_and_to_themselves_end(tmp_path: Path, target: str) -> None:
    tree(tmp_path, {"tree/a": b""})
    (tmp_path / "tree/loop").symlink_to(target)
    found = walk(tmp_path / "tree")
    assert names(found, tmp_path / "tree") == ["a"]
    assert checks(found) == ["CSV903"]


def test_special_files_are_skipped_with_a_note(tmp_path: Path) -> None:
    tree(tmp_path, {"a": b""})
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(Path(os.path.relpath(tmp_path / "s"))))
        found = walk(tmp_path)
    assert names(found, tmp_path) == ["a"]
    assert [(f.check, f.level) for f in found.findings] == [("CSV902", Level.NOTE), ("CSV902", Level.NOTE)]
    assert found.skipped == 2


def test_many_skipped_files_are_summed_up(tmp_path: Path) -> None:
    for number in range(MAX_FINDINGS_PER_CHECK + 3):
        (tmp_path / f"l{number:03}").symlink_to("nowhere")
    found = walk(tmp_path)
    assert len(found.findings) == MAX_FINDINGS_PER_CHECK + 1
    assert "3 more" in found.findings[-1].message


def failing_on(name: str) -> Callable[[str], object]:
    real = os.scandir

    def scandir(path: str) -> object:
        if os.fspath(path).endswith(name):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    return scandir


def test_an_unreadable_folder_is_an_entry_with_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a": b"", "locked/b": b""})
    monkeypatch.setattr(os, "scandir", failing_on("locked"))
    found = walk(tmp_path)
    assert names(found, tmp_path) == ["a", "locked/"]
    assert found.entries[1].gap is not None
    assert "Permission denied" in found.entries[1].gap


def test_an_unreadable_folder_that_is_excluded_is_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a": b"", "locked/b": b""})
    monkeypatch.setattr(os, "scandir", failing_on("locked"))
    assert names(walk(tmp_path, exclude=("locked/",)), tmp_path) == ["a"]


def test_an_unreadable_folder_that_no_include_reaches_may_still_hold_what_is_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"a.dll": b"", "locked/b.dll": b""})
    monkeypatch.setattr(os, "scandir", failing_on("locked"))
    assert names(walk(tmp_path, include=("*.dll",)), tmp_path) == ["a.dll", "locked/"]


def test_an_unreadable_input_folder_is_an_entry_with_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "scandir", failing_on("locked"))
    assert names(walk(tmp_path / "locked"), tmp_path) == ["locked/"]


def test_folders_deeper_than_the_limit_are_a_gap_and_not_silence(tmp_path: Path) -> None:
    tree(tmp_path, {"1/2/3/4/deep": b"", "a": b""})
    found = scan([tmp_path], limits=Limits(max_walk_depth=2))
    assert names(found, tmp_path) == ["1/2/3/", "a"]
    assert found.entries[0].gap is not None
    assert "max_walk_depth" in found.entries[0].gap


def test_a_name_that_is_no_utf8_keeps_its_bytes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/bad\xff.dll"
    Path(os.fsdecode(raw)).touch()
    (entry,) = walk(tmp_path).entries
    assert os.fsencode(entry.path) == raw


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_collected_after_a_walk_as_it_was_before(tmp_path: Path, collects: bool) -> None:
    (tmp_path / "a").touch()
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        walk(tmp_path)
        assert gc.isenabled() is collects
        with pytest.raises(UsageError):
            walk(tmp_path, tmp_path / "nowhere")
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()
