"""Findings as a person reads them in a terminal: like the diagnostics of a good compiler.

Artifacts with one and the same cause are shown in full a few times and then listed, so that one missing rule does not bury the
others. No line starts with text from an artifact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Level
from csv_gate.report.describe import Row, artifact_words, rows
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run
from csv_gate.report.escape import terminal
from csv_gate.report.options import ReportOptions
from csv_gate.report.text import paint

_LISTED_MAX = 2_000
"""Paths remembered for the lists of artifacts with one cause; beyond that only their number is told."""
_CAUSES_MAX = 1_000
_COLOURS = {Level.ERROR: "1;31", Level.WARNING: "1;33", Level.NOTE: "1;36"}
_GUTTER = "   | "


def write_findings(
    artifacts: Iterable[ArtifactResult], findings: Iterable[Finding], out: TextIO, options: ReportOptions
) -> None:
    """Those of artifacts, in their order, then `findings` of the run."""
    writer = _Writer(out, options)
    seen: Counter[tuple[str, ...]] = Counter()
    listed: dict[tuple[str, ...], list[str]] = {}
    examples: dict[tuple[str, ...], tuple[str, Diagnostic]] = {}
    remembered = 0
    for artifact in artifacts:
        with_facts = True
        for diagnostic in shown(artifact, options):
            cause = diagnostic.cause if diagnostic.cause in examples or len(examples) < _CAUSES_MAX else ("…",)
            seen[cause] += 1
            if seen[cause] <= options.full_per_cause:
                examples.setdefault(cause, (artifact.artifact.path, diagnostic))
                writer.diagnostic(artifact, diagnostic, with_facts=with_facts)
                with_facts = False
            elif remembered < _LISTED_MAX:
                remembered += 1
                listed.setdefault(cause, []).append(artifact.artifact.path)
    for cause, (path, diagnostic) in examples.items():
        if (more := seen[cause] - options.full_per_cause) > 0:
            writer.listing(path, diagnostic, listed.get(cause, []), more)
    for finding in findings:
        if _is_shown(finding.level, options):
            writer.run_finding(of_run(finding))


def shown(artifact: ArtifactResult, options: ReportOptions) -> Iterator[Diagnostic]:
    """The diagnostics that the verbosity asks for."""
    for diagnostic in diagnostics(artifact):
        level = Level.NOTE if diagnostic.waiver else diagnostic.level
        if _is_shown(level, options):
            yield diagnostic


def _is_shown(level: Level, options: ReportOptions) -> bool:
    return level is Level.ERROR or options.verbosity >= (0 if level is Level.WARNING else 1)


class _Writer:
    """Lays out one diagnostic after another."""

    def __init__(self, out: TextIO, options: ReportOptions) -> None:
        self.out = out
        self.options = options

    def diagnostic(self, artifact: ArtifactResult, diagnostic: Diagnostic, *, with_facts: bool) -> None:
        self._head(diagnostic)
        path, facts = artifact.artifact.path, artifact.artifact.facts
        self.out.write(f"  {self._blue('-->')} {terminal(path)} {self._dim(f'({terminal(artifact_words(facts))})')}\n")
        for row in rows(artifact, diagnostic, with_facts=with_facts):
            self._row(row)
        if self.options.verbosity >= 2 and diagnostic.verdict is not None:
            for step in diagnostic.verdict.trace:
                rule = f"{step.rule.id}: " if step.rule else ""
                self._row(Row(label="trace", text=f"{step.policy}: {rule}{step.outcome.value}: {step.because}"))
        self._help(diagnostic)
        self.out.write("\n")

    def run_finding(self, diagnostic: Diagnostic) -> None:
        self._head(diagnostic)
        if diagnostic.place is not None:
            self.out.write(f"  {self._blue('-->')} {terminal(str(diagnostic.place))}\n")
        if diagnostic.target is not None:
            self._row(Row(label="target", text=diagnostic.target))
        self._help(diagnostic)
        self.out.write("\n")

    def listing(self, path: str, diagnostic: Diagnostic, paths: list[str], count: int) -> None:
        target = f" (target {terminal(diagnostic.target)})" if diagnostic.target else ""
        like = f"{count} more artifact{'s' * (count != 1)} for the same cause as {terminal(path)}{target}"
        self._line(self._label(diagnostic), like, "  ")
        for other in paths:
            self.out.write(f"{self._blue(_GUTTER)}{terminal(other)}\n")
        if (rest := count - len(paths)) > 0:
            self.out.write(f"{self._blue(_GUTTER)}… and {rest} more, all in the JSON result\n")
        self.out.write("\n")

    def _head(self, diagnostic: Diagnostic) -> None:
        self._line(self._label(diagnostic), terminal(diagnostic.message), "  ")

    def _label(self, diagnostic: Diagnostic) -> tuple[str, str]:
        level = "waived" if diagnostic.waiver else diagnostic.level.value
        colour = _COLOURS[Level.NOTE if diagnostic.waiver else diagnostic.level]
        return f"{level}[{terminal(diagnostic.check)}]", colour

    def _line(self, label: tuple[str, str], text: str, indent: str) -> None:
        word, colour = label
        lines = self._wrap(f"{word}: {text}", indent=indent + "| ")
        first = lines[0].replace(word, self._linked(paint(word, colour, self.options), word), 1)
        self.out.write("\n".join((first, *lines[1:])) + "\n")

    def _linked(self, painted: str, word: str) -> str:
        """The label as a hyperlink to the check's page. An address that a terminal would obey is none."""
        page = self.options.check_url(word.rpartition("[")[2].rstrip("]")) if self.options.links else None
        if page is None or terminal(page, len(page)) != page:
            return painted
        return f"\x1b]8;;{page}\x1b\\{painted}\x1b]8;;\x1b\\"

    def _row(self, row: Row) -> None:
        lead = f"{_GUTTER}{row.label:<8} "
        rest = f"{_GUTTER}{'':<8} "
        for number, line in enumerate(self._wrap(terminal(row.text, 2_000), room=self.options.width - len(lead))):
            self.out.write(f"{self._blue(lead if number == 0 else rest)}{line}\n")

    def _help(self, diagnostic: Diagnostic) -> None:
        if diagnostic.help:
            wrapped = self._wrap(terminal(diagnostic.help, 2_000), room=self.options.width - 11)
            self.out.write(f"   {self._blue('=')} help: {wrapped[0]}\n")
            for line in wrapped[1:]:
                self.out.write(f"   {self._blue('|')}       {line}\n")
        page = self.options.check_url(diagnostic.check) or f"csv-gate explain {diagnostic.check}"
        if self.options.verbosity >= 0 and not diagnostic.waiver:
            self.out.write(f"   {self._blue('=')} more: {terminal(page)}\n")

    def _wrap(self, text: str, *, indent: str = "", room: int | None = None) -> list[str]:
        width = max(room if room is not None else self.options.width, 24)
        if len(text) <= width and not text.endswith(" ") and "\t" not in text:
            return [text]
        import textwrap  # a green run tells nothing so long

        return textwrap.wrap(
            text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
        ) or [""]

    def _blue(self, text: str) -> str:
        return paint(text, "34", self.options)

    def _dim(self, text: str) -> str:
        return paint(text, "2", self.options)
