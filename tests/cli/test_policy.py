"""`csv-gate policy`: every command does its work, ends with its exit code, and says what went wrong."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from csv_gate.cli.policy import COMMANDS
from csv_gate.policies import load_policy, read_policy, write_binary
from tests.builders.policy import BASE_ID, element, policy_xml, scenario_xml, signer_xml
from tests.builders.signed_policy import SUBJECT, signed_policy
from tests.cli.conftest import Command

UNSIGNED = "Enabled:Unsigned System Integrity Policy"
RULE = element("Allow", ID="ID_ALLOW_A", FileName="app.exe")


def written(folder: Path, name: str = "policy.xml", **properties: object) -> Path:
    keywords = {
        "options": ["Enabled:UMCI", UNSIGNED],
        "file_rules": [RULE],
        "signers": [signer_xml()],
        "scenarios": [scenario_xml(allowed=["ID_SIGNER_S_1"], rules=["ID_ALLOW_A"])],
    } | properties
    (folder / name).write_bytes(policy_xml(**keywords))  # type: ignore[arg-type]
    return folder / name


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(gate: Command, command: str) -> None:
    outcome = gate("policy", command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: csv-gate policy {command}")
    assert f"\n  {command} " in gate("policy", "--help").out


def test_an_unknown_command_is_a_usage_error_that_names_the_known_ones(gate: Command) -> None:
    outcome = gate("policy", "lnt", "x.xml")
    assert outcome.code == 2
    assert ", ".join(COMMANDS) in outcome.err


@pytest.mark.parametrize("command", ["show", "lint", "hash"])
def test_what_is_no_policy_ends_with_code_2(gate: Command, tmp_path: Path, command: str) -> None:
    (tmp_path / "x.xml").write_text("<Policy/>")
    assert gate("policy", command, tmp_path / "x.xml").code == 2
    assert gate("policy", command, tmp_path / "missing.xml").code == 2


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_sums_up_text_and_json(gate: Command, policy: Path) -> None:
    assert BASE_ID in gate("policy", "show", policy).out
    (row,) = json.loads(gate("policy", "show", policy, "--json").out)["policies"]
    assert (row["kind"], row["version"], row["counts"]["signers"]) == ("base", "10.0.0.0", 1)


# --- lint -------------------------------------------------------------------------------------------------------------


def test_lint_of_a_policy_without_errors_ends_with_0(gate: Command, policy: Path) -> None:
    outcome = gate("policy", "lint", policy)
    assert outcome.code == 0
    assert "note[CSV601]" in outcome.out
    assert "1 policy: 0 errors" in outcome.err


def test_lint_ends_with_1_for_an_error_and_names_its_line(gate: Command, tmp_path: Path) -> None:
    path = written(tmp_path, file_rules=[element("Allow", ID="ID_ALLOW_A", FileName="C:\\app.exe")])
    outcome = gate("policy", "lint", path)
    assert outcome.code == 1
    assert "error[CSV651]: FileName 'C:\\app.exe' of ID_ALLOW_A looks like a place on disk" in outcome.out
    assert f"  --> {path}:9:1\n" in outcome.out


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_fail_on_chooses_the_level_that_fails(gate: Command, policy: Path, level: str, code: int) -> None:
    assert gate("policy", "lint", policy, "--fail-on", level).code == code


def test_ignored_checks_are_left_out(gate: Command, policy: Path) -> None:
    outcome = gate("policy", "lint", policy, "--ignore", "CSV601", "--ignore", "scenario-missing", "--fail-on", "note")
    assert outcome.code == 0
    assert outcome.out == ""
    assert gate("policy", "lint", policy, "--ignore", "CSV999").code == 2


def test_quiet_shows_errors_only(gate: Command, policy: Path) -> None:
    assert gate("policy", "lint", "-q", policy).out == ""


def test_a_version_that_was_not_raised_is_found_against_the_old_policy(gate: Command, tmp_path: Path) -> None:
    old = written(tmp_path, "old.xml")
    same = written(tmp_path, "same.xml", file_rules=[RULE, RULE.replace("_A", "_B")])
    raised = written(tmp_path, "raised.xml", version="10.0.0.1")
    assert "CSV605" in gate("policy", "lint", same, "--against", old).out
    assert "CSV605" not in gate("policy", "lint", raised, "--against", old).out


def test_lint_as_json_and_sarif(gate: Command, policy: Path, tmp_path: Path) -> None:
    report = tmp_path / "lint.sarif"
    outcome = gate("policy", "lint", policy, "-o", "json", "-o", f"sarif={report}")
    found = json.loads(outcome.out)
    assert found["summary"] == {"error": 0, "warning": 1, "note": 1}
    assert {finding["check"] for finding in found["findings"]} == {"CSV601", "CSV621"}
    (run,) = json.loads(report.read_text())["runs"]
    assert {result["ruleId"] for result in run["results"]} == {"CSV601", "CSV621"}
    assert all(rule["help"]["text"] for rule in run["tool"]["driver"]["rules"])


def test_lint_as_junit_has_a_test_for_each_policy_and_fails_where_an_error_is(
    gate: Command, policy: Path, tmp_path: Path
) -> None:
    clean = ElementTree.fromstring(gate("policy", "lint", policy, "-o", "junit").out)
    (case,) = clean.iter("testcase")
    assert (case.get("name"), case.find("failure")) == (str(policy), None)
    assert "note CSV601" in (case.findtext("system-out") or "")
    wrong = written(tmp_path, "wrong.xml", version="10.0.0.0", file_rules=[RULE, RULE.replace("_A", "_B")])
    old = written(tmp_path, "old.xml")
    root = ElementTree.fromstring(gate("policy", "lint", wrong, "--against", old, "-o", "junit").out)
    failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert (root.get("tests"), root.get("failures"), failed) == ("1", "1", [str(wrong)])


def test_lint_as_annotations_of_github_stands_on_the_lines_of_the_policy(gate: Command, policy: Path) -> None:
    said = gate("policy", "lint", policy, "-o", "github").out.splitlines()
    assert any(line.startswith("::warning ") and f"file={policy}" in line and "CSV621" in line for line in said)


def test_many_findings_of_one_check_are_cut_short_unless_more_is_asked_for(gate: Command, tmp_path: Path) -> None:
    dead = [element("Allow", ID=f"ID_ALLOW_{number}", FileName=f"{number}.exe") for number in range(9)]
    path = written(tmp_path, file_rules=[RULE, *dead])
    assert gate("policy", "lint", path).out.count("warning[CSV631]") == 5
    assert "CSV631: 4 more in" in gate("policy", "lint", path).out
    assert gate("policy", "lint", "-v", path).out.count("warning[CSV631]") == 9


# --- diff -------------------------------------------------------------------------------------------------------------


def test_diff_is_silent_and_ends_with_0_for_equal_policies(gate: Command, policy: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.bin").write_bytes(write_binary(load_policy(policy)))
    outcome = gate("policy", "diff", policy, tmp_path / "policy.bin")
    assert (outcome.code, outcome.out) == (0, "")


def test_diff_ends_with_1_and_says_what_becomes_allowed(gate: Command, policy: Path, tmp_path: Path) -> None:
    other = written(tmp_path, "other.xml", file_rules=[RULE.replace("app.exe", "tool.exe")])
    outcome = gate("policy", "diff", policy, other)
    assert outcome.code == 1
    assert "becomes allowed (1)\n  + user mode (12): original file name 'tool.exe'" in outcome.out
    assert "no longer allowed (1)\n  - user mode (12): original file name 'app.exe'" in outcome.out
    row = json.loads(gate("policy", "diff", "--json", policy, other).out)
    assert row["differs"] is True
    assert row["becomes_allowed"] == [{"scenario": 12, "group": "product", "what": "original file name 'tool.exe'"}]


# --- convert ----------------------------------------------------------------------------------------------------------


def test_convert_compiles_and_decompiles_by_extension(gate: Command, policy: Path, tmp_path: Path) -> None:
    compiled, again, once_more = (tmp_path / name for name in ("x.cip", "x.xml", "y.cip"))
    assert gate("policy", "convert", policy, compiled).code == 0
    assert compiled.read_bytes() == write_binary(load_policy(policy))
    assert gate("policy", "convert", compiled, again).code == 0
    assert gate("policy", "convert", again, once_more).code == 0
    assert once_more.read_bytes() == compiled.read_bytes()


def test_in_a_folder_a_compiled_policy_gets_the_name_that_windows_wants(gate: Command, policy: Path, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    assert gate("policy", "convert", policy, tmp_path / "deploy", "--to", "binary").code == 0
    assert [path.name for path in (tmp_path / "deploy").iterdir()] == [f"{BASE_ID}.cip"]


def test_an_output_that_does_not_say_its_form_needs_to_be_told(gate: Command, policy: Path, tmp_path: Path) -> None:
    outcome = gate("policy", "convert", policy, tmp_path / "SiPolicy.p7b")
    assert outcome.code == 2
    assert "--to xml or --to binary" in outcome.err
    assert not (tmp_path / "SiPolicy.p7b").exists()


def test_what_cannot_be_expressed_is_refused_and_the_old_file_stays(gate: Command, tmp_path: Path) -> None:
    path = written(tmp_path, options=["Allowed:Debug Policy Augmented"])
    settings = element("AppSettings", element("App", element("Setting", element("Value", "1"), Name="n"), Manifest="m.xml"))
    path.write_bytes(policy_xml(extra=settings))
    old = tmp_path / "x.cip"
    old.write_bytes(b"old")
    outcome = gate("policy", "convert", path, old)
    assert outcome.code == 2
    assert "app settings can't be compiled" in outcome.err
    assert old.read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["policy.xml", "x.cip"]


def test_a_place_that_cannot_be_written_is_a_usage_error(gate: Command, policy: Path, tmp_path: Path) -> None:
    assert gate("policy", "convert", policy, tmp_path / "missing" / "x.cip").code == 2


def test_converting_a_signed_policy_says_that_its_signature_is_left_off(gate: Command, policy: Path, tmp_path: Path) -> None:
    (tmp_path / "signed.p7b").write_bytes(signed_policy(write_binary(load_policy(policy))))
    outcome = gate("policy", "convert", tmp_path / "signed.p7b", tmp_path / "raw.bin")
    assert outcome.code == 0
    assert "the signature was left off" in outcome.err
    assert (tmp_path / "raw.bin").read_bytes() == write_binary(load_policy(policy))


# --- hash -------------------------------------------------------------------------------------------------------------


def test_hash_of_an_unsigned_policy_is_that_of_its_bytes(gate: Command, policy: Path) -> None:
    outcome = gate("policy", "hash", policy)
    assert outcome.out == f"{hashlib.sha256(policy.read_bytes()).hexdigest()}  {policy}\n"


def test_hash_of_a_signed_policy_tells_both_digests_and_the_signer(gate: Command, policy: Path, tmp_path: Path) -> None:
    content = write_binary(read_policy(policy.read_bytes(), path="p"))
    signed = tmp_path / "signed.p7b"
    signed.write_bytes(signed_policy(content, wrapped=True))
    (row,) = map(json.loads, gate("policy", "hash", "--json", signed).out.splitlines())
    assert row["sha256"] == hashlib.sha256(signed.read_bytes()).hexdigest()
    assert row["content_sha256"] == hashlib.sha256(content).hexdigest()
    assert row["signature"]["valid"] is True
    assert SUBJECT in gate("policy", "hash", signed).out


def test_hash_says_that_a_signature_is_broken(gate: Command, policy: Path, tmp_path: Path) -> None:
    signed = tmp_path / "signed.p7b"
    signed.write_bytes(signed_policy(write_binary(load_policy(policy)), break_signature=True))
    assert "NOT VALID" in gate("policy", "hash", signed).out
    assert "CSV608" in gate("policy", "lint", signed).out


def test_the_page_on_policies_names_every_command_and_option_of_the_lint(gate: Command) -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert all(f"`policy {command} " in page for command in COMMANDS)
    assert all(option in page for option in ("--against", "--ignore", "--fail-on", "--format-version", "--json", "--to"))
