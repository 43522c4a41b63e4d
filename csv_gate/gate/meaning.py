"""Which of a run's requirements are about which artifact. Loaded only where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from csv_gate.containers import INSIDE
from csv_gate.formats import PACKAGES
from csv_gate.gate.plan import Plan
from csv_gate.requirements import RequirementSet
from csv_gate.requirements.findings import patterns_of, used_by
from csv_gate.requirements.model import can_be_signed

LEFT_CLOSED = frozenset({"ar", "ole"})
"""Formats that hold files and that nothing here may open: what is in them is not known."""


class Requirements:
    """The sets that concern a run."""

    def __init__(self, plan: Plan) -> None:
        names = {target.name for target in plan.targets}
        self._plan = plan
        self._takes: Mapping[str, Callable[[str], bool]] = {target.name: target.takes for target in plan.targets}
        self.sets = tuple(one for one in plan.requirements if not one.targets or names.intersection(one.targets))

    def meaning(self, scope: str, format: str) -> Iterator[RequirementSet]:
        """The sets that are about an artifact itself."""
        for one in self.sets:
            if one.means(scope, format, PACKAGES) and (not one.targets or self.taken_by(one, scope)):
                yield one

    def may_look_inside(self, scope: str, format: str) -> bool:
        """Whether a set that may be about a container around it asks for it: the container's own format is not known yet."""
        if INSIDE not in scope or not (can_be_signed(format, PACKAGES) or format in LEFT_CLOSED):
            return False
        outers = list(around(scope))
        return any(
            one.demands.no_unsigned_content and any(not one.paths or one.paths.matches(outer) for outer in outers)
            for one in self.sets
        )

    def wants(self, scope: str, format: str) -> bool:
        return next(self.meaning(scope, format), None) is not None or self.may_look_inside(scope, format)

    def used_by(self, scope: str, format: str) -> Iterator[tuple[str, str]]:
        """(set, pattern) of what means an artifact."""
        for one in self.meaning(scope, format):
            yield from used_by(one, scope)

    def perhaps_used_by(self, scope: str) -> Iterator[tuple[str, str]]:
        """(set, pattern) of what may mean something that could not be read, or something in it."""
        for one in self.sets:
            reached = [pattern for pattern in patterns_of(one) if pattern.matches(scope) or pattern.may_reach(scope)]
            reached += [pattern for pattern in patterns_of(one) if pattern.may_reach(f"{scope}!")]
            if reached or not one.paths:
                yield one.name, ""
                yield from ((one.name, pattern.pattern) for pattern in reached)

    def taken_by(self, one: RequirementSet, scope: str) -> tuple[str, ...]:
        return tuple(name for name in one.targets if name in self._takes and self._takes[name](scope))


def around(scope: str) -> Iterator[str]:
    """The containers that an artifact is in, outermost first."""
    at = scope.find(INSIDE)
    while at >= 0:
        yield scope[:at]
        at = scope.find(INSIDE, at + len(INSIDE))
