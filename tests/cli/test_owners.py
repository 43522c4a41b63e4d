from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.tree import tree
from tests.cli.conftest import Build, Command

CONFIG = b"""\
version: 1
owners:
  - {paths: [build/agent/], name: "@contoso/agent", contact: "#agent"}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tree(tmp_path, {"csv-gate.yaml": CONFIG, "CODEOWNERS": b"*.sys @contoso/drivers\n", ".git/HEAD": b"ref: refs/heads/main\n"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("repository")
def test_the_source_that_decides_is_marked_and_the_others_say_what_they_know(gate: Command) -> None:
    outcome = gate("owners", "build/agent/helper.dll")
    assert outcome.code == 0
    first, *steps = outcome.out.splitlines()
    assert first == "build/agent/helper.dll: @contoso/agent (#agent)"
    assert [line[2:].split()[:2] for line in steps if line.startswith("  >")] == [[">", "config"]]
    assert any("no line of CODEOWNERS matches" in line for line in steps)


@pytest.mark.usefixtures("repository")
def test_a_member_of_a_container_belongs_to_whom_the_container_belongs_to(gate: Command) -> None:
    assert "@contoso/agent" in gate("owners", "build/agent/setup.msi!/app.dll").out


@pytest.mark.usefixtures("repository")
def test_what_nobody_owns_ends_with_an_exit_code(gate: Command) -> None:
    outcome = gate("owners", "build/other.dll", "build/x.sys")
    assert outcome.code == 1
    assert "build/other.dll: nobody" in outcome.out
    assert "build/x.sys: @contoso/drivers" in outcome.out


def test_paths_are_seen_from_where_the_configuration_stands(
    gate: Command, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(repository, {"build/agent/a.dll": b"MZ"})
    monkeypatch.chdir(repository / "build")
    assert gate("owners", "agent/a.dll").code == 0
    assert gate("owners", repository / "build/agent/a.dll").code == 0


@pytest.mark.usefixtures("repository")
def test_owners_speak_to_scripts_in_json(gate: Command) -> None:
    row = json.loads(gate("owners", "--json", "build/agent/a.dll").out)
    assert row["owner"]["contact"] == "#agent"
    assert [step["source"] for step in row["steps"] if step["decides"]] == ["config"]


@pytest.mark.usefixtures("repository")
def test_a_hostile_path_stays_on_its_line(gate: Command) -> None:
    outcome = gate("owners", "build/agent/a\n::error::x")
    assert "\n::" not in outcome.out


def checks_of_bad(gate: Command, build: Build, owners: str) -> list[str]:
    tree(
        build.with_denied().root,
        {"csv-gate.yaml": f"version: 1\ntargets: {{prod: {{policies: [policy.xml]}}}}\n{owners}".encode()},
    )
    out = gate("check", "--config", build.root / "csv-gate.yaml", build.output, "-o", "json").out
    return [finding["check"] for finding in json.loads(out)["artifacts"][0]["findings"]]


def test_a_denied_artifact_that_nobody_answers_for_is_noted_where_others_have_owners(gate: Command, build: Build) -> None:
    assert checks_of_bad(gate, build, "owners: [{paths: [elsewhere/], name: me}]\n") == ["CSV201", "CSV921"]
    assert checks_of_bad(gate, build, "default_owner: me\n") == ["CSV201"]
    assert checks_of_bad(gate, build, "") == ["CSV201"]
