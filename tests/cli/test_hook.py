"""The hook before a push: installed without harm, quick where nothing changed, and never green by forgetting."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.builders.containers import zip_of
from tests.builders.tree import code, policy_for, tree
from tests.cli.conftest import BAD, GOOD, Build, Command

pytestmark = pytest.mark.skipif(os.name == "nt", reason="hooks are shell scripts")
CONFIG = b"version: 1\ninputs: [build]\ntargets: {prod: {policies: [policy.xml]}}\n"


def git(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, check=False)


@pytest.fixture
def repository(build: Build, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    tree(build.root, {"csv-gate.yaml": CONFIG})
    monkeypatch.chdir(build.root)
    git("init", "-q", "-b", "main")
    return build.root


def test_the_hook_is_installed_once_and_can_be_removed(gate: Command, repository: Path) -> None:
    hook = repository / ".git/hooks/pre-push"
    assert gate("hook", "install").code == 0
    assert gate("hook", "install").code == 0
    assert os.access(hook, os.X_OK)
    assert gate("hook", "remove").code == 0
    assert not hook.exists()
    assert "no pre-push hook" in gate("hook", "remove").err


def test_a_hook_of_somebody_else_is_left_alone(gate: Command, repository: Path) -> None:
    hook = repository / ".git/hooks/pre-push"
    tree(hook.parent, {"pre-push": b"#!/bin/sh\nmake test\n"})
    for verb in ("install", "remove"):
        outcome = gate("hook", verb)
        assert outcome.code == 2
        assert "pre-push" in outcome.err
    assert hook.read_bytes() == b"#!/bin/sh\nmake test\n"


def test_the_hook_goes_where_the_repository_keeps_its_hooks(gate: Command, repository: Path) -> None:
    git("config", "core.hooksPath", ".githooks")
    outcome = gate("hook", "install")
    assert (repository / ".githooks/pre-push").exists()
    assert "all that use it" not in outcome.err


def test_a_folder_of_hooks_that_others_share_is_named_as_such(
    gate: Command, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git("config", "core.hooksPath", str(tmp_path_factory.mktemp("hooks")))
    assert "all that use it" in gate("hook", "install").err


def test_outside_a_repository_there_is_no_hook(gate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    outcome = gate("hook", "install")
    assert outcome.code == 2
    assert "no repository" in outcome.err


@pytest.mark.usefixtures("repository")
def test_the_second_run_over_the_same_green_files_judges_nothing(gate: Command) -> None:
    first, second = gate("hook", "run"), gate("hook", "run")
    assert (first.code, second.code) == (0, 0)
    assert "1 artifact" in first.err
    assert "nothing changed since it was last green" in second.err


def test_only_what_changed_is_judged_again(gate: Command, repository: Path) -> None:
    tree(repository, {"policy.xml": policy_for(GOOD, code("new")), "build/readme.txt": b"hello"})
    gate("hook", "run")
    tree(repository, {"build/new.dll": code("new")})
    outcome = gate("hook", "run")
    assert outcome.code == 0
    assert "1 artifact" in outcome.err
    tree(repository, {"build/readme.txt": b"hello again"})
    assert "none of 1 changed files" in gate("hook", "run").err


def test_patterns_that_meet_nothing_among_the_changed_files_turn_nothing_red(gate: Command, repository: Path) -> None:
    config = CONFIG + b"fail_on: warning\nexclude: [build/old/]\ninclude: [build/]\n"
    tree(repository, {"csv-gate.yaml": config, "build/old/bad.dll": BAD, "policy.xml": policy_for(GOOD, code("new"))})
    assert gate("hook", "run").code == 0
    tree(repository, {"build/new.dll": code("new"), "build/old/worse.dll": code("worse")})
    assert gate("hook", "run").code == 0


def test_red_stops_the_push_and_stays_red_until_it_is_mended(gate: Command, repository: Path) -> None:
    gate("hook", "run")
    tree(repository, {"build/bad.dll": BAD})
    assert [gate("hook", "run").code for _ in range(2)] == [1, 1]
    (repository / "build/bad.dll").unlink()
    assert gate("hook", "run").code == 0


def test_another_policy_has_everything_judged_again(gate: Command, repository: Path) -> None:
    gate("hook", "run")
    tree(repository, {"policy.xml": policy_for(denied=[GOOD])})
    assert gate("hook", "run").code == 1


def test_another_waiver_file_has_everything_judged_again(gate: Command, repository: Path) -> None:
    waiver = b"version: 1\nwaivers: [{id: W, reason: r, owner: o, expires: 2999-01-01, match: {paths: [build/bad.dll]}}]\n"
    tree(repository, {"csv-gate.yaml": CONFIG + b"waivers: w.yaml\n", "w.yaml": waiver, "build/bad.dll": BAD})
    assert gate("hook", "run").code == 0
    tree(repository, {"w.yaml": b"version: 1\n"})
    assert gate("hook", "run").code == 1


def test_a_broken_memory_is_forgotten(gate: Command, repository: Path) -> None:
    gate("hook", "run")
    kept = repository / ".git/csv-gate-green.json"
    for text in (b"", b"[]", b'{"version":1}', b'{"version":1,"context":"","files":[],"catalogs":3}'):
        kept.write_bytes(text)
        assert "1 artifact" in gate("hook", "run").err


def test_without_a_build_output_the_push_goes_on(gate: Command, repository: Path) -> None:
    (repository / "build/good.dll").unlink()
    (repository / "build").rmdir()
    outcome = gate("hook", "run")
    assert outcome.code == 0
    assert "no build output here" in outcome.err


def test_a_push_runs_the_hook(gate: Command, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    remote = tmp_path_factory.mktemp("remote")
    git("init", "-q", "--bare", cwd=remote)
    gate("hook", "install")
    git("add", "policy.xml")
    git("commit", "-qm", "one")
    tree(repository, {"build/bad.dll": BAD})
    stopped = git("push", str(remote), "main")
    assert stopped.returncode != 0
    assert "CSV201" in stopped.stdout + stopped.stderr
    (repository / "build/bad.dll").unlink()
    assert git("push", str(remote), "main").returncode == 0


def test_a_container_that_changed_has_everything_judged_again(gate: Command, repository: Path) -> None:
    """It may hold a catalog, and patterns that meet its members."""
    tree(repository, {"build/a.zip": zip_of({"a.dll": GOOD})})
    assert gate("hook", "run").code == 0
    tree(repository, {"build/a.zip": zip_of({"a.dll": BAD})})
    outcome = gate("hook", "run")
    assert outcome.code == 1, outcome.err
    assert "a.zip!/a.dll" in outcome.out + outcome.err


def test_members_that_a_pattern_takes_out_stay_out_when_other_files_change(gate: Command, repository: Path) -> None:
    config = CONFIG + b'exclude: ["**/old/**"]\n'
    packed = zip_of({"a.dll": GOOD, "old/bad.dll": BAD})
    tree(repository, {"csv-gate.yaml": config, "build/a.zip": packed, "policy.xml": policy_for(GOOD, code("new"))})
    assert gate("hook", "run").code == 0
    tree(repository, {"build/new.dll": code("new")})
    assert gate("hook", "run").code == 0
