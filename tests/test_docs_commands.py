"""The commands of the documents, run one after another in a project that has what they name."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from csv_gate.cli.main import run
from csv_gate.errors import ExitCode
from tests.builders.examples import ROOT, Example, examples, inline_commands
from tests.builders.receivers import Receiver, receiver

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
FIXTURES = ROOT / "fixtures"
PLACEHOLDERS = {"FILE": "build/app/core.dll", "RESULT.json": "result.json"}
"""Words of sentences that stand for something."""
CODES = (ExitCode.OK, ExitCode.FINDINGS, ExitCode.UNDECIDED)
"""Not: wrong usage, nothing found, a bug."""
ENVIRONMENT = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "contoso/agent",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_EVENT_NAME": "push",
}
CONFIG = """\
version: 1
inputs: [build]
targets:
  production:
    policies: [policies/base.xml, policies/supplemental.xml]
owners:
  - {paths: [build/agent/], name: "@contoso/agent"}
default_owner: "@contoso/release"
waivers: waivers.yaml
"""


@pytest.fixture(scope="module")
def duty() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def gate(*arguments: str) -> int:
    return run(arguments, io.StringIO(), io.StringIO(), ENVIRONMENT | {"CSV_GATE_CACHE": "off"})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, duty: Receiver) -> Path:
    """A repository with a build output, policies, configuration, waivers, keys and results of earlier runs."""
    root = tmp_path_factory.mktemp("project")
    for name in ("build", "deploy", "deployed"):
        (root / name).mkdir()
    shutil.copytree(FIXTURES / "binaries", root / "build", dirs_exist_ok=True)
    shutil.copytree(FIXTURES / "policies", root / "policies")
    (root / "build/agent").mkdir()
    for name in ("build/agent/helper.dll", "deploy/agent.exe", "deploy/agent.dll"):
        shutil.copy(FIXTURES / "binaries/app/core.dll", root / name)
    for policy, name in (("base", "base"), ("supplemental", "supplemental"), ("base", "SiPolicy")):
        shutil.copy(FIXTURES / f"policies/{policy}.xml", root / f"{name}.xml")
    (root / "csv-gate.yaml").write_text(f"{CONFIG}notify: {{webhook: {{url: '{duty.url}'}}}}\n", "utf-8")
    (root / "waivers.yaml").write_text("version: 1\n", "utf-8")
    key = Ed25519PrivateKey.generate()
    (root / "gate.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (root / "gate.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "csv-gate.yaml", "waivers.yaml", "policies"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "-qm", "a"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        subprocess.run(["git", "-C", str(root), *command], check=True, capture_output=True)
    with contextlib.chdir(root):
        assert gate("policy", "convert", "base.xml", "deployed/base.cip") == 0
        for name, more in (
            ("result", ()),
            ("last-result", ()),
            ("result-1", ("--shard", "1/2")),
            ("result-2", ("--shard", "2/2")),
        ):
            assert gate("check", "--evaluated-at", "2026-11-24T12:00:00Z", *more, "-o", f"json={name}.json") in CODES
    return root


@pytest.fixture
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy for one example."""
    shutil.copytree(prepared, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def words(line: str, project: Path) -> list[str]:
    """As a shell would hand them over, with what stands for something put in."""
    digests = (hashlib.sha256((project / f"policies/{name}.xml").read_bytes()).hexdigest() for name in ("base", "supplemental"))
    found = []
    for word in shlex.split(line):
        if word == "…":
            found.append(next(digests))
        elif "*" in word:
            found += sorted(str(path.relative_to(project)) for path in project.glob(word))
        else:
            found.append(PLACEHOLDERS.get(word, word))
    return found


def perform(line: str, project: Path) -> None:
    program, *arguments = words(line, project)
    if program == "pytest":
        pytest_on(project, *arguments)
        return
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, out, err, ENVIRONMENT | {"CSV_GATE_CACHE_DIR": str(project / "kept")})
    strict = arguments[0] in ("verify-attestation", "explain", "merge")
    assert code in ((ExitCode.OK, ExitCode.FINDINGS) if strict else CODES), err.getvalue()
    assert arguments[0] != "verify-attestation" or code == 0, err.getvalue()
    assert out.getvalue() or err.getvalue() or "-o" in arguments


def pytest_on(project: Path, *arguments: str) -> None:
    options = ("-p", "csv_gate.pytest_plugin", "-p", "no:cacheprovider", "-q")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"csv-gate::build/\S+\[production\]", done.stdout), done.stdout
    assert re.search(r"\d+ passed", done.stdout), done.stdout


BLOCKS = [one for one in examples() if one.commands]
INLINE = sorted({line for _, line in inline_commands() if len(line.split()) > 2})
"""A verb alone is its name; the table of commands has it."""


@pytest.mark.parametrize("example", BLOCKS, ids=str)
def test_the_commands_of_a_block_work_in_their_order(example: Example, project: Path) -> None:
    for line in example.commands:
        perform(line, project)


@pytest.mark.parametrize("line", INLINE)
def test_a_command_in_a_sentence_works(line: str, project: Path) -> None:
    perform(line, project)


@pytest.mark.parametrize("example", [one for one in examples() if one.kind == "toml"], ids=str)
def test_settings_of_pytest_are_known_to_it(example: Example, project: Path) -> None:
    (project / "pyproject.toml").write_text(example.body, "utf-8")
    pytest_on(project, "--strict-config", "--csv-gate", "build/")
