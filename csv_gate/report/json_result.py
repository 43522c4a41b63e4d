"""The JSON result, written artifact by artifact: one artifact a line, so that `grep` and `diff` are of use too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from csv_gate.model.result import RunResult
from csv_gate.model.result_json import artifact_json, finding_json, header_json, summary_json
from csv_gate.report.escape import json_line
from csv_gate.report.options import ReportOptions


def artifact_lines(result: RunResult) -> Iterable[str]:
    """Each artifact as a line of JSON. A result that keeps its artifacts in this form hands them out as they are."""
    lines: Iterable[str] | None = getattr(result, "artifact_lines", None)
    return (json_line(artifact_json(artifact)) for artifact in result.artifacts) if lines is None else lines


def render_json(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Schema version 1. Equal results give equal bytes; nothing of it depends on the options."""
    out.write("{\n")
    for name, value in header_json(result).items():
        out.write(f"{json_line(name)}:{json_line(value)},\n")
    out.write('"artifacts":[')
    separator = "\n"
    for line in artifact_lines(result):
        out.write(separator + line)
        separator = ",\n"
    out.write("\n],\n" if separator != "\n" else "],\n")
    out.write(f'"findings":{json_line([finding_json(finding) for finding in result.findings])},\n')
    out.write(f'"summary":{json_line(summary_json(result.summary))}\n}}\n')
