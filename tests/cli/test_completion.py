"""The completion scripts, run by the shells that are here."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from csv_gate.cli.completion import SHELLS, verbs
from csv_gate.cli.console import Console
from csv_gate.cli.main import VERBS
from tests.builders.tree import tree
from tests.cli.conftest import Command


def script(gate: Command, shell: str, folder: Path) -> Path:
    tree(folder, {shell: gate("completion", shell).out.encode()})
    return folder / shell


def completed(gate: Command, folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    quoted = " ".join(f"'{word}'" for word in ("csv-gate", *words))
    program = (
        f". '{script(gate, 'bash', folder)}'\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words)}\n_csv_gate\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_offers_every_command(gate: Command, tmp_path: Path) -> None:
    assert set(completed(gate, tmp_path, "")) == {*VERBS, "--help", "--version"}
    assert completed(gate, tmp_path, "che") == ["check"]


def test_bash_offers_the_options_of_the_command_alone(gate: Command, tmp_path: Path) -> None:
    assert completed(gate, tmp_path, "check", "--base") == ["--baseline"]
    assert completed(gate, tmp_path, "notify", "--base") == []
    assert "--dry-run" in completed(gate, tmp_path, "notify", "--")


def test_bash_offers_the_values_of_an_option(gate: Command, tmp_path: Path) -> None:
    assert completed(gate, tmp_path, "check", "--fail-on", "") == ["error", "warning", "note", "never"]
    assert completed(gate, tmp_path, "check", "--fail-on", "n") == ["note", "never"]


def test_bash_offers_the_words_that_an_argument_may_be(gate: Command, tmp_path: Path) -> None:
    assert completed(gate, tmp_path, "config", "s") == ["show", "schema"]
    assert completed(gate, tmp_path, "completion", "") == list(SHELLS)


def test_bash_leaves_files_to_its_own_completion(gate: Command, tmp_path: Path) -> None:
    assert completed(gate, tmp_path, "check", "--config", "csv") == []
    assert completed(gate, tmp_path, "check", "bui") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_its_script(gate: Command, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    subprocess.run([shell, "-n", str(script(gate, shell, tmp_path))], check=True, timeout=60)


def test_the_script_for_powershell_is_in_its_grammar(gate: Command) -> None:
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    text = gate("completion", "powershell").out.encode()
    assert not parser.parse(text).root_node.has_error
    assert parser.parse(text.replace(b"')", b"'", 1)).root_node.has_error
    assert parser.parse(text.replace(b"= @{", b"= @", 1)).root_node.has_error


def test_the_words_for_powershell_are_those_that_bash_has(gate: Command, tmp_path: Path) -> None:
    text = gate("completion", "powershell").out
    options, choices = text.split("$choices = @{")
    for verb in ("check", "notify", "config"):
        (line,) = re.findall(rf"^ +'{verb}' = @\((.*)\)$", options, re.MULTILINE)
        offered = [*completed(gate, tmp_path, verb, "-"), *completed(gate, tmp_path, verb, "")]
        assert set(re.findall(r"'([^']+)'", line)) == set(offered)
    assert re.search(r"^ +'check --fail-on' = @\('error', 'warning', 'note', 'never'\)$", choices, re.MULTILINE)


def test_fish_offers_what_bash_does(gate: Command, tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("needs fish")
    ask = f"source '{script(gate, 'fish', tmp_path)}'; complete -C 'csv-gate check --fail-on n'"
    done = subprocess.run(["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert sorted(line.split("\t")[0] for line in done.stdout.splitlines()) == ["never", "note"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_a_new_option_are_in_every_script(gate: Command, shell: str) -> None:
    text = gate("completion", shell).out
    for verb in VERBS:
        assert verb in text
    assert "waivers-from" in text


def test_an_unknown_shell_is_a_usage_error(gate: Command) -> None:
    assert gate("completion", "tcsh").code == 2


def test_a_verb_with_commands_of_its_own_has_the_options_of_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csv_gate.cli.config.COMMANDS", {"tell": ("csv_gate.cli.notify", "tell")}, raising=False)
    console = Console(out=io.StringIO(), err=io.StringIO(), environment={})
    config = next(verb for verb in verbs(console) if verb.name == "config")
    assert "--dry-run" in config.names
    assert config.words == ("tell", "show", "schema")
