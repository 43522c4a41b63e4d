"""The JSON result, written artifact by artifact: one artifact a line, so that `grep` and `diff` are of use too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TextIO

from csv_gate.model.result import RunResult
from csv_gate.model.result_json import artifact_json, finding_json, header_json, summary_json
from csv_gate.report.escape import json_line
from csv_gate.report.options import ReportOptions


def artifact_blocks(result: RunResult, line_end: str = "\n") -> Iterable[str]:
    """The artifacts as lines of JSON, each with that line end, any number in a block. A result that keeps its artifacts in this form
    hands them out as they are."""
    blocks: Callable[[str], Iterable[str]] | None = getattr(result, "artifact_blocks", None)
    if blocks is not None:
        return blocks(line_end)
    return (json_line(artifact_json(artifact)) + line_end for artifact in result.artifacts)


def render_json(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Schema version 1. Equal results give equal bytes; nothing of it depends on the options."""
    out.write("{\n")
    for name, value in header_json(result).items():
        out.write(f"{json_line(name)}:{json_line(value)},\n")
    out.write('"artifacts":[')
    last = ""
    for block in artifact_blocks(result, ",\n"):
        out.write(last or "\n")
        last = block
    out.write(last.removesuffix(",\n") + "\n],\n" if last else "],\n")
    out.write(f'"findings":{json_line([finding_json(finding) for finding in result.findings])},\n')
    out.write(f'"summary":{json_line(summary_json(result.summary))}\n}}\n')
