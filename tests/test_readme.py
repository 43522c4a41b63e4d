"""What the README shows is what the tool does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from csv_gate.errors import ExitCode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = ".venv/bin/python"


def shown() -> list[tuple[str, str]]:
    """(command, output below it) of every console block, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    pieces = [piece for block in blocks for piece in re.split(r"^\$ ", block, flags=re.MULTILINE) if piece]
    return [(command, output) for command, _, output in (piece.partition("\n") for piece in pieces)]


RUNS_OF_THE_TOOL = [(command, output) for command, output in shown() if command.startswith(f"{PYTHON} -m csv_gate")]


def without_digests(text: str) -> str:
    """Digests change whenever the samples are rebuilt."""
    text = re.sub(r"(?<=_)[0-9A-F]{16}\b|\b[0-9A-F]{64}\b", "DIGEST", text)  # as policies write them, and ids made of them
    return re.sub(r"\b[0-9a-f]{8}(?:…[0-9a-f]{4}|[0-9a-f]{32,56})\b", "DIGEST", text)


def pattern(output: str) -> re.Pattern[str]:
    """Matches the output as shown; a line that is only `…` stands for any number of lines."""
    lines = without_digests(output).splitlines(keepends=True)
    return re.compile("".join(r"(?:.*\n)*?" if line == "…\n" else re.escape(line) for line in lines))


def run(command: str) -> str:
    arguments = [sys.executable if word == PYTHON else word for word in shlex.split(command)]
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8")


def test_a_red_run_is_shown() -> None:
    assert any("error[CSV" in output for _, output in RUNS_OF_THE_TOOL)


@pytest.mark.parametrize(("command", "output"), RUNS_OF_THE_TOOL, ids=lambda text: text[:60])
def test_each_run_prints_what_is_shown(command: str, output: str) -> None:
    printed = run(command)

    assert pattern(output).fullmatch(without_digests(printed)), printed


def test_the_command_for_the_tests_is_the_one_that_ci_calls() -> None:
    tests = [command for command, _ in shown() if "pytest" in command]
    called = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()

    assert len(tests) == 1
    assert tests[0] in called


def test_setting_up_takes_two_commands_and_a_lock() -> None:
    set_up = [command for command, _ in shown() if "venv .venv" in command or "pip install" in command]
    lock = next(word for command in set_up for word in command.split() if word.endswith(".lock"))

    assert len(set_up) == 2
    assert "--require-hashes" in set_up[1]
    assert (ROOT / lock).is_file()


def test_every_exit_code_is_explained() -> None:
    explained = {int(number) for number in re.findall(r"^\| (\d) \| ", README, re.MULTILINE)}

    assert explained == {int(code) for code in ExitCode}


def test_the_first_page_stays_short() -> None:
    assert len(README.splitlines()) <= 130
