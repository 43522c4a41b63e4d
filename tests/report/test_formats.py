from __future__ import annotations

import io
import subprocess
import sys

import pytest

from csv_gate.errors import UsageError
from csv_gate.report import FORMATS, ReportOptions, render, renderer
from tests.builders.results import BuiltResult, red_run


def test_a_format_that_is_not_known_is_a_usage_error_that_names_the_others() -> None:
    with pytest.raises(UsageError) as caught:
        render("pdf", red_run(), io.StringIO())
    assert "markdown" in (caught.value.expected or "")


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_result_gives_the_same_bytes(format: str) -> None:
    first, second = io.StringIO(), io.StringIO()
    render(format, red_run(), first, ReportOptions(width=80))
    render(format, red_run(), second, ReportOptions(width=80))
    assert first.getvalue() == second.getvalue() != ""


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_its_renderer(format: str) -> None:
    assert renderer(format).__name__ == FORMATS[format][1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_result_is_rendered_and_not_called_good(format: str) -> None:
    empty = BuiltResult(run=red_run().run, targets=red_run().targets, artifacts=(), findings=(), summary=red_run().summary)
    out = io.StringIO()
    render(format, empty, out)
    assert "ok:" not in out.getvalue()


def test_reporters_are_imported_when_their_format_is_asked_for() -> None:
    code = "import sys, csv_gate.report; print(sorted(name for name in sys.modules if name.startswith('csv_gate.report.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['csv_gate.report.options']"
