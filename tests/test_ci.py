"""What CI systems are given under `ci/`: linted where the tools are installed, and the scripts run as a runner would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.tree import code, policy_for, tree

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "ci/github/action.yml"
WORKFLOW = ROOT / "ci/github/example-workflow.yml"
AZURE = ROOT / "ci/azure/csv-gate.yml"
GITLAB = ROOT / "ci/gitlab/csv-gate.gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
SCRIPTS = sorted((ROOT / "ci/github").glob("*.sh"))

needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="needs bash")


def tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def passes(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_zizmor_finds_nothing_in_the_action_and_the_workflow() -> None:
    passes(tool("zizmor"), "--offline", "--no-progress", "--persona", "pedantic", ACTION, WORKFLOW)


def test_actionlint_finds_nothing_in_the_workflow() -> None:
    passes(tool("actionlint"), "-no-color", WORKFLOW)


@pytest.mark.parametrize(
    ("schema", "path", "options"),
    [
        ("github-actions", ACTION, ()),
        ("github-workflows", WORKFLOW, ()),
        ("gitlab-ci", GITLAB, ("--data-transform", "gitlab-ci")),
    ],
    ids=["action", "workflow", "gitlab"],
)
def test_the_file_is_what_its_schema_wants(schema: str, path: Path, options: tuple[str, ...]) -> None:
    passes(tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *options, path)


def test_the_azure_template_is_what_its_schema_wants(tmp_path: Path) -> None:
    # The schema sees every default as text, as the service reads it.
    text = AZURE.read_text(encoding="utf-8").replace("default: false", 'default: "false"')
    tree(tmp_path, {"t.yml": text.encode()})
    options = ("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines")
    passes(tool("check-jsonschema"), *options, tmp_path / "t.yml")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    assert os.access(script, os.X_OK)
    passes(tool("shellcheck"), script)


def steps(path: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return list(document["runs"]["steps"] if "runs" in document else document["jobs"]["build"]["steps"])


@pytest.mark.parametrize("path", [ACTION, WORKFLOW], ids=["action", "workflow"])
def test_no_expression_is_put_into_a_script(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_no_expression_is_put_into_the_script_of_the_azure_template() -> None:
    scripts = re.findall(r"- bash: (?:\|\n((?: {6}.*\n|\n)+)|(.*)\n)", AZURE.read_text(encoding="utf-8"))
    assert len(scripts) == 2
    assert not [script for pair in scripts for script in pair if "${{" in script]


def test_other_peoples_actions_are_pinned_by_commit() -> None:
    used = [step["uses"] for path in (ACTION, WORKFLOW) for step in steps(path) if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


def test_every_input_of_the_action_reaches_the_script_through_the_environment() -> None:
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    wanted = {"INPUT_" + name.upper().replace("-", "_"): f"${{{{ inputs.{name} }}}}" for name in document["inputs"]}
    assert steps(ACTION)[1]["env"] == wanted


def test_pre_commit_hooks_run_before_a_push_without_file_names() -> None:
    hooks = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert {hook["id"] for hook in hooks} == {"csv-gate", "csv-gate-system"}
    for hook in hooks:
        assert hook["entry"] == "csv-gate hook run"
        assert "pre-push" in hook["stages"]
        assert hook["pass_filenames"] is False


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a good and a bad file, and a Python where the action's installation would have put it."""
    good = code("good")
    tree(tmp_path, {"dist/good.dll": good, "dist/bad.dll": code("bad"), "my policy.xml": policy_for(good)})
    inside = tmp_path / "runner/csv-gate/bin/python"
    inside.parent.mkdir(parents=True)
    inside.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    inside.chmod(0o755)
    return tmp_path


def run_action(workspace: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    defaults = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(workspace / "runner"),
        "GITHUB_OUTPUT": str(workspace / "output"),
        "GITHUB_STEP_SUMMARY": str(workspace / "summary"),
        "GITHUB_ACTIONS": "true",
        **{"INPUT_" + name.upper().replace("-", "_"): about["default"] for name, about in defaults.items()},
        **{f"INPUT_{name}": value for name, value in inputs.items()},
    }
    done = subprocess.run(
        ["bash", str(ROOT / "ci/github/check.sh")], cwd=workspace, env=environment, capture_output=True, text=True, timeout=120
    )
    written = (workspace / "output").read_text() if (workspace / "output").exists() else ""
    outputs = dict(line.split("=", 1) for line in written.splitlines())
    return done.returncode, done.stdout + done.stderr, outputs


@needs_bash
def test_the_action_fails_the_step_and_still_writes_reports_summary_and_outputs(workspace: Path) -> None:
    exit_code, said, outputs = run_action(workspace, PATHS="dist\n\n", POLICIES="my policy.xml\n")
    assert exit_code == 1, said
    assert outputs["exit-code"] == "1"
    assert json.loads((workspace / outputs["result"]).read_text())["summary"]["denied"] == 1
    assert json.loads((workspace / outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert (workspace / outputs["junit"]).exists()
    assert "1 of 2 artifacts would be blocked" in (workspace / "summary").read_text()
    assert "::error " in said


@needs_bash
def test_the_action_is_green_where_everything_is_allowed(workspace: Path) -> None:
    (workspace / "dist/bad.dll").unlink()
    assert run_action(workspace, PATHS="dist", POLICIES="my policy.xml")[0] == 0


@needs_bash
def test_inputs_are_words_and_never_commands_or_options(workspace: Path) -> None:
    hostile = "$(touch owned) `touch owned`\n--help\n; touch owned"
    exit_code, _, _ = run_action(workspace, PATHS=hostile, POLICIES="my policy.xml")
    assert exit_code == 2
    assert not (workspace / "owned").exists()


@needs_bash
@pytest.mark.parametrize("reports", ["", "/etc", "../up", "a\nresult=x"])
def test_reports_stay_below_the_workspace(workspace: Path, reports: str) -> None:
    exit_code, said, outputs = run_action(workspace, PATHS="dist", POLICIES="my policy.xml", REPORTS=reports)
    assert (exit_code, outputs) == (2, {})
    assert "::error title=csv-gate::" in said


@needs_bash
def test_the_azure_step_takes_its_lists_as_json_and_fails_with_the_gates_code(workspace: Path) -> None:
    template = yaml.safe_load(AZURE.read_text(encoding="utf-8"))
    script = next(step["bash"] for step in template["steps"] if step.get("displayName") == "Judge what was built")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PATHS": json.dumps(["dist"]),
        "POLICIES": json.dumps(["my policy.xml"]),
        "TARGETS": "[]",
        "CONFIG": "",
        "WAIVERS_FROM": "",
        "FAIL_ON": "error",
        "NOTIFY": "False",
        "REPORTS": str(workspace / "reports"),
    }
    done = subprocess.run(["bash", "-c", script], cwd=workspace, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"##vso[task.uploadsummary]{workspace}/reports/summary.md" in done.stdout
    assert (workspace / "reports/TEST-csv-gate.xml").exists()
