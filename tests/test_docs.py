"""What the documents show: commands have the options that are written, and configurations are read as they stand."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest
import yaml

from csv_gate.cli.completion import actions_of
from csv_gate.cli.console import Console
from csv_gate.cli.main import VERBS
from csv_gate.config import load_config
from csv_gate.waivers import waivers_from

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(csv-gate [a-z][^`…]*)`")


def commands() -> list[tuple[str, str]]:
    found = []
    for page, text in PAGES.items():
        blocks = [line for kind, body in BLOCK.findall(text) if not kind for line in body.splitlines()]
        lines = [line for line in blocks if line.startswith("csv-gate ")]
        found += [(page, line) for line in (*lines, *INLINE.findall(BLOCK.sub("", text)))]
    return found


def _is_configuration(document: object) -> bool:
    return isinstance(document, dict) and bool({"owners", "notify", "waivers", "requirements"} & set(document))


def configurations() -> list[tuple[str, str]]:
    found = []
    for page, text in PAGES.items():
        bodies = [body for kind, body in BLOCK.findall(text) if kind == "yaml"]
        found += [(page, body) for body in bodies if _is_configuration(yaml.safe_load(body))]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_the_documents_has_the_options_that_are_written(page: str, line: str) -> None:
    _, verb, *rest = shlex.split(line)
    assert verb in VERBS, page
    console = Console(out=io.StringIO(), err=io.StringIO(), environment={})
    known = {name for action in actions_of(verb, console) for name in action.option_strings}
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known, page


@pytest.mark.parametrize(("page", "body"), configurations())
def test_a_configuration_of_the_documents_is_read_as_it_stands(page: str, body: str, tmp_path: Path) -> None:
    if isinstance(yaml.safe_load(body).get("waivers"), list):
        assert list(waivers_from(body.encode(), page))
        return
    (tmp_path / "csv-gate.yaml").write_text("version: 1\n" + body, encoding="utf-8")
    assert load_config(tmp_path / "csv-gate.yaml").config.version == 1


def test_the_documents_show_commands_and_configurations() -> None:
    assert len(commands()) > 10
    assert len(configurations()) >= 3
