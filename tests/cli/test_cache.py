"""What is kept between runs is the user's to see, to choose and to forget."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Build, Command


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"CSV_GATE_CACHE_DIR": str(tmp_path / "kept")}


def test_a_check_keeps_facts_that_stats_counts_and_clean_forgets(gate: Command, build: Build, env: dict[str, str]) -> None:
    assert ": 0 files' facts" in gate("cache", "stats", env=env).out
    assert gate(*build.check(), env=env).code == 0
    assert ": 1 files' facts" in gate("cache", "stats", env=env).out
    assert gate("cache", "clean", env=env).code == 0
    assert ": 0 files' facts" in gate("cache", "stats", env=env).out


@pytest.mark.parametrize("how", [("--no-cache",), ()])
def test_nothing_is_kept_where_that_is_asked_for(
    gate: Command, build: Build, env: dict[str, str], how: tuple[str, ...]
) -> None:
    variables = env if how else {**env, "CSV_GATE_CACHE": "off"}
    assert gate(*build.check(), *how, env=variables).code == 0
    assert not Path(env["CSV_GATE_CACHE_DIR"]).exists()


def test_a_wrong_word_in_the_variable_is_told(gate: Command, build: Build, env: dict[str, str]) -> None:
    outcome = gate(*build.check(), env={**env, "CSV_GATE_CACHE": "always"})
    assert outcome.code == 2
    assert "CSV_GATE_CACHE" in outcome.err


def test_a_store_that_cannot_be_read_is_told_and_can_be_cleaned(gate: Command, env: dict[str, str]) -> None:
    folder = Path(env["CSV_GATE_CACHE_DIR"])
    folder.mkdir(mode=0o700)
    (folder / "facts.sqlite").write_bytes(b"no database at all" * 99)
    assert gate("cache", "stats", env=env).code != 0
    assert gate("cache", "clean", env=env).code == 0
    assert gate("cache", "stats", env=env).code == 0


def test_without_any_folder_the_verb_says_so_and_a_check_goes_on(gate: Command, build: Build) -> None:
    assert gate("cache", "stats", env={}).code == 2
    assert gate(*build.check(), env={}).code == 0
