"""Diagnostics gathered by cause, for places that have room for few lines: annotations, summaries."""

from __future__ import annotations

from collections.abc import Iterable

from csv_gate.model.result import RunResult
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, field
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run

_CAUSES_MAX = 1_000
_EXAMPLES_MAX = 5


@dataclass(slots=True, kw_only=True)
class Cause:
    """All diagnostics with one cause."""

    first: Diagnostic
    level: Level
    """Note where all are waived."""
    count: int = 0
    paths: list[str] = field(default_factory=list)
    """The first few artifacts; empty for what concerns the run as a whole."""
    owners: set[str] = field(default_factory=set)
    """Of the first few artifacts."""


def gather(result: RunResult) -> list[Cause]:
    """Gravest first, then by number, then in the order met. What comes after a thousand causes is told with the last of its level."""
    causes: dict[tuple[str, ...], Cause] = {}
    for artifact in result.artifacts:
        for one in diagnostics(artifact):
            level = Level.NOTE if one.waiver else one.level
            key = (level.value, *one.cause) if len(causes) < _CAUSES_MAX else (level.value,)
            cause = causes.setdefault(key, Cause(first=one, level=level))
            cause.count += 1
            if len(cause.paths) < _EXAMPLES_MAX:
                cause.paths.append(artifact.artifact.path)
                if artifact.owner is not None:
                    cause.owners.add(artifact.owner.name)
    gathered = [*causes.values(), *(Cause(first=of_run(one), level=one.level, count=1) for one in result.findings)]
    return sorted(gathered, key=lambda cause: (-cause.level.rank, -cause.count))


def of_level(causes: Iterable[Cause], level: Level, room: int) -> tuple[list[Cause], int]:
    """The causes of a level that there is room for, and how many are left."""
    mine = [cause for cause in causes if cause.level is level]
    return mine[:room], max(0, len(mine) - room)


def sentence(cause: Cause) -> str:
    """The cause in one raw line: artifacts and message."""
    if not cause.paths:
        return cause.first.message
    more = cause.count - 1
    others = f" and {more} more artifact{'s' * (more != 1)}" if more else ""
    target = f" for {cause.first.target}" if cause.first.target else ""
    return f"{cause.paths[0]}{others}{target}: {cause.first.message}"
