"""One artifact a line, the rows of the JSON result's `artifacts`: for `jq`, log shippers and tables.

What concerns the run as a whole is not in here; `json` has it.
"""

from __future__ import annotations

from typing import TextIO

from csv_gate.model.result import RunResult
from csv_gate.report.json_result import artifact_blocks
from csv_gate.report.options import ReportOptions


def render_jsonl(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Sorted by path, as the artifacts come."""
    for block in artifact_blocks(result):
        out.write(block)
