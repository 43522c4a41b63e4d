"""The first configuration of a repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from csv_gate.cli.init import HOSTS
from csv_gate.scaffold import CiHost, survey
from tests.builders.tree import code, policy_for, tree
from tests.cli.conftest import GOOD, Command

FILES = {"policies/base.xml": policy_for(GOOD), "out/app/good.dll": GOOD, "src/main.c": b"int main;", "CODEOWNERS": b"* @me\n"}


def test_what_is_written_judges_the_repository_at_once(gate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree(tmp_path, FILES))
    outcome = gate("init")
    assert outcome.code == 0
    assert "written: csv-gate.yaml" in outcome.err
    checked = gate("check")
    assert checked.code == 0, checked.err
    assert gate("check", "--fail-on", "warning").code == 0
    tree(tmp_path, {"out/app/bad.dll": code("bad")})
    assert gate("check").code == 1


def test_nothing_is_ever_overwritten(gate: Command, tmp_path: Path) -> None:
    tree(tmp_path, {**FILES, "csv-gate.yaml": b"mine", "elsewhere": b"mine too"})
    (tmp_path / "csv-gate.waivers.yaml").symlink_to(tmp_path / "elsewhere")
    outcome = gate("init", tmp_path)
    assert outcome.code == 0
    assert outcome.err.count("is there already") == 2
    assert (tmp_path / "csv-gate.yaml").read_bytes() == b"mine"
    assert (tmp_path / "elsewhere").read_bytes() == b"mine too"


def test_a_dry_run_prints_the_files_and_writes_none(gate: Command, tmp_path: Path) -> None:
    tree(tmp_path, FILES)
    outcome = gate("init", tmp_path, "--dry-run", "--ci", "github")
    assert outcome.code == 0
    for name in ("csv-gate.yaml", "csv-gate.waivers.yaml", ".github/workflows/csv-gate.yml"):
        assert f"--- {name}\n" in outcome.out
        assert not (tmp_path / name).exists()


def test_the_survey_finds_policies_outputs_owners_and_the_ci_system(tmp_path: Path) -> None:
    tree(tmp_path, {**FILES, "azure-pipelines.yml": b"", "pom.xml": b"<project/>", "node_modules/x/y.dll": GOOD})
    found = survey(tmp_path)
    assert found.policies == ("policies/base.xml",)
    assert found.outputs == ("out",)
    assert (found.ci, found.codeowners) == (CiHost.AZURE, "CODEOWNERS")


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        (b"https://github.example/x.git", CiHost.GITHUB),
        (b"git@gitlab.example:x.git", CiHost.GITLAB),
        (b"https://dev.azure.com/contoso/x", CiHost.AZURE),
        (b"https://git.example/x", CiHost.NONE),
    ],
    ids=["github", "gitlab", "azure", "none"],
)
def test_where_it_was_cloned_from_tells_the_ci_system(tmp_path: Path, remote: bytes, host: CiHost) -> None:
    tree(tmp_path, {".git/config": b'[remote "origin"]\n\turl = ' + remote + b"\n"})
    assert survey(tmp_path).ci is host


def test_hostile_names_stay_texts_of_the_configuration(gate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("such names cannot be there")
    tree(tmp_path, {'po"l\nicy: [x].xml': policy_for(GOOD), "a: b\n#/good.dll": GOOD})
    monkeypatch.chdir(tmp_path)
    outcome = gate("init")
    assert outcome.code == 0
    assert set(yaml.safe_load((tmp_path / "csv-gate.yaml").read_text())) == {"version", "inputs", "targets", "waivers"}
    assert gate("check").code == 0


@pytest.mark.parametrize("host", [host for host in HOSTS if host not in ("none", "jenkins")])
def test_every_workflow_is_what_its_system_reads(gate: Command, tmp_path: Path, host: str) -> None:
    gate("init", tmp_path, "--ci", host)
    written = next(path for path in tmp_path.rglob("*.yml"))
    checker = Path(sys.executable).parent / "check-jsonschema"
    if not checker.exists():
        pytest.skip("needs check-jsonschema")
    schema = {"github": "github-workflows", "azure": "azure-pipelines", "gitlab": "gitlab-ci"}[host]
    transform = ("--data-transform", schema) if host != "github" else ()
    command = [str(checker), "--builtin-schema", f"vendor.{schema}", *transform, str(written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_zizmor_finds_nothing_in_the_workflow(gate: Command, tmp_path: Path) -> None:
    tool = Path(sys.executable).parent / "zizmor"
    if not tool.exists() and shutil.which("zizmor") is None:
        pytest.skip("needs zizmor")
    gate("init", tmp_path, "--ci", "github")
    command = [str(tool) if tool.exists() else "zizmor", "--offline", "--no-progress", "--persona", "pedantic", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
