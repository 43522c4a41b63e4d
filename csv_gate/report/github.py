"""GitHub workflow commands: annotations, at most nine for each level and cause, since GitHub shows ten.

With a stop token the text report comes first, and between the token's lines the runner obeys nothing.
Source: GitHub docs, workflow commands for GitHub Actions.
"""

from __future__ import annotations

from typing import TextIO

from csv_gate.model.result import RunResult
from csv_gate.model.verdict import Level
from csv_gate.records import replace
from csv_gate.report.causes import Cause, gather, of_level, sentence
from csv_gate.report.diagnostics import title
from csv_gate.report.escape import github_data, github_property
from csv_gate.report.options import ReportOptions
from csv_gate.report.paths import relative
from csv_gate.report.text import render_text

_PER_LEVEL = 9
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render_github(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Annotations stand on the policy or config line where there is one; a built file is no file of the repository."""
    if options.stop_token:
        out.write(f"::stop-commands::{options.stop_token}\n")
        render_text(result, out, replace(options, closing=True))
        out.write(f"::{options.stop_token}::\n")
    causes = gather(result)
    for level, command in _COMMANDS.items():
        if level is Level.NOTE and options.verbosity < 1:
            continue
        shown, left = of_level(causes, level, _PER_LEVEL)
        for cause in shown:
            out.write(f"::{command} {_properties(cause, options)}::{github_data(_message(cause, options))}\n")
        if left:
            out.write(f"::{command} title=csv-gate::and {left} more, see the job's summary\n")


def _properties(cause: Cause, options: ReportOptions) -> str:
    properties = []
    place = cause.first.place
    if place is not None:
        properties.append(f"file={github_property(relative(place.path, options.base))}")
        if place.line is not None:
            properties.append(f"line={place.line}")
            if place.column is not None:
                properties.append(f"col={place.column}")
    properties.append(f"title={github_property(f'{cause.first.check}: {title(cause.first.check)}', 200)}")
    return ",".join(properties)


def _message(cause: Cause, options: ReportOptions) -> str:
    """Our own line breaks between pieces; within a piece any line break is made visible by the escape of `sentence`'s parts."""
    pieces = [sentence(cause)]
    if cause.owners:
        pieces.append("owner: " + ", ".join(sorted(cause.owners)))
    if cause.first.help:
        pieces.append("help: " + cause.first.help)
    if page := options.check_url(cause.first.check):
        pieces.append(page)
    return "\n".join(piece.replace("\n", "\\x0a") for piece in pieces)
