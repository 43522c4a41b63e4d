"""The result as a person reads it in a terminal: what there is to tell, and the run in one line.

A green run tells nothing, and loads nothing that would: that is `text_findings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import TextIO

from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.report.escape import terminal
from csv_gate.report.headline import counted, mode_words
from csv_gate.report.options import ReportOptions


def render_text(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Findings in the order of the artifacts' paths, then those of the run, then (`closing`) the summary line."""
    artifacts = iter(notable(result))
    first = tuple(islice(artifacts, 1))
    if first or result.findings:
        from csv_gate.report.text_findings import write_findings

        write_findings(chain(first, artifacts), result.findings, out, options)
    if options.closing:
        out.write(summary_line(result, options) + "\n")


def notable(result: RunResult) -> Iterable[ArtifactResult]:
    """The artifacts that anything is to be told about. A result that knows them spares reading the others."""
    found: Iterable[ArtifactResult] | None = getattr(result, "notable_artifacts", None)
    return result.artifacts if found is None else found


def summary_line(result: RunResult, options: ReportOptions) -> str:
    """The run in one line, for stderr: what was judged, by which mode, and what came of it."""
    summary = result.summary
    # Without a target nothing could be governed.
    named = [(word, count) for word, count in counted(summary) if count > 0 and (result.targets or word != "not applicable")]
    nothing = "nothing to judge" if result.targets or not summary.artifacts else "all that is required is met"
    told = ", ".join(f"{count} {word}" for word, count in named) or nothing
    targets = "; ".join(mode_words(target) for target in result.targets)
    judged = f" · judged for {terminal(targets)}" if targets else ""
    word, colour = ("ok", "1;32") if summary.exit_code == 0 else ("failed", "1;31")
    if summary.exit_code == 3:
        word = "nothing checked"
    elif summary.exit_code == 4:
        word = "undecided"
    artifacts = f"{summary.artifacts} artifact{'s' * (summary.artifacts != 1)}"
    return f"{paint(word, colour, options)}: {artifacts}: {told}{judged}"


def paint(text: str, codes: str, options: ReportOptions) -> str:
    """The text in a colour, where there are any."""
    return f"\x1b[{codes}m{text}\x1b[0m" if options.colour else text
