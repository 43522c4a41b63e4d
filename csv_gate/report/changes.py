"""What changed between two results: newly red, green again, gone. Pure; paths come from artifacts and are escaped here.

Red is what fails a build: denied on a target that blocks, or undecided, or short of a requirement of level error, and not waived.
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.model.checks.requirements import is_requirement
from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.model.verdict import Decision, Level
from csv_gate.records import dataclass
from csv_gate.report.escape import terminal

MAX_SHOWN = 20
"""Paths of one kind; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Paths of artifacts, each with a few words, sorted by path."""

    newly_red: tuple[tuple[str, str], ...]
    newly_green: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not (self.newly_red or self.newly_green or self.gone)


def changes(earlier: RunResult, now: RunResult) -> Changes:
    """Compare by path. Keeps the state of every earlier artifact in memory: a path and a few words each."""
    before = {row.artifact.path: _state(row) for row in earlier.artifacts}
    red, green = [], []
    for row in now.artifacts:
        path, state = row.artifact.path, _state(row)
        was = before.pop(path, None)
        if state.is_red and (was is None or not was.is_red):
            red.append((path, f"was {was.words}, is {state.words}" if was else f"new, {state.words}"))
        elif was is not None and was.is_red and not state.is_red:
            green.append((path, f"was {was.words}, is {state.words}"))
    gone = [(path, f"was {state.words}") for path, state in sorted(before.items())]
    return Changes(newly_red=tuple(red), newly_green=tuple(green), gone=tuple(gone))


def lines_of(found: Changes) -> Iterator[str]:
    """The changes for people, bounded in number."""
    if found.is_empty:
        yield "nothing turned red, green or away since the last result"
    for title, rows in (("newly red", found.newly_red), ("green again", found.newly_green), ("gone", found.gone)):
        if not rows:
            continue
        yield f"{title}: {len(rows)}"
        for path, words in rows[:MAX_SHOWN]:
            yield f"  {terminal(path, 200)}: {terminal(words, 200)}"
        if len(rows) > MAX_SHOWN:
            yield f"  and {len(rows) - MAX_SHOWN} more"


@dataclass(frozen=True, slots=True)
class _State:
    is_red: bool
    words: str


def _state(row: ArtifactResult) -> _State:
    failing = [
        verdict for verdict in row.verdicts if not verdict.audited and verdict.decision in (Decision.DENIED, Decision.UNDECIDED)
    ]
    unmet = sorted({one.check for one in row.findings if one.level is Level.ERROR and is_requirement(one.check)})
    if not failing and not unmet:
        decisions = sorted({verdict.decision.value for verdict in row.verdicts})
        return _State(False, ", ".join(decisions) or "not judged")
    if row.waiver is not None:
        return _State(False, f"waived by {row.waiver.id}")
    words = [f"{verdict.decision.value} on {verdict.target}" for verdict in failing]
    return _State(True, ", ".join((*words, *(f"short of {check}" for check in unmet))))
