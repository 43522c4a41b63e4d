"""Azure Pipelines logging commands: the text report, then one issue for each cause.

Source: Azure DevOps docs, logging commands; azure-pipelines-task-lib for what is escaped how.
"""

from __future__ import annotations

from typing import TextIO

from csv_gate.errors import ExitCode
from csv_gate.model.result import RunResult
from csv_gate.model.verdict import Level
from csv_gate.records import replace
from csv_gate.report.causes import Cause, gather, of_level, sentence
from csv_gate.report.escape import azure_data, azure_property
from csv_gate.report.options import ReportOptions
from csv_gate.report.paths import relative
from csv_gate.report.text import render_text

_PER_LEVEL = 9


def render_azure(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Notes have no level there and are left to the text. A green run with warnings completes `with issues`; a red one by its exit code."""
    out.write("##[group]csv-gate\n")
    render_text(result, out, replace(options, closing=True))
    out.write("##[endgroup]\n")
    causes = gather(result)
    warned = False
    for level in (Level.ERROR, Level.WARNING):
        shown, left = of_level(causes, level, _PER_LEVEL)
        warned = bool(shown)
        for cause in shown:
            out.write(f"##vso[task.logissue {_properties(cause, level, options)}]{azure_data(_message(cause, options))}\n")
        if left:
            out.write(f"##vso[task.logissue type={level.value}]and {left} more, all in the test results\n")
    if warned and result.summary.exit_code is ExitCode.OK:
        out.write("##vso[task.complete result=SucceededWithIssues;]csv-gate has warnings\n")


def _properties(cause: Cause, level: Level, options: ReportOptions) -> str:
    properties = [f"type={level.value}"]
    place = cause.first.place
    if place is not None:
        properties.append(f"sourcepath={azure_property(relative(place.path, options.base))}")
        if place.line is not None:
            properties.append(f"linenumber={place.line}")
            if place.column is not None:
                properties.append(f"columnnumber={place.column}")
    properties.append(f"code={azure_property(cause.first.check)}")
    return ";".join(properties) + ";"


def _message(cause: Cause, options: ReportOptions) -> str:
    owners = f" · owner: {', '.join(sorted(cause.owners))}" if cause.owners else ""
    help = f" · help: {cause.first.help}" if cause.first.help else ""
    page = options.check_url(cause.first.check)
    return sentence(cause) + owners + help + (f" · {page}" if page else "")
