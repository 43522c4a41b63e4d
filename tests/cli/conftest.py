"""Running the command line: in this process with streams of its own, or as a real process."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from csv_gate.cli.main import run
from tests.builders.tree import code, policy_for, tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def gate() -> Command:
    """Run a command line in this process."""

    def call(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        code = run([str(argument) for argument in arguments], out, err, env or {})
        return Outcome(code=int(code), out=out.getvalue(), err=err.getvalue())

    return call


@pytest.fixture
def process() -> Command:
    """Run a command line as a process, as a CI system does."""

    def call(*arguments: str | Path) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "csv_gate", *map(str, arguments)], capture_output=True, text=True, timeout=120
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    return call


GOOD, BAD = code("good"), code("bad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build output with one allowed file, and policies beside it."""

    root: Path

    @property
    def output(self) -> Path:
        return self.root / "build"

    @property
    def policy(self) -> Path:
        return self.root / "policy.xml"

    def check(self) -> tuple[str | Path, ...]:
        return ("check", self.output, "--no-config", "--policy", self.policy, "--evaluated-at", "2026-11-24T12:00:00Z")

    def with_denied(self) -> Build:
        tree(self.output, {"bad.dll": BAD})
        return self


@pytest.fixture
def build(tmp_path: Path) -> Build:
    tree(tmp_path, {"build/good.dll": GOOD, "policy.xml": policy_for(GOOD)})
    return Build(root=tmp_path)
