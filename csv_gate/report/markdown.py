"""The result as Markdown: for a job's summary, a comment on a change, a ticket.

Bounded, because GitHub drops a step summary above one mebibyte: what does not fit is counted.
Every character of an artifact that Markdown or HTML gives a meaning is a character reference.
"""

from __future__ import annotations

from typing import TextIO

from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.model.verdict import Level
from csv_gate.report.causes import Cause, gather
from csv_gate.report.describe import artifact_words, rows
from csv_gate.report.diagnostics import Diagnostic, title
from csv_gate.report.escape import markdown, markdown_code
from csv_gate.report.headline import counted, headline, mode_words
from csv_gate.report.options import ReportOptions
from csv_gate.report.text_findings import shown

_CAUSES_SHOWN = 50
_ARTIFACTS_SHOWN = 100
_BYTES_MAX = 700_000
_SIGNS = {Level.ERROR: "❌", Level.WARNING: "⚠️", Level.NOTE: "ℹ️"}


def render_markdown(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Headline, counts, causes, then the artifacts with their reasons folded away."""
    summary = result.summary
    good = summary.exit_code == 0
    out.write(f"## {'✅' if good else '❌'} csv-gate: {headline(result)}\n\n")
    for target in result.targets:
        out.write(f"- judged for {markdown(mode_words(target))}\n")
    if options.run_url:
        out.write(f"- [the run]({options.run_url})\n")
    _counts(result, out)
    causes = [cause for cause in gather(result) if cause.level is not Level.NOTE or options.verbosity >= 1]
    if causes:
        _causes(causes, out, options)
        _artifacts(result, out, options)


def _counts(result: RunResult, out: TextIO) -> None:
    named = [(word[:1].upper() + word[1:], count) for word, count in counted(result.summary)]
    out.write("\n| " + " | ".join(name for name, _ in named) + " |\n|" + " ---: |" * len(named))
    out.write("\n| " + " | ".join(str(count) for _, count in named) + " |\n")


def _causes(causes: list[Cause], out: TextIO, options: ReportOptions) -> None:
    out.write("\n| | Check | What | Target | Artifacts | Owner |\n| --- | --- | --- | --- | ---: | --- |\n")
    for cause in causes[:_CAUSES_SHOWN]:
        cells = (
            _SIGNS[cause.level],
            _check(cause.first, options),
            markdown(cause.first.message, 300),
            markdown(cause.first.target or "", 100),
            str(cause.count) if cause.paths else "",
            markdown(", ".join(sorted(cause.owners)), 200),
        )
        out.write("| " + " | ".join(cells) + " |\n")
    if (more := len(causes) - _CAUSES_SHOWN) > 0:
        out.write(f"\nand {more} more causes, all in the JSON result\n")


def _check(one: Diagnostic, options: ReportOptions) -> str:
    name = markdown(one.check)
    return f"[{name}]({page})" if (page := options.check_url(one.check)) and one.check.isalnum() else name


def _artifacts(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    out.write("\n")
    written = told = left = 0
    for artifact in result.artifacts:
        for one in shown(artifact, options):
            if told >= _ARTIFACTS_SHOWN or written >= _BYTES_MAX:
                left += 1
                continue
            told += 1
            block = _block(artifact, one)
            written += len(block.encode())
            out.write(block)
    if left:
        out.write(f"and {left} more, all in the JSON result\n")


def _block(artifact: ArtifactResult, one: Diagnostic) -> str:
    level = "waived" if one.waiver else one.level.value
    head = f"{level} {markdown(one.check)}: {markdown_code(artifact.artifact.path, 300)}"
    target = f" for {markdown(one.target, 100)}" if one.target else ""
    lines = [
        f"<details><summary>{head}{target}</summary>\n\n",
        f"**{markdown(title(one.check))}**: {markdown(one.message)}\n\n",
    ]
    lines.append("| | |\n| --- | --- |\n")
    lines.append(f"| file | {markdown(artifact_words(artifact.artifact.facts))} |\n")
    lines += [f"| {row.label} | {markdown(row.text)} |\n" for row in rows(artifact, one)]
    if one.help:
        lines.append(f"| help | {markdown(one.help)} |\n")
    return "".join(lines) + "\n</details>\n\n"
