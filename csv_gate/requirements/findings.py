"""From what is not met to findings, with the set's name, level and place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain

from csv_gate.globs import Glob
from csv_gate.model.checks.requirements import OPEN_CHECK
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.requirements.content import of_file, of_member
from csv_gate.requirements.model import RequirementSet
from csv_gate.requirements.seen import Seen
from csv_gate.requirements.signature import of_signature
from csv_gate.requirements.unmet import Unmet

MAX_FINDINGS = 12
"""Of one set for one artifact. Hostile bytes can hold many signatures."""
IDLE_SET = "CSV420"
IDLE_PATTERN = "CSV421"


def findings_for(wanted: RequirementSet, seen: Seen, evaluated_at: datetime, target: str | None = None) -> tuple[Finding, ...]:
    """What an artifact that the set means does not meet; empty: it meets everything. `target`: for which it is asked."""
    if seen.unread is not None:
        unread = Unmet(check=OPEN_CHECK, because="nothing of it is known", missing=f"content: {seen.unread.why}")
        return _findings(wanted, (unread,), target)
    demands = wanted.demands
    unmet = chain(of_signature(seen, demands, evaluated_at), of_file(seen, demands, evaluated_at))
    return _findings(wanted, unmet, target)


def findings_of_member(
    wanted: RequirementSet, container: str, seen: Seen, packages: Collection[str], target: str | None = None
) -> tuple[Finding, ...]:
    """What a container that the set means asks of its member."""
    return _findings(wanted, of_member(seen, container, packages), target)


def findings_of_unopened(wanted: RequirementSet, seen: Seen, target: str | None = None) -> tuple[Finding, ...]:
    """For a container of which not all is known, where the set may mean something in it."""
    if seen.unopened is None:
        return ()
    because = "something inside may be meant, and not all of it is known"
    return _findings(
        wanted, (Unmet(check=OPEN_CHECK, because=because, missing=f"what is inside: {seen.unopened.why}"),), target
    )


def _findings(wanted: RequirementSet, unmet: Iterable[Unmet], target: str | None) -> tuple[Finding, ...]:
    told = sorted(unmet, key=lambda one: one.is_open)
    found = tuple(dict.fromkeys(_finding(wanted, one, target) for one in told))
    if len(found) <= MAX_FINDINGS:
        return found
    last = found[MAX_FINDINGS - 1]
    more = len(found) - MAX_FINDINGS + 1
    message = f"requirement {wanted.name}: and {more} more that is not met"
    return (*found[: MAX_FINDINGS - 1], Finding(check=last.check, level=last.level, message=message, target=target))


def _finding(wanted: RequirementSet, one: Unmet, target: str | None) -> Finding:
    asked = "" if not one.is_open or one.check == OPEN_CHECK else f" ({one.check})"
    missing = "" if one.missing is None else f"; missing: {one.missing}"
    return Finding(
        check=OPEN_CHECK if one.is_open else one.check,
        level=wanted.level,
        message=f"requirement {wanted.name}{asked}: {one.because}{missing}",
        target=target,
        place=wanted.place,
        help=one.help or (_OPEN_HELP if one.is_open else ""),
    )


_OPEN_HELP = "supply what is missing; a waiver has to name this check"


def idle_findings(sets: Iterable[RequirementSet], used: Collection[tuple[str, str]], *, is_whole: bool) -> Iterator[Finding]:
    """The sets, and the patterns of sets, that mean no artifact of the run.

    `used`: (set, pattern) of everything that met something, the pattern empty for the set itself. `is_whole`: the run looked at folders,
    not only at files that were named one by one, of which a set may rightly mean none.
    """
    for one in sets:
        if (one.name, "") not in used:
            yield Finding(
                check=IDLE_SET,
                level=one.level if is_whole else _capped(one.level),
                message=f"requirement {one.name} means no artifact of this run, so it asks nothing of anything",
                place=one.place,
                help="mend its paths, formats or targets, or delete it",
            )
            continue
        for glob in patterns_of(one):
            if (one.name, glob.pattern) not in used:
                yield Finding(
                    check=IDLE_PATTERN,
                    level=_capped(one.level),
                    message=f"the pattern {glob.pattern!r} of requirement {one.name} means no artifact of this run",
                    place=one.place,
                    help="mend the pattern, or delete it",
                )


def _capped(level: Level) -> Level:
    return Level.WARNING if level is Level.ERROR else level


def patterns_of(wanted: RequirementSet) -> tuple[Glob, ...]:
    """Of the set and of the rows of its list."""
    return tuple(dict.fromkeys((*wanted.paths, *(glob for row in wanted.demands.wanted for glob in row.paths))))


def used_by(wanted: RequirementSet, scope: str) -> Iterator[tuple[str, str]]:
    """What of a set is used by an artifact that it means."""
    yield wanted.name, ""
    yield from ((wanted.name, glob.pattern) for glob in patterns_of(wanted) if glob.matches(scope))
