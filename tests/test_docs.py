"""What the documents show: every example is run or validated by a test, and a new one that no test knows fails here."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from csv_gate.cli.completion import actions_of
from csv_gate.cli.console import Console
from csv_gate.cli.main import VERBS
from csv_gate.config import load_config
from csv_gate.waivers import waivers_from
from tests.builders.examples import ROOT, Example, examples, inline_commands

NOT_RUN = {
    ("README.md", "$ python3 -m venv .venv"): "installs from a package index; another test holds it against the locks",
    ("README.md", "$ .venv/bin/python -m pytest -n auto"): "is this run; another test holds it against CI",
    ("docs/contributing.md", "python3 -m venv .venv && "): "installs from a package index, then is this run",
    ("docs/contributing.md", 'lock="uv pip compile'): "asks a package index for the newest versions",
    (
        "docs/containers.md",
        "error[CSV201]: out/setup.deb!/",
    ): "is no command: the head of a finding, to show how members are named",
}
"""(page, how the block begins) -> why it is not run. Commands among them are parsed."""
EXAMPLES = list(examples())


def not_run(example: Example) -> str | None:
    return next(
        (why for (page, start), why in NOT_RUN.items() if page == example.page and example.body.startswith(start)), None
    )


def _is_configuration(document: object) -> bool:
    return isinstance(document, dict) and bool({"owners", "notify", "waivers", "requirements", "targets"} & set(document))


def _lint(path: Path, *command: str) -> None:
    beside = Path(sys.executable).parent / command[0]
    found = str(beside) if beside.exists() else shutil.which(command[0])
    if found is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run([found, *command[1:], str(path)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _configuration(body: str, document: Any, folder: Path) -> None:
    if isinstance(document.get("waivers"), list):
        assert list(waivers_from(body.encode(), "waivers.yaml"))
        return
    path = folder / "csv-gate.yaml"
    path.write_text(body if "version" in document else "version: 1\n" + body, encoding="utf-8")
    assert load_config(path).config.version == 1


def _github(body: str, document: Any, folder: Path) -> None:
    """Steps, or the inside of a job, put into a workflow."""
    inner = f"steps:\n{body}" if isinstance(document, list) else body
    path = folder / "workflow.yml"
    indented = "".join(f"    {line}\n" for line in inner.splitlines())
    path.write_text(f"on: push\njobs:\n  gate:\n    runs-on: ubuntu-latest\n{indented}", encoding="utf-8")
    inputs = set(yaml.safe_load((ROOT / "ci/github/action.yml").read_text("utf-8"))["inputs"])
    for step in document if isinstance(document, list) else document["steps"]:
        assert set(step.get("with", ())) <= inputs
    _lint(path, "actionlint", "-no-color")


def _azure(body: str, document: Any, folder: Path) -> None:
    template = yaml.safe_load((ROOT / "ci/azure/csv-gate.yml").read_text("utf-8"))
    known = {one["name"] for one in template["parameters"]}
    used = [step for step in document["steps"] if step.get("template") == "ci/azure/csv-gate.yml@csv-gate"]
    assert used
    assert all(set(step["parameters"]) <= known for step in used)
    path = folder / "azure.yml"
    path.write_text(body.replace(": true", ': "true"'), encoding="utf-8")  # the schema sees parameters as text
    _lint(path, "check-jsonschema", "--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines")


def _gitlab(body: str, document: Any, folder: Path) -> None:
    ours = yaml.safe_load((ROOT / "ci/gitlab/csv-gate.gitlab-ci.yml").read_text("utf-8"))
    for name, job in document.items():
        if name != "include":
            assert set(job["variables"]) <= set(ours[name]["variables"])
    assert all((ROOT / one["file"]).is_file() for one in document["include"])
    path = folder / "gitlab.yml"
    path.write_text(body, encoding="utf-8")
    _lint(path, "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")


def _pre_commit(body: str, document: Any, folder: Path) -> None:
    del body, folder
    ours = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    for repo in document["repos"]:
        assert set(repo) == {"repo", "rev", "hooks"}
        assert {hook["id"] for hook in repo["hooks"]} <= ours


Validation = Callable[[str, Any, Path], None]


def validation(example: Example) -> Validation | None:
    """What a YAML block is held against."""
    document = yaml.safe_load(example.body)
    if _is_configuration(document):
        return _configuration
    if isinstance(document, list) or "strategy" in document:
        return _github
    kinds: dict[str, Validation] = {"resources": _azure, "include": _gitlab, "repos": _pre_commit}
    return next((check for key, check in kinds.items() if key in document), None)


YAML = [one for one in EXAMPLES if one.kind in ("yaml", "yml")]
COMMANDS = [*((one.page, line) for one in EXAMPLES for line in one.commands), *inline_commands()]
BY_OTHER_TESTS: dict[str, Callable[[Example], bool]] = {
    "tests/test_documents.py": lambda one: one.is_marked and one.kind in ("console", "python"),
    "tests/test_api.py": lambda one: one.page == "docs/api.md" and one.kind == "python",
    "tests/test_readme.py": lambda one: one.page == "README.md" and one.body.startswith("$ .venv/bin/python -m csv_gate "),
    "tests/cli/test_requirements.py": lambda one: one.page == "docs/requirements.md" and one.kind == "console",
    "tests/test_docs_commands.py": lambda one: bool(one.commands) or one.kind == "toml",
}
"""Which test runs which blocks."""


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_example_is_run_validated_or_listed_with_the_reason_why_not(example: Example) -> None:
    ways = [name for name, takes in BY_OTHER_TESTS.items() if takes(example)]
    if example.kind in ("yaml", "yml") and validation(example):
        ways.append("validated")
    if not_run(example):
        ways.append("not run")
    assert len(ways) == 1, example.body


def test_nothing_is_listed_that_is_not_there() -> None:
    for page, start in NOT_RUN:
        assert any(one.page == page and one.body.startswith(start) for one in EXAMPLES), start


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("example", [one for one in EXAMPLES if not_run(one)], ids=str)
def test_a_command_that_is_not_run_is_parsed(example: Example) -> None:
    if example.body.startswith("error["):
        return
    script = re.sub(r"^\$ ", "", example.body, flags=re.MULTILINE)
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_of_the_documents_has_the_options_that_are_written(page: str, line: str) -> None:
    program, *rest = shlex.split(line)
    if program == "pytest":
        return
    verb, *rest = rest
    assert verb in VERBS, page
    console = Console(out=io.StringIO(), err=io.StringIO(), environment={})
    known = {name for action in actions_of(verb, console) for name in action.option_strings}
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known, page


@pytest.mark.parametrize("example", YAML, ids=str)
def test_yaml_of_the_documents_is_what_its_reader_takes(example: Example, tmp_path: Path) -> None:
    check = validation(example)
    assert check is not None
    check(example.body, yaml.safe_load(example.body), tmp_path)


def test_the_documents_show_commands_and_configurations() -> None:
    assert len(COMMANDS) > 40
    assert len(YAML) >= 8
