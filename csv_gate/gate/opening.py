"""Which members of containers a run looks at, and the opening of one listed file as a container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from csv_gate.containers import OPENERS
from csv_gate.gate.engines import wanted_formats
from csv_gate.gate.plan import Plan
from csv_gate.limits import Limits
from csv_gate.records import dataclass
from csv_gate.scan import Content, Entry

if TYPE_CHECKING:
    from csv_gate.containers import Found, Questions
    from csv_gate.gate.meaning import Requirements
    from csv_gate.requirements import RequirementSet


@dataclass(frozen=True, slots=True)
class Selection:
    """The patterns of a run, for the members of one listed file. What includes a container includes what is in it."""

    plan: Plan
    entry: Entry

    def is_excluded(self, scope: str) -> bool:
        return self.plan.exclude.matches(scope)

    def is_included(self, scope: str) -> bool:
        if self.entry.is_included or not self.plan.include:
            return True
        from csv_gate.containers.member import INSIDE

        at = len(self.entry.scope)
        while (at := scope.find(INSIDE, at)) >= 0:
            if self.plan.include.matches(scope[:at]):
                return True
            at += len(INSIDE)
        return self.plan.include.matches(scope)

    def may_hold(self, scope: str) -> bool:
        """Whether the member, if it is a container, may hold something included."""
        return self.plan.include.may_reach(scope + "!")


class Looked:
    """What a run looks at: the formats that its targets judge, and the artifacts that its requirements are about."""

    def __init__(self, plan: Plan) -> None:
        self.formats = wanted_formats(plan.targets)
        self.sets: tuple[RequirementSet, ...] = ()
        """The requirements that concern the run."""
        self._requirements: Requirements | None = None
        if plan.requirements:
            from csv_gate.gate.meaning import Requirements  # with the room of requirements behind it

            self._requirements = Requirements(plan)
            self.sets = self._requirements.sets

    def wants(self, scope: str, format: str) -> bool:
        return format in self.formats or (self._requirements is not None and self._requirements.wants(scope, format))

    def used_by(self, scope: str, format: str) -> Iterable[tuple[str, str]]:
        """(requirement, pattern) of what means an artifact."""
        return () if self._requirements is None else self._requirements.used_by(scope, format)

    def perhaps_used_by(self, scope: str) -> Iterable[tuple[str, str]]:
        """The same of what could not be read, and so may be anything."""
        return () if self._requirements is None else self._requirements.perhaps_used_by(scope)


@dataclass(frozen=True, slots=True)
class JudgedMembers:
    """Asks for the members that are looked at; `None`: for all."""

    selection: Selection
    looked: Looked | None

    def passes(self, path: str) -> bool:
        selection = self.selection
        return not selection.is_excluded(path) and (selection.is_included(path) or selection.may_hold(path))

    def wants(self, path: str, format: str) -> bool:
        return (self.looked is None or self.looked.wants(path, format)) and self.selection.is_included(path)


def container_format(content: Content, name: str, limits: Limits) -> str | None:
    """The format of a file that is a container; what its name makes a script is none."""
    from csv_gate.formats.identification import identify  # not where all facts are kept

    format = identify(content, name=name, limits=limits)
    return format if format in OPENERS else None


def members(plan: Plan, entry: Entry, content: Content, format: str, questions: Questions) -> Iterator[Found]:
    """What is found in a listed file; last the file itself. Paths begin with the entry's scope."""
    from csv_gate.containers import Budget, walk_container

    budget = Budget(plan.limits, len(content), plan.stopwatch)
    return walk_container(content, entry.scope, format, questions, budget)
