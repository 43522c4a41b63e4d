"""How each verdict on an artifact came about, allowed ones too: every step in the target's own order."""

from __future__ import annotations

import textwrap
from typing import TextIO

from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.model.verdict import Decision, Step, Verdict
from csv_gate.report.describe import Row, artifact_words, fact_rows, mode_words, owner_words, verdict_rows
from csv_gate.report.escape import terminal
from csv_gate.report.options import ReportOptions

_COLOURS = {
    Decision.ALLOWED: "1;32",
    Decision.DENIED: "1;31",
    Decision.UNDECIDED: "1;33",
    Decision.NOT_APPLICABLE: "1;36",
}
_LABEL_CELLS = 9


def render_explanation(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Artifact by artifact, target by target. No line starts with text from an artifact."""
    modes = {target.name: mode_words(target) for target in result.targets}
    for artifact in result.artifacts:
        _artifact(artifact, modes, out, options)


def _artifact(artifact: ArtifactResult, modes: dict[str, str], out: TextIO, options: ReportOptions) -> None:
    facts = artifact.artifact.facts
    out.write(f"artifact {terminal(artifact.artifact.path)} ({terminal(artifact_words(facts))})\n")
    for row in fact_rows(facts):
        _row(row, out, options)
    if artifact.owner is not None:
        _row(Row(label="owner", text=owner_words(artifact.owner)), out, options)
    if not artifact.verdicts:
        out.write("\nno target gets this artifact\n")
    for verdict in artifact.verdicts:
        out.write("\n")
        _verdict(verdict, modes.get(verdict.target, verdict.target), out, options)
    if artifact.findings:
        out.write("\nfindings\n")
    for finding in artifact.findings:
        _row(Row(label=finding.level.value, text=f"{finding.check}: {finding.message}"), out, options)
    out.write("\n")


def _verdict(verdict: Verdict, mode: str, out: TextIO, options: ReportOptions) -> None:
    word = verdict.decision.value.replace("_", " ") + (" (logged only)" if verdict.audited else "")
    painted = f"\x1b[{_COLOURS[verdict.decision]}m{word}\x1b[0m" if options.colour else word
    out.write(f"{painted} for target {terminal(mode)}\n")
    if verdict.because:
        _row(Row(label="because", text=verdict.because), out, options)
    for row in verdict_rows(verdict):
        if row.label != "target":
            _row(row, out, options)
    for number, step in enumerate(verdict.trace, start=1):
        _row(Row(label=f"step {number}", text=_step_words(step)), out, options)
    if verdict.help:
        _row(Row(label="help", text=verdict.help), out, options)


def _step_words(step: Step) -> str:
    rule = ""
    if step.rule is not None:
        where = f" at {step.rule.place}" if step.rule.place else ""
        rule = f"{step.rule.id}{where}: "
    because = f" – {step.because}" if step.because else ""
    return f"{step.policy}: {rule}{step.outcome.value.replace('_', ' ')}{because}"


def _row(row: Row, out: TextIO, options: ReportOptions) -> None:
    lead = f"   | {row.label:<{_LABEL_CELLS}}"
    wrapped = textwrap.wrap(
        terminal(row.text, 2_000), max(options.width - len(lead), 24), break_long_words=False, break_on_hyphens=False
    )
    for number, line in enumerate(wrapped or [""]):
        out.write((lead if number == 0 else f"   | {'':<{_LABEL_CELLS}}") + line + "\n")
