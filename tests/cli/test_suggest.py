from pathlib import Path

import pytest

from csv_gate.cli.suggest import LEVELS
from csv_gate.suggesting import Level
from tests.builders import ca
from tests.builders.pe import pe
from tests.builders.policy import policy_xml, scenario_xml
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import code, policy_for, tree
from tests.builders.version_resource import version_info
from tests.cli.conftest import Command

BASE = policy_xml(
    options=("Enabled:UMCI", "Enabled:Unsigned System Integrity Policy", "Enabled:Allow Supplemental Policies"),
    scenarios=[scenario_xml()],
)
SIGNER = ca.root().issue_authority().issue("Contoso Ltd")
NAMES = {"040904B0": {"OriginalFilename": "app.dll"}}
SIGNED = signed_pe(pe(imports=["kernel32.dll"], versions={0x409: version_info(tables=NAMES)}), SIGNER)
FILES = {"build/app.dll": SIGNED, "build/tool.exe": code("tool"), "base.xml": BASE}


@pytest.fixture
def tree_of(tmp_path: Path) -> Path:
    return tree(tmp_path, FILES)


def suggest(gate: Command, root: Path, *more: str | Path) -> tuple[int, str, str]:
    outcome = gate("suggest", root / "build", "--no-config", "--policy", root / "base.xml", *more)
    return outcome.code, outcome.out, outcome.err


def test_the_levels_are_those_of_the_room() -> None:
    assert set(LEVELS) == {level.value for level in Level}


def test_the_suggested_policy_beside_its_base_makes_the_check_pass(gate: Command, tree_of: Path) -> None:
    check = ("check", tree_of / "build", "--no-config", "--policy", tree_of / "base.xml")
    assert gate(*check).code == 1
    code, out, err = suggest(gate, tree_of, "-o", tree_of / "more.xml")
    assert (code, out) == (0, "")
    assert "2 allowed by the suggested policy" in err
    assert gate(*check, "--policy", tree_of / "more.xml").code == 0


def test_the_policy_goes_to_stdout_and_what_it_promises_to_stderr(gate: Command, tree_of: Path) -> None:
    code, out, err = suggest(gate, tree_of)
    assert code == 0
    assert out.startswith("<?xml")
    assert "Hash for" in err
    assert "tool.exe" in err
    assert "it carries no signature" in err


def test_what_cannot_be_mended_fails_the_command(gate: Command, tree_of: Path) -> None:
    code, out, err = suggest(gate, tree_of, "--level", "publisher", "--fallback", "FileName", "LeafCertificate")
    assert code == 1
    assert 'CertPublisher Value="Contoso Ltd"' in out
    assert "not mended" in err


def test_nothing_is_written_where_nothing_is_blocked(gate: Command, tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "build/good.dll": code("good"),
            "base.xml": policy_for(code("good"), options=("Enabled:UMCI", "Enabled:Allow Supplemental Policies")),
        },
    )
    code_, out, err = suggest(gate, tmp_path, "-o", tmp_path / "more.xml")
    assert (code_, out) == (0, "")
    assert "there is no policy to write" in err
    assert not (tmp_path / "more.xml").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--level", "Everything"), "no such level"), (("--base", "12"), "no PolicyID"), (("-o", "no/such/folder.xml"), "report")],
)
def test_wrong_usage_is_told(gate: Command, tree_of: Path, more: tuple[str, ...], said: str) -> None:
    code, out, err = suggest(gate, tree_of, *more)
    assert (code, out) == (2, "")
    assert said in err


def test_a_base_without_option_17_is_a_usage_error(gate: Command, tmp_path: Path) -> None:
    tree(tmp_path, {"build/bad.dll": code("bad"), "base.xml": policy_for(code("good"))})
    code_, _, err = suggest(gate, tmp_path)
    assert code_ == 2
    assert "option 17" in err


def test_the_help_of_a_denial_shows_the_rule_that_would_mend_it(gate: Command, tree_of: Path) -> None:
    out = gate("check", tree_of / "build", "--no-config", "--policy", tree_of / "base.xml").out
    assert '<Signer ID="ID_SIGNER_S_' in out
    assert '<Allow ID="ID_ALLOW_A_' in out


def test_the_configuration_tells_where_a_file_lies_on_the_target(gate: Command, tree_of: Path) -> None:
    config = (
        b"version: 1\ntargets:\n  prod:\n    policies: [base.xml]\n    install_paths:\n"
        b"      - {from: build, to: 'C:\\Program Files\\App', user_writable: false}\n"
    )
    tree(tree_of, {"csv-gate.yaml": config})
    outcome = gate("suggest", tree_of / "build", "--config", tree_of / "csv-gate.yaml", "--level", "FilePath")
    assert outcome.code == 0
    assert 'FilePath="C:\\Program Files\\App\\tool.exe"' in outcome.out
