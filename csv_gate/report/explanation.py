"""`explain`: the page of a check, the list of checks, and the whole reasoning behind a verdict."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

from csv_gate.model.checks import CHECKS, CheckPage
from csv_gate.model.checks.requirements import is_requirement
from csv_gate.model.result import ArtifactResult, TargetRef
from csv_gate.model.verdict import NearMiss, Outcome, Step, Verdict
from csv_gate.report.describe import (
    Row,
    artifact_words,
    decision_words,
    fact_rows,
    owner_words,
    rule_row,
    rule_words,
)
from csv_gate.report.escape import terminal
from csv_gate.report.headline import mode_words
from csv_gate.report.options import ReportOptions

_SIGNS = {
    Outcome.ALLOWS: ("✓", "32"),
    Outcome.DENIES: ("✗", "1;31"),
    Outcome.NO_MATCH: ("·", "2"),
    Outcome.UNKNOWN: ("?", "33"),
    Outcome.SKIPPED: ("-", "2"),
}


def render_check_list(out: TextIO, options: ReportOptions) -> None:
    """Every check, one a line."""
    width = max(len(check.slug) for check in CHECKS.values())
    for check in CHECKS.values():
        out.write(f"{check.id}  {check.slug:<{width}}  {check.level.value:<7}  {check.title}\n")


def render_check_page(page: CheckPage, out: TextIO, options: ReportOptions) -> None:
    """What the check says, why it matters, how to mend it."""
    check = page.check
    out.write(_paint(f"{check.id} {check.slug}: {check.title}", "1", options) + f" ({check.level.value})\n")
    for heading, text in (("What", page.what), ("Why", page.why), ("How to mend", page.mend)):
        out.write("\n" + _paint(heading, "1", options) + "\n\n")
        out.write("\n".join(_prose(text, options.width)).rstrip("\n") + "\n")
    if url := options.check_url(check.id):
        out.write(f"\n{url}\n")


def _prose(text: str, width: int) -> Iterator[str]:
    """Paragraphs and list items are wrapped anew; code blocks stay as they are."""
    in_code = False
    paragraph: list[str] = []
    for line in (*text.split("\n"), ""):
        fence = line.lstrip().startswith("```")
        if in_code and not fence:
            yield "    " + line
        elif fence or not line.strip() or re.match(r"\s*([-*]|\d+\.) ", line):
            yield from _wrapped(paragraph, width)
            if not line.strip():
                yield ""
            paragraph = [line] if line.strip() and not fence else []
        else:
            paragraph.append(line)
        in_code ^= fence


def _wrapped(paragraph: Sequence[str], width: int) -> list[str]:
    if not paragraph:
        return []
    item = re.match(r"\s*(?:[-*]|\d+\.) ", paragraph[0])
    indent = " " * len(item.group()) if item else ""
    return textwrap.wrap(
        " ".join(line.strip() for line in paragraph),
        max(width, 40),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def render_explanation(result: ArtifactResult, targets: Sequence[TargetRef], out: TextIO, options: ReportOptions) -> None:
    """One artifact: its facts, then each verdict with every step that led to it, in the target's own order."""
    facts = result.artifact.facts
    out.write(f"  --> {terminal(result.artifact.path)} ({terminal(artifact_words(facts))})\n")
    named = {target.name: target for target in targets}
    for row in fact_rows(facts):
        _row(row, out, options)
    if result.owner is not None:
        _row(Row(label="owner", text=owner_words(result.owner)), out, options)
    if not result.verdicts and targets:
        out.write("\nno target judges it\n")
    for verdict in result.verdicts:
        _verdict(verdict, named.get(verdict.target), out, options)
    for finding in result.findings:
        if finding.target is None or is_requirement(finding.check):
            told = f" for {terminal(finding.target)}" if finding.target else ""
            out.write(f"\n{finding.level.value}[{terminal(finding.check)}]{told}: {terminal(finding.message)}\n")
            if finding.help and is_requirement(finding.check):
                out.write(f"  = help: {terminal(finding.help, 2_000)}\n")


def _verdict(verdict: Verdict, target: TargetRef | None, out: TextIO, options: ReportOptions) -> None:
    judged = mode_words(target) if target else verdict.target
    out.write(f"\nfor {terminal(judged)}: {_paint(terminal(decision_words(verdict)), '1', options)}\n")
    if verdict.because:
        _row(Row(label="because", text=verdict.because), out, options)
    if verdict.rule is not None:
        _row(rule_row(verdict.rule), out, options)
    for check in verdict.checks:
        _row(Row(label="check", text=f"{check} {CHECKS[check].title if check in CHECKS else ''}".rstrip()), out, options)
    for missing in verdict.missing:
        _row(Row(label="missing", text=missing), out, options)
    if verdict.predicted_event is not None:
        _row(Row(label="event", text=f"the target would log event {verdict.predicted_event}"), out, options)
    if verdict.trace:
        out.write("\n  how it was decided\n")
        for number, step in enumerate(verdict.trace, 1):
            _step(number, step, out, options)
    if verdict.nearest:
        out.write("\n  rules that almost allowed it\n")
        for miss in verdict.nearest:
            _miss(miss, out, options)
    if verdict.help:
        out.write(f"\n  = help: {terminal(verdict.help, 2_000)}\n")


def _step(number: int, step: Step, out: TextIO, options: ReportOptions) -> None:
    sign, colour = _SIGNS[step.outcome]
    what = rule_words(step.rule) if step.rule else step.policy
    where = f" at {step.rule.place}" if step.rule and step.rule.place else ""
    lead = f"  {number:>4} {_paint(sign, colour, options)} "
    text = f"{what}{where}: {step.outcome.value.replace('_', ' ')}: {step.because}"
    for index, line in enumerate(_wrap(text, options.width - 9)):
        out.write((lead if index == 0 else "       | ") + line + "\n")


def _miss(miss: NearMiss, out: TextIO, options: ReportOptions) -> None:
    where = f" at {miss.rule.place}" if miss.rule.place else ""
    out.write(f"   | {terminal(rule_words(miss.rule) + where)}\n")
    for agrees in miss.matched:
        out.write(f"   |   {_paint('=', '32', options)} {terminal(agrees)}\n")
    out.write(f"   |   {_paint('≠', '1;31', options)} {terminal(miss.differs)}\n")


def _row(row: Row, out: TextIO, options: ReportOptions) -> None:
    for index, line in enumerate(_wrap(row.text, options.width - 14)):
        out.write(f"   | {row.label if index == 0 else '':<8} {line}\n")


def _wrap(text: str, room: int) -> list[str]:
    return textwrap.wrap(terminal(text, 2_000), max(room, 24), break_long_words=False, break_on_hyphens=False) or [""]


def _paint(text: str, codes: str, options: ReportOptions) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if options.colour else text
