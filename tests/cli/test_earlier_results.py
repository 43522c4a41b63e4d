"""Waivers by flags, stubs, baseline and changes, through the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.builders.tree import code, tree
from tests.cli.conftest import Build, Command

WAIVER = b"""\
version: 1
waivers:
  - {id: W-1, reason: known, owner: me, expires: 2027-01-31, match: {paths: [bad.dll], checks: [CSV201]}}
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_waiver_file_can_be_named_on_the_command_line(gate: Command, build: Build) -> None:
    tree(build.root, {"w.yaml": WAIVER})
    command = (*build.with_denied().check(), "--waivers", build.root / "w.yaml")
    assert gate(*command).code == 0
    assert gate(*build.check()).code == 1


def test_waivers_of_a_ref_count_and_those_of_the_working_tree_do_not(gate: Command, build: Build) -> None:
    tree(build.with_denied().root, {"w.yaml": b"version: 1\n"})
    git(build.root, "init", "-q", "-b", "main")
    git(build.root, "add", "w.yaml")
    git(build.root, "commit", "-qm", "none")
    (build.root / "w.yaml").write_bytes(WAIVER)
    command = (*build.check(), "--waivers", build.root / "w.yaml")
    assert gate(*command).code == 0
    assert gate(*command, "--waivers-from", "main").code == 1
    assert gate(*command, env={"CSV_GATE_WAIVERS_FROM": "main"}).code == 1
    assert gate(*command, "--waivers-from", "no-such").code == 2


def test_a_ref_without_a_waiver_file_is_a_usage_error(gate: Command, build: Build) -> None:
    outcome = gate(*build.check(), "--waivers-from", "main")
    assert outcome.code == 2
    assert "no waiver file is named" in outcome.err


def test_stubs_are_written_that_excuse_what_fails_once_somebody_gives_a_reason(gate: Command, build: Build) -> None:
    stubs = build.root / "stubs.yaml"
    assert gate(*build.with_denied().check(), "--write-waivers", stubs).code == 1
    text = stubs.read_text()
    assert "expires: 2026-12-24" in text
    assert gate(*build.check(), "--waivers", stubs).code == 2
    stubs.write_text(text.replace('reason: ""', "reason: known").replace('owner: ""', "owner: me"))
    assert gate(*build.check(), "--waivers", stubs).code == 0


def test_stubs_never_overwrite_the_waivers_in_use(gate: Command, build: Build) -> None:
    tree(build.root, {"w.yaml": WAIVER})
    outcome = gate(*build.check(), "--waivers", build.root / "w.yaml", "--write-waivers", build.root / "w.yaml")
    assert outcome.code == 2
    assert (build.root / "w.yaml").read_bytes() == WAIVER


def test_stubs_need_a_file_of_their_own(gate: Command, build: Build) -> None:
    report = build.root / "r.json"
    assert gate(*build.check(), "--write-waivers", "-").code == 2
    assert gate(*build.check(), "-o", f"json={report}", "--write-waivers", report).code == 2


def test_a_baseline_hides_what_was_known_and_keeps_the_exit_code_and_the_json_whole(gate: Command, build: Build) -> None:
    saved = build.root / "known.json"
    gate(*build.with_denied().check(), "-o", f"json={saved}")
    tree(build.output, {"worse.dll": code("worse")})
    again = build.root / "again.json"
    outcome = gate(*build.check(), "--baseline", saved, "-o", f"json={again}")
    assert outcome.code == 1
    assert "worse.dll" in outcome.out
    assert "bad.dll" not in outcome.out
    assert [row["path"].rsplit("/", 1)[1] for row in json.loads(again.read_text())["artifacts"]] == [
        "bad.dll",
        "good.dll",
        "worse.dll",
    ]


def test_a_baseline_never_hides_what_is_undecided(gate: Command, build: Build) -> None:
    tree(build.output, {"cut.dll": code("cut")[:80]})
    saved = build.root / "known.json"
    first = gate(*build.check(), "-o", f"json={saved}")
    outcome = gate(*build.check(), "--baseline", saved)
    assert first.code in (1, 4)
    assert "cut.dll" in outcome.out


def test_what_turned_red_green_or_away_is_told(gate: Command, build: Build) -> None:
    saved = build.root / "last.json"
    tree(build.with_denied().output, {"old.dll": code("old")})
    gate(*build.check(), "-o", f"json={saved}")
    tree(build.output, {"bad.dll": code("good"), "fresh.dll": code("fresh")})
    (build.output / "old.dll").unlink()
    outcome = gate(*build.check(), "--diff", saved)
    told = outcome.err
    assert "newly red: 1" in told
    assert "fresh.dll: new, denied on policy" in told
    assert "green again: 1" in told
    assert "bad.dll: was denied on policy, is allowed" in told
    assert "gone: 1" in told


def test_nothing_changed_is_told_too(gate: Command, build: Build) -> None:
    saved = build.root / "last.json"
    gate(*build.check(), "-o", f"json={saved}")
    assert "nothing turned red, green or away" in gate(*build.check(), "--diff", saved, "-o", f"json={saved}").err


@pytest.mark.parametrize("flag", ["--baseline", "--diff"])
def test_an_earlier_result_that_cannot_be_read_ends_the_run_before_it_starts(gate: Command, build: Build, flag: str) -> None:
    outcome = gate(*build.check(), flag, build.root / "none.json")
    assert (outcome.code, outcome.out) == (2, "")
