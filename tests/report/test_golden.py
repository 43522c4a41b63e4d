"""Each report of one run with everything in it, byte for byte. `CSV_GATE_UPDATE_GOLDEN=1` writes them anew."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from csv_gate.model.checks import CHECKS, CheckPage
from csv_gate.model.facts import Artifact, SignatureSource
from csv_gate.report import FORMATS, JunitDialect, ReportOptions, render
from csv_gate.report.explanation import render_check_page, render_explanation
from csv_gate.report.inspect_tree import render_inspection
from tests.builders.results import facts, green_run, red_run, signature

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
PLAIN = ReportOptions(width=80, docs_url="https://docs.example/checks")

CASES: dict[str, tuple[str, ReportOptions]] = {
    "red.txt": ("text", ReportOptions(width=80)),
    "red-colour.txt": ("text", ReportOptions(width=80, colour=True)),
    "red-verbose.txt": ("text", ReportOptions(width=80, verbosity=2, docs_url="https://docs.example/checks")),
    "red.json": ("json", PLAIN),
    "red.jsonl": ("jsonl", PLAIN),
    **{
        f"red-{dialect}.junit.xml": ("junit", ReportOptions(junit_dialect=dialect, attachments=("/out/report.html", "/out/result.json")))
        for dialect in JunitDialect
    },
    "red.sarif": ("sarif", PLAIN),
    "red.github.txt": ("github", ReportOptions(width=80, stop_token="f00d")),
    "red.azure.txt": ("azure", ReportOptions(width=80)),
    "red.gitlab.json": ("gitlab", PLAIN),
    "red.md": ("markdown", PLAIN),
    "red.html": ("html", PLAIN),
}  # fmt: skip


def compare(name: str, shown: str) -> None:
    path = GOLDEN / name
    if os.environ.get("CSV_GATE_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown, encoding="utf-8", newline="\n")
    assert shown == path.read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_red_run_reads_as_it_did(name: str) -> None:
    format, options = CASES[name]
    out = io.StringIO()
    render(format, red_run(), out, options)
    compare(name, out.getvalue())


@pytest.mark.parametrize("format", ["text", "markdown", "junit", "sarif", "github", "azure", "gitlab"])
def test_a_green_run_reads_as_it_did(format: str) -> None:
    out = io.StringIO()
    render(format, green_run(), out, PLAIN)
    compare(f"green.{format}.txt", out.getvalue())


def test_every_format_has_a_golden_file() -> None:
    assert {format for format, _ in CASES.values()} == set(FORMATS)


def test_a_tree_of_signatures_reads_as_it_did() -> None:
    signatures = (
        signature(program_name="Contoso Agent"),
        signature(source=SignatureSource.NESTED, place="0.0", valid=False),
        signature(source=SignatureSource.CATALOG, place="catalogs/agent.cat", timestamp=False),
    )
    out = io.StringIO()
    render_inspection(Artifact(path="dist/core.dll", facts=facts("core.dll", signatures=signatures)), out, PLAIN)
    compare("inspect.txt", out.getvalue())


@pytest.mark.parametrize(("name", "index"), [("denied", 1), ("undecided", 5)])
def test_an_explanation_reads_as_it_did(name: str, index: int) -> None:
    run = red_run()
    out = io.StringIO()
    render_explanation(run.artifacts[index], run.targets, out, PLAIN)
    compare(f"explain-{name}.txt", out.getvalue())


def test_the_page_of_a_check_reads_as_it_did() -> None:
    mend = """Either

1. sign it with the
   release certificate, or
2. add a rule:

```xml
<Allow ID="ID_ALLOW_A_1"/>
```

Then run it again."""
    page = CheckPage(
        check=CHECKS["CSV201"], what="No rule of the policy\nallows the file.", why="It would be blocked.", mend=mend
    )
    out = io.StringIO()
    render_check_page(page, out, PLAIN)
    compare("check-page.txt", out.getvalue())
