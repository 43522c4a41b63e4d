"""Runs over build outputs that hold scripts and installers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from csv_gate.errors import NoArtifactsError
from csv_gate.gate import run
from csv_gate.gate.inspection import inspect
from csv_gate.model.verdict import Decision
from csv_gate.report.inspect_tree import render_inspection
from csv_gate.report.options import ReportOptions
from tests.builders import compound, scripts
from tests.builders.elf import elf, signed_module
from tests.builders.plans import plan, target
from tests.builders.signing import publisher
from tests.builders.tree import AUDIT, code, policy_for, tree

MSI = compound.signed({"Table": b"rows"}, publisher())
SIGNED = scripts.signed("ps1", "exit\r\n", signer=publisher()).encode()


def test_scripts_and_installers_are_judged_beside_programs(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": code("good"), "b.ps1": b"exit", "c.msi": MSI, "d.vbs": b"x = 1", "e.js": b"WScript.Quit(0)"})
    with run(plan(tmp_path, targets=[target(policy_for(code("good")))])) as result:
        found = {Path(a.artifact.path).name: a.verdicts[0] for a in result.artifacts}
    assert {name: verdict.decision for name, verdict in found.items()} == {
        "a.dll": Decision.ALLOWED,
        "b.ps1": Decision.DENIED,
        "c.msi": Decision.DENIED,
        "d.vbs": Decision.UNDECIDED,  # how the script host hashes an unsigned script is not known, and there is a hash rule
        "e.js": Decision.UNDECIDED,
    }
    assert "ConstrainedLanguage" in found["b.ps1"].because
    assert found["b.ps1"].predicted_event == 8029


def test_an_audit_policy_logs_scripts(tmp_path: Path) -> None:
    tree(tmp_path, {"b.ps1": b"exit"})
    with run(plan(tmp_path, targets=[target(policy_for(code("good"), options=AUDIT))])) as result:
        (artifact,) = result.artifacts
    assert (artifact.verdicts[0].audited, artifact.verdicts[0].predicted_event) == (True, 8028)


def test_what_no_host_controls_is_left_and_does_not_count_as_checked(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {"a.bat": b"exit", "b.py": b"exit()", "c.js": b"document.title", "d.sh": b"exit", "e.mof": b"x", "f.ko": elf()},
    )
    with pytest.raises(NoArtifactsError, match="nothing to check") as caught:
        run(plan(tmp_path, targets=[target(policy_for(code("good")))]))
    assert "1 javascript" in (caught.value.got or "")


def test_a_compound_file_that_is_no_installer_is_left(tmp_path: Path) -> None:
    tree(tmp_path, {"a.doc": compound.compound({"WordDocument": b"x"}, class_id=bytes(16)), "a.dll": code("good")})
    with run(plan(tmp_path, targets=[target(policy_for(code("good")))])) as result:
        assert [Path(a.artifact.path).name for a in result.artifacts] == ["a.dll"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.ps1", SIGNED, ["PowerShell script", "signature block at line 3", "1 signature, 1 valid", "sha256, signing"]),
        ("a.msi", MSI, ["installer package", "2 streams", "1 signature, 1 valid"]),
        (
            "a.ko",
            signed_module(publisher(), elf(type=1, build_id=b"\1" * 20)),
            ["relocatable, x64", "build id 0101", "module signature"],
        ),
    ],
    ids=["script", "package", "module"],
)
def test_inspect_says_what_a_person_wants_to_know(tmp_path: Path, name: str, data: bytes, words: list[str]) -> None:
    (artifact,) = inspect([str(tree(tmp_path, {name: data}))])
    out = io.StringIO()
    render_inspection(artifact, out, ReportOptions())
    assert [word for word in words if word not in out.getvalue()] == []
