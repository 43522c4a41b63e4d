"""GitLab code quality: an array of issues in the Code Climate form, as far as GitLab reads it.

Source: GitLab docs, code quality, "code quality report format". GitLab does not show `check_name`, so the description starts with it.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from typing import Any, TextIO

from csv_gate.model.result import RunResult
from csv_gate.model.verdict import Decision, Level
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run
from csv_gate.report.escape import json_line, terminal
from csv_gate.report.options import ReportOptions
from csv_gate.report.paths import relative

_GRAVEST_LAST = ("info", "minor", "critical", "blocker")
_ISSUES_MAX = 20_000
"""An issue is at most a few kilobytes; a page of a merge request shows fewer by far."""


def render_gitlab(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """One issue for each diagnostic that no waiver excuses; what is undecided is `critical`, what would be blocked a `blocker`."""
    separator = "[\n"
    for issue in _bounded(_issues(result, options)):
        out.write(separator + json_line(issue))
        separator = ",\n"
    out.write("\n]\n" if separator != "[\n" else "[]\n")


def _bounded(issues: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All in their order; where there are more than `_ISSUES_MAX` the gravest, the first of equals, and a last one that says how many
    were left out."""
    kept: list[tuple[int, int, dict[str, Any]]] = []
    left = 0
    for number, issue in enumerate(issues):
        one = (
            _GRAVEST_LAST.index(issue["severity"]),
            -number,
            issue,
        )  # the number is another for each, so issues are never compared
        if len(kept) < _ISSUES_MAX:
            heapq.heappush(kept, one)
        else:
            heapq.heappushpop(kept, one)
            left += 1
    for *_, issue in sorted(kept, key=lambda one: (-one[0] if left else 0, -one[1])):
        yield issue
    if left:
        yield {
            "check_name": "csv-gate",
            "description": f"{left:,} more issues were left out of this report; the JSON result has all",
            "severity": "critical",
            "fingerprint": hashlib.sha256(b"csv-gate: issues left out").hexdigest(),
            "location": {"path": "csv-gate.yaml", "lines": {"begin": 1}},
        }


def _issues(result: RunResult, options: ReportOptions) -> Iterator[dict[str, Any]]:
    for artifact in result.artifacts:
        told: dict[str, int] = {}
        for one in diagnostics(artifact):
            if one.waiver is None and (one.level is not Level.NOTE or options.verbosity >= 1):
                yield _issue(one, artifact.artifact.path, told, options)
    told = {}
    for finding in result.findings:
        yield _issue(of_run(finding), "", told, options)


def _issue(one: Diagnostic, path: str, told: dict[str, int], options: ReportOptions) -> dict[str, Any]:
    about = f"{terminal(path, 300)}: " if path else ""
    place = relative(one.place.path if one.place else path or "csv-gate.yaml", options.base)
    line = one.place.line if one.place and one.place.line else 1
    return {
        "check_name": one.check,
        "description": f"{one.check}: {about}{terminal(one.message)}" + (f" ({terminal(one.target)})" if one.target else ""),
        "severity": _severity(one),
        "fingerprint": fingerprint(one, path, told),
        "location": {"path": terminal(place, 1_000), "lines": {"begin": line}},
    }


def _severity(one: Diagnostic) -> str:
    if one.level is Level.ERROR:
        denied = one.verdict is not None and one.verdict.decision is Decision.DENIED
        return "blocker" if denied else "critical"
    return "minor" if one.level is Level.WARNING else "info"


def fingerprint(one: Diagnostic, path: str, told: dict[str, int]) -> str:
    """The same trouble of the same artifact has the same fingerprint in the next run; two of one run never share one.

    `told` counts what was seen of this artifact.
    """
    rule = one.verdict.rule.policy_id if one.verdict and one.verdict.rule else ""
    raw = "\0".join((one.check, path, one.target or "", rule, "" if one.verdict else one.message))
    told[raw] = count = told.get(raw, 0) + 1
    return hashlib.sha256(f"{raw}\0{count}".encode("utf-8", "surrogatepass")).hexdigest()
