import json
from pathlib import Path

import pytest

from tests.builders.containers import zip_of
from tests.builders.tree import tree
from tests.cli.conftest import BAD, GOOD, Build, Command


@pytest.fixture
def packed(build: Build) -> Build:
    tree(build.output, {"app.zip": zip_of({"lib/bad.dll": BAD, "readme": b"words"})})
    return build


def test_a_denied_member_fails_the_build_under_its_own_path(gate: Command, packed: Build) -> None:
    outcome = gate(*packed.check())
    assert outcome.code == 1
    assert "app.zip!/lib/bad.dll" in outcome.out


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_containers_are_left_closed_on_request_and_that_is_told(gate: Command, packed: Build, by: str) -> None:
    arguments = (*packed.check(), *(["--no-containers"] if by == "flag" else []))
    outcome = gate(*arguments, "-o", "json", env={"CSV_GATE_CONTAINERS": "false"} if by == "variable" else {})
    assert outcome.code == 0
    assert [finding["check"] for finding in json.loads(outcome.out)["findings"]] == ["CSV904"]


def test_the_configuration_can_leave_them_closed_too(gate: Command, packed: Build, tmp_path: Path) -> None:
    config = tmp_path / "csv-gate.yaml"
    config.write_text("version: 1\ncontainers: false\n", "utf-8")
    arguments = [argument for argument in packed.check() if argument != "--no-config"]
    assert gate(*arguments, "--config", config).code == 0


def test_explaining_a_container_explains_its_members(gate: Command, packed: Build) -> None:
    outcome = gate("explain", packed.output / "app.zip", "--no-config", "--policy", packed.policy)
    assert "app.zip!/lib/bad.dll" in outcome.out


def test_inspecting_a_container_shows_it_and_its_members(gate: Command, packed: Build) -> None:
    outcome = gate("inspect", packed.output / "app.zip")
    heads = [line for line in outcome.out.splitlines() if line.startswith("--> ")]
    assert [head.partition("app.zip")[2].split(" ")[0] for head in heads] == ["", "!/lib/bad.dll", "!/readme"]
    assert outcome.code == 0


def test_the_facts_of_a_member_are_those_of_the_loose_file(gate: Command, build: Build) -> None:
    tree(build.output, {"app.zip": zip_of({"good.dll": GOOD})})
    rows = [json.loads(line) for line in gate("inspect", build.output, "--json").out.splitlines()]
    facts = {
        row["path"][-8:]: [r["facts"] for r in rows if r["path"].endswith("good.dll")] for row in rows if row["format"] == "pe"
    }
    loose, inside = facts["good.dll"]
    assert loose == inside


def test_inspecting_a_broken_container_ends_with_4(gate: Command, build: Build) -> None:
    tree(build.output, {"app.zip": zip_of({"good.dll": GOOD})[:-30]})
    outcome = gate("inspect", build.output / "app.zip")
    assert outcome.code == 4
    assert "unknown members" in outcome.out
