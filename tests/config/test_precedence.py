from __future__ import annotations

from pathlib import Path

import pytest

from csv_gate.config import FailOn, effective_settings, load_config
from csv_gate.errors import ConfigErrors

FILE = """\
version: 1
fail_on: note
jobs: 2
exclude: [a]
targets: {prod: {policies: p.xml, mode: enforce}}
notify: {slack: {webhook: {env: HOOK}}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "csv-gate.yaml").write_text(FILE)
    return tmp_path / "csv-gate.yaml"


def test_flag_beats_variable_beats_file_beats_default(path: Path) -> None:
    environment = {"CSV_GATE_FAIL_ON": "warning", "CSV_GATE_JOBS": "3", "PATH": "x"}
    loaded = load_config(path, environment=environment, flags={"fail_on": "error"})
    settings = {entry.key: (entry.value, entry.origin_text) for entry in effective_settings(loaded)}
    assert settings["fail_on"] == ("error", "--fail-on")
    assert settings["jobs"] == (3, "environment variable CSV_GATE_JOBS")
    assert settings["exclude"] == (["a"], f"{path}:4:10")
    assert settings["docs_url"] == (None, "default")
    assert settings["targets.prod.mode"] == ("enforce", f"{path}:5:41")
    assert settings["targets.prod.engine"] == ("appcontrol", "default")
    assert settings["notify.slack.webhook"] == ({"env": "HOOK"}, f"{path}:6:27")
    assert loaded.config.fail_on is FailOn.ERROR


def test_lists_in_variables_are_separated_by_commas_or_lines(path: Path) -> None:
    config = load_config(path, environment={"CSV_GATE_EXCLUDE": "*.pdb, obj/\n*.xml", "CSV_GATE_ROOTS": "certs/a.pem"}).config
    assert [str(glob) for glob in config.exclude] == ["*.pdb", "obj/", "*.xml"]
    assert config.roots == (Path("certs/a.pem"),)


def test_a_flag_given_several_times_is_a_list_and_keeps_its_commas(path: Path) -> None:
    config = load_config(path, flags={"exclude": ["a,b", "c"]}).config
    assert [str(glob) for glob in config.exclude] == ["a,b", "c"]


def test_an_empty_variable_says_nothing(path: Path) -> None:
    assert load_config(path, environment={"CSV_GATE_JOBS": ""}).config.jobs == 2


def test_a_wrong_variable_or_flag_is_named(path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_config(path, environment={"CSV_GATE_JOBS": "many"}, flags={"fail_on": "x"})
    assert [str(error).partition(" (")[0] for error in caught.value.errors] == [
        "--fail-on: wrong value",
        "environment variable CSV_GATE_JOBS: wrong value",
    ]


def test_a_misspelt_variable_is_not_passed_over(path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_config(path, environment={"CSV_GATE_FAILON": "note"})
    assert caught.value.errors[0].help == "did you mean CSV_GATE_FAIL_ON?"


@pytest.mark.parametrize("name", ["CSV_GATE_CONFIG", "CSV_GATE_CORPUS", "CSV_GATE_COLOR", "CSV_GATE_CACHE_DIR"])
def test_variables_that_mean_something_else_are_left_alone(path: Path, name: str) -> None:
    load_config(path, environment={name: "x"})


def test_settings_come_in_the_same_order_every_time(path: Path) -> None:
    assert effective_settings(load_config(path)) == effective_settings(load_config(path))
