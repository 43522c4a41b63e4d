import io
import json
import sys
from pathlib import Path

import pytest

from csv_gate.cli.main import VERBS
from csv_gate.model.checks import CHECKS
from tests.builders.tree import AUDIT, policy_for, tree
from tests.cli.conftest import BAD, GOOD, Build, Command


def test_help_names_every_verb(gate: Command) -> None:
    outcome = gate("--help")
    assert outcome.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in outcome.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(gate: Command, verb: str) -> None:
    outcome = gate(verb, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: csv-gate {verb}")
    assert gate("help", verb).out == outcome.out


def test_no_arguments_show_the_help_and_are_a_usage_error(gate: Command) -> None:
    assert gate().code == 2
    assert gate().out == gate("--help").out


def test_a_misspelt_verb_is_answered_with_the_one_that_was_meant(gate: Command) -> None:
    outcome = gate("chekc")
    assert outcome.code == 2
    assert "did you mean `csv-gate check`?" in outcome.err


def test_a_path_without_a_verb_is_answered_with_the_command_that_checks_it(gate: Command, build: Build) -> None:
    assert f"csv-gate check {build.output}" in gate(build.output).err


def test_a_verb_option_is_never_guessed_from_its_beginning(gate: Command, build: Build) -> None:
    assert gate("check", build.output, "--pol", build.policy).code == 2


def test_explain_without_a_subject_lists_every_check(gate: Command) -> None:
    outcome = gate("explain")
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(CHECKS)


@pytest.mark.parametrize("name", ["CSV101", "csv101", "digest-mismatch"])
def test_explain_shows_the_page_of_a_check(gate: Command, name: str) -> None:
    outcome = gate("explain", name)
    assert outcome.code == 0
    assert outcome.out.startswith("CSV101 digest-mismatch")
    assert "How to mend" in outcome.out


def test_explain_of_an_unknown_check_is_a_usage_error(gate: Command) -> None:
    assert gate("explain", "CSV999").code == 2


def test_explain_shows_the_steps_of_an_allowed_file_too(gate: Command, build: Build) -> None:
    outcome = gate("explain", build.output / "good.dll", "--no-config", "--policy", build.policy)
    assert outcome.code == 0
    assert "ID_ALLOW_A_0" in outcome.out
    assert "how it was decided" in outcome.out


def test_inspect_needs_no_policy(gate: Command, build: Build) -> None:
    outcome = gate("inspect", build.output / "good.dll")
    assert outcome.code == 0
    assert "sha256, Authenticode" in outcome.out
    row = json.loads(gate("inspect", "--json", build.output / "good.dll").out)
    assert row["format"] == "pe"


def test_a_saved_result_renders_to_the_same_bytes(gate: Command, build: Build) -> None:
    saved = build.root / "r.json"
    first = gate(*build.with_denied().check(), "-o", f"json={saved}", "-o", f"jsonl={build.root}/a.jsonl")
    again = gate("report", saved, "-o", f"json={build.root}/b.json", "-o", f"jsonl={build.root}/b.jsonl")
    assert (first.code, again.code) == (1, 0)
    assert again.out == first.out
    assert (build.root / "b.json").read_bytes() == saved.read_bytes()
    assert (build.root / "b.jsonl").read_bytes() == (build.root / "a.jsonl").read_bytes()
    assert gate("report", saved, "--exit-code").code == 1


def test_a_result_comes_from_stdin_too(gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    written = gate(*build.check(), "-o", "json").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(written.encode())))
    assert gate("report", "-", "-o", "json").out == written


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"schema_version":"9"}', b"\xff"], ids=str)
def test_a_result_that_is_none_is_a_usage_error(gate: Command, tmp_path: Path, data: bytes) -> None:
    tree(tmp_path, {"r.json": data})
    outcome = gate("report", tmp_path / "r.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "r.json" in outcome.err


def test_config_schema_prints_the_committed_schema(gate: Command) -> None:
    assert json.loads(gate("config", "schema").out)["title"] == "csv-gate.yaml"


def test_config_show_tells_who_said_so(gate: Command, tmp_path: Path) -> None:
    tree(tmp_path, {"csv-gate.yaml": b"version: 1\nfail_on: warning\n"})
    env = {"CSV_GATE_JOBS": "2"}
    rows = json.loads(gate("config", "show", "--json", "--config", tmp_path / "csv-gate.yaml", env=env).out)["settings"]
    said = {row["key"]: (row["value"], row["origin"]) for row in rows}
    assert said["fail_on"] == ("warning", f"{tmp_path}/csv-gate.yaml:2:10")
    assert said["jobs"][0] == 2
    assert "CSV_GATE_JOBS" in said["jobs"][1]
    assert said["exclude"] == ([], "default")


CONFIG = b"""\
version: 1
inputs: [build]
targets:
  prod:
    policies: [policy.xml]
    paths: ["build/good.dll"]
  drivers:
    policies: [other.xml]
    mode: enforce
owners:
  - paths: [build/]
    name: "@contoso/agent"
"""


def configured(build: Build) -> Build:
    tree(build.root, {"csv-gate.yaml": CONFIG, "other.xml": policy_for(GOOD, options=AUDIT)})
    return build.with_denied()


def test_a_configuration_gives_inputs_targets_routes_modes_and_owners(
    gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured(build).root)
    outcome = gate("check", "-o", "json")
    result = json.loads(outcome.out)
    assert outcome.code == 1
    assert [(t["name"], t["mode"]) for t in result["targets"]] == [("drivers", "enforce"), ("prod", "enforce")]
    assert {a["path"]: [(v["target"], v["decision"]) for v in a["verdicts"]] for a in result["artifacts"]} == {
        "build/bad.dll": [("drivers", "denied")],
        "build/good.dll": [("drivers", "allowed"), ("prod", "allowed")],
    }
    assert result["artifacts"][0]["owner"]["name"] == "@contoso/agent"
    assert result["run"]["config_sha256"] is not None


def test_one_target_can_be_chosen_and_judged_by_another_policy(
    gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured(build).root)
    assert gate("check", "--target", "prod").code == 0
    assert gate("check", "--target", "prod", env={"CSV_GATE_POLICY": "other.xml"}).code == 0
    assert gate("check", env={"CSV_GATE_TARGET": "drivers"}).code == 1
    tree(build.root, {"deny.xml": policy_for(denied=[GOOD])})
    assert gate("check", "--target", "prod", "--policy", "deny.xml").code == 1


def test_an_unknown_target_is_a_usage_error_that_names_the_known(
    gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured(build).root)
    outcome = gate("check", "--target", "production")
    assert outcome.code == 2
    assert "drivers, prod" in outcome.err


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_file(
    gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configured(build).root)
    assert gate("check", env={"CSV_GATE_EXCLUDE": "bad.dll"}).code == 0
    assert gate("check", "--exclude", "good.dll", env={"CSV_GATE_EXCLUDE": "bad.dll"}).code == 1
    assert gate("check", "--fail-on", "never").code == 0


def test_kernel_and_user_override_what_the_header_says(gate: Command, build: Build) -> None:
    build.policy.write_bytes(policy_for(BAD, scenarios=("131",)))
    tree(build.output, {"good.dll": BAD})
    assert gate(*build.check(), "--kernel", "-o", "jsonl").code != gate(*build.check(), "--user", "-o", "jsonl").code


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", ""])
def test_a_wrong_instant_is_a_usage_error(gate: Command, build: Build, when: str) -> None:
    assert gate("check", build.output, "--policy", build.policy, "--evaluated-at", when).code == 2


def test_the_instant_of_a_run_is_what_was_asked_for_in_utc(gate: Command, build: Build) -> None:
    written = gate(
        "check", build.output, "--policy", build.policy, "--evaluated-at", "2026-01-02T03:04:05+02:00", "-o", "json"
    ).out
    assert json.loads(written)["run"]["evaluated_at"] == "2026-01-02T01:04:05Z"
