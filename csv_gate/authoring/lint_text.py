"""Findings of the lint for people, as JSON, and as a result that every reporter of runs can render."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from csv_gate.errors import ExitCode, Place
from csv_gate.model.appcontrol import AppControlPolicy, version_text
from csv_gate.model.result import ArtifactResult, Finding, RunInfo, Summary, TargetRef
from csv_gate.model.result_json import finding_json
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass
from csv_gate.report.escape import json_line, terminal
from csv_gate.report.options import ReportOptions

_COLOURS = {Level.ERROR: "1;31", Level.WARNING: "33", Level.NOTE: "36"}
_SHOWN = 5
"""Findings of one check in one file that are shown in full; `-v` shows all of them."""
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """A lint as the result of a run without artifacts (`csv_gate.model.result.RunResult`)."""

    run: RunInfo
    findings: tuple[Finding, ...]
    summary: Summary
    targets: tuple[TargetRef, ...] = ()
    artifacts: tuple[ArtifactResult, ...] = ()


def counts(findings: Sequence[Finding]) -> dict[Level, int]:
    """How many findings of each level, gravest first."""
    counted = Counter(finding.level for finding in findings)
    return {level: counted[level] for level in (Level.ERROR, Level.WARNING, Level.NOTE)}


def lint_result(
    policies: Sequence[AppControlPolicy],
    findings: Sequence[Finding],
    *,
    evaluated_at: datetime,
    tool_version: str,
    exit_code: ExitCode,
) -> LintResult:
    paths = tuple(policy.path for policy in policies)
    return LintResult(
        run=RunInfo(evaluated_at=evaluated_at, inputs=paths, tool_version=tool_version),
        findings=tuple(findings),
        summary=Summary(findings=counts(findings), exit_code=exit_code),
    )


def render_lint(findings: Sequence[Finding], out: TextIO, options: ReportOptions) -> None:
    """As compilers do: level, check, place, help. Many findings of one check in one file are cut short."""
    seen: Counter[tuple[str, str]] = Counter()
    hidden: Counter[tuple[str, str]] = Counter()
    told = findings if options.verbosity >= 0 else [finding for finding in findings if finding.level is Level.ERROR]
    for finding in told:
        key = (finding.place.path if finding.place else "", finding.check)
        seen[key] += 1
        if seen[key] > _SHOWN and options.verbosity < 1:
            hidden[key] += 1
            continue
        label = f"{finding.level.value}[{finding.check}]"
        if options.colour:
            label = f"\x1b[{_COLOURS[finding.level]}m{label}\x1b[0m"
        out.write(f"{label}: {terminal(finding.message, _LONGEST)}\n")
        if finding.place is not None:
            out.write(f"  --> {_place(finding.place)}\n")
        if finding.help:
            out.write(f"   = help: {terminal(finding.help, _LONGEST)}\n")
    for (path, check), count in hidden.items():
        out.write(f"{check}: {count} more in {terminal(path)}; -v shows them\n")


def _place(place: Place) -> str:
    return terminal(str(place))


def closing_line(policies: Sequence[AppControlPolicy], findings: Sequence[Finding]) -> str:
    """What came of it, for stderr."""
    counted = ", ".join(f"{count} {level.value}{'s' if count != 1 else ''}" for level, count in counts(findings).items())
    return f"{len(policies)} polic{'ies' if len(policies) != 1 else 'y'}: {counted}"


def render_lint_json(policies: Sequence[AppControlPolicy], findings: Sequence[Finding], out: TextIO) -> None:
    """One finding a line. Equal input gives equal bytes."""
    heads = [
        {
            "path": policy.path,
            "id": policy.policy_id.braced,
            "name": policy.name,
            "version": version_text(policy.version),
            "kind": policy.kind.value,
            "sha256": policy.sha256,
        }
        for policy in policies
    ]
    out.write(f'{{\n"schema_version":"1",\n"policies":{json_line(heads)},\n"findings":[')
    separator = "\n"
    for finding in findings:
        out.write(separator + json_line(finding_json(finding)))
        separator = ",\n"
    summary = {level.value: count for level, count in counts(findings).items()}
    out.write(("\n" if findings else "") + f'],\n"summary":{json_line(summary)}\n}}\n')
