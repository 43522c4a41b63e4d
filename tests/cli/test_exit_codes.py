"""As a CI system sees it: a process with an exit code, findings on stdout and the rest on stderr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.tree import tree
from tests.cli.conftest import Build, Command


def test_a_green_run_is_one_line_on_stderr(process: Command, build: Build) -> None:
    outcome = process(*build.check())
    assert outcome.code == 0
    assert outcome.out == ""
    assert outcome.err.startswith("ok: 1 artifact: 1 allowed")
    assert outcome.err.count("\n") == 1


def test_a_denied_file_ends_with_1_and_its_diagnostic_on_stdout(process: Command, build: Build) -> None:
    outcome = process(*build.with_denied().check())
    assert outcome.code == 1
    assert "error[CSV201]" in outcome.out
    assert "bad.dll" in outcome.out
    assert "good.dll" not in outcome.out
    assert outcome.err.startswith("failed: 2 artifacts: 1 denied, 1 allowed")


def test_the_exit_code_does_not_depend_on_the_format(process: Command, build: Build) -> None:
    outcome = process(*build.with_denied().check(), "-o", "json")
    assert outcome.code == 1
    assert outcome.out.startswith("{")


def test_an_unknown_option_ends_with_2(process: Command, build: Build) -> None:
    outcome = process(*build.check(), "--polcy", "x")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--polcy" in outcome.err


def test_nothing_to_check_ends_with_3(process: Command, build: Build, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = process("check", tmp_path / "empty", "--policy", build.policy)
    assert outcome.code == 3
    assert "nothing to check" in outcome.err


AS_NOBODY = """
import os, sys
from csv_gate.cli.main import main
for more in ([], ["--no-cache"]):  # imports all that the unprivileged user may not be able to read
    main([*sys.argv[1:], "-o", "json=/dev/null", *more])
print("----")
sys.stdout.flush()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif("os.geteuid() != 0", reason="only the superuser can become somebody who may not read")
def test_what_may_not_be_read_ends_with_4(build: Build) -> None:
    tree(build.output, {"locked/bad.dll": b"", "hidden.dll": b""})
    for path in (build.root, *build.root.parents[:-2]):
        path.chmod(0o755)
    (build.output / "locked").chmod(0)
    (build.output / "hidden.dll").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *map(str, build.check())], capture_output=True, text=True, timeout=120
    )
    out = done.stdout.rpartition("----")[2]
    assert done.returncode == 4, done.stderr
    assert out.count("error[CSV801]") == 2
    assert "Permission denied" in out


def test_a_reader_that_goes_away_changes_nothing(build: Build) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "csv_gate", *map(str, build.with_denied().check()), "-o", "json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"failed: 2 artifacts" in done.stderr
