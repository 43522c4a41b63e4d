"""The documents: what they show happens, and the site has a page for everything."""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from csv_gate.cli.main import VERBS
from csv_gate.config import Config
from csv_gate.model.checks import CHECKS
from docs.generate import navigation, pages, write
from docs.reference import api_page, commands_page, schema_page
from tests.test_readme import pattern, without_digests

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted((ROOT / "docs").rglob("*.md"))
MARK = "<!-- runnable -->"


def examples(kind: str) -> list[tuple[str, str]]:
    """(place, content) of every marked example of a kind."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for match in re.finditer(rf"^{re.escape(MARK)}\n```{kind}\n(.*?)^```", text, re.M | re.S):
            found.append((f"{path.name}:{text[: match.start()].count(chr(10)) + 1}", match[1]))
    return found


def test_every_marked_example_is_of_a_kind_that_is_run() -> None:
    marked = sum(path.read_text("utf-8").count(MARK) for path in DOCUMENTS)
    assert marked == len(examples("console")) + len(examples("python")) > 0


@pytest.mark.parametrize("shown", [content for _, content in examples("console")], ids=[at for at, _ in examples("console")])
def test_each_command_prints_what_is_shown(shown: str) -> None:
    for piece in filter(None, re.split(r"^\$ ", shown, flags=re.MULTILINE)):
        command, _, output = piece.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "csv-gate"
        done = subprocess.run(
            [sys.executable, "-m", "csv_gate", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        printed = done.stdout.decode("utf-8")
        assert pattern(output).fullmatch(without_digests(printed)), printed


@pytest.mark.parametrize("shown", [content for _, content in examples("python")], ids=[at for at, _ in examples("python")])
def test_each_python_example_passes_as_a_test(shown: str, tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(shown, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", "utf-8")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # where csv-gate is installed it would be there twice
    command = ["-m", "pytest", "-p", "csv_gate.pytest_plugin", "-p", "no:cacheprovider", "-c", str(tmp_path / "pytest.ini")]
    done = subprocess.run(
        [sys.executable, *command, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert " passed" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


def leaves(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ()
    return [leaf for one in inner for leaf in leaves(one)]


def test_every_page_of_the_site_has_its_one_place() -> None:
    found = pages()
    assert sorted(leaves(navigation(found))) == sorted(path for path in found if path.endswith(".md"))


def test_no_link_of_the_site_is_dead() -> None:
    found = pages()
    dead = [
        f"{path} -> {target}"
        for path, content in found.items()
        if path.endswith(".md")
        for target in re.findall(r"(?<!\\)\]\((?!\w+:|#)([^)#\s]+)", content.decode("utf-8"))
        if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) not in found
    ]
    assert dead == []


def test_every_check_has_a_page_in_the_site() -> None:
    found = pages()
    for check_id, check in CHECKS.items():
        assert f"# {check_id} {check.slug}\n" in found[f"docs/checks/{check_id}.md"].decode()
        assert f"[{check_id}]({check_id}.md)" in found["docs/checks/index.md"].decode()


def test_every_command_and_every_setting_is_in_the_reference() -> None:
    commands, settings = commands_page(), schema_page("config.schema.json", "Configuration")
    assert [verb for verb in VERBS if f"## csv-gate {verb}\n" not in commands] == []
    assert [key for key in Config.__dataclass_fields__ if f"| `{key}` |" not in settings] == []


def test_the_api_tells_what_a_test_suite_needs() -> None:
    assert "### assert_allowed" in api_page()


def test_laying_out_the_site_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name)
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("one", "two")
    )
    assert one == two
