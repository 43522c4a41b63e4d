"""The container image cannot be built everywhere; what its recipe promises can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) in order, lines joined and comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines()]


def final_stage() -> list[tuple[str, str]]:
    steps = instructions()
    last = max(index for index, (word, _) in enumerate(steps) if word == "FROM")
    return steps[last:]


def test_the_tool_runs_as_a_numbered_user_who_is_not_root() -> None:
    assert [rest for word, rest in final_stage() if word == "USER"] == ["65532:65532"]


def test_the_entry_point_is_the_tool_itself_without_a_shell() -> None:
    assert [rest for word, rest in final_stage() if word == "ENTRYPOINT"] == ['["csv-gate"]']


def test_the_final_stage_installs_nothing() -> None:
    assert "RUN" not in {word for word, _ in final_stage()}


def test_every_package_comes_from_a_lock_or_from_the_build() -> None:
    commands = [command for word, rest in instructions() if word == "RUN" for command in rest.split("&&")]
    installs = [command for command in commands if re.search(r"pip install", command)]

    assert installs
    for command in installs:
        assert "--require-hashes" in command or "--no-index" in command, command


def test_everything_that_is_copied_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    copied = [
        source for word, rest in instructions() if word == "COPY" and "--from" not in rest for source in rest.split()[:-1]
    ]

    assert copied
    for source in copied:
        assert source in sent, source
        assert (ROOT / source).exists(), source


def test_the_linter_for_such_files_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("needs hadolint")

    run = subprocess.run([linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.stdout + run.stderr == ""
    assert run.returncode == 0
