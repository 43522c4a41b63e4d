"""What a run's requirements find of an artifact and of what is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from csv_gate.containers import OPENERS
from csv_gate.formats import PACKAGES
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.meaning import LEFT_CLOSED, Requirements, around
from csv_gate.gate.plan import Plan
from csv_gate.model.facts import FactName, Facts, SignatureSource
from csv_gate.model.result import Finding
from csv_gate.records import dataclass, replace
from csv_gate.requirements import RequirementSet, Seen
from csv_gate.requirements.findings import findings_for, findings_of_member, findings_of_unopened

Formats = Mapping[str, str]
"""Scope -> format of the containers of one listed file that were looked at."""


@dataclass(frozen=True)
class _ForTarget:
    """A set as it is asked: for one target, or whatever the target."""

    wanted: RequirementSet
    target: str | None


class RequirementJudge:
    """Requirements made ready to judge, once in each process."""

    def __init__(self, plan: Plan, catalogs: Catalogs) -> None:
        self._plan = plan
        self._requirements = Requirements(plan)
        self._catalogs = catalogs

    @cached_property
    def _foreign(self) -> Mapping[str | None, frozenset[str]]:
        """SHA-256 of the catalogs that sign nothing, on a target or whatever the target."""
        foreign: dict[str | None, frozenset[str]] = {None: self._catalogs.foreign_to((), lambda scope: True)}
        for target in self._plan.targets:
            foreign[target.name] = self._catalogs.foreign_to(target.catalogs, target.takes)
        return foreign

    def findings(self, scope: str, facts: Facts, containers: Formats, *, is_folder: bool = False) -> tuple[Finding, ...]:
        """What an artifact does not meet, in the order of the sets. `containers`: those of the same listed file."""
        if not self._requirements.sets:
            return ()
        found: dict[Finding, None] = {}
        for asked in self._asked(scope, facts, is_folder=is_folder):
            seen = self._seen(scope, facts, asked)
            found |= dict.fromkeys(findings_for(asked.wanted, seen, self._plan.evaluated_at, asked.target))
        for asked in self._asked_inside(scope, facts):
            found |= dict.fromkeys(findings_of_unopened(asked.wanted, self._seen(scope, facts, asked), asked.target))
        for outer in around(scope):
            if outer not in containers:
                continue
            for asked in self._targets_of(self._requirements.meaning(outer, containers[outer]), outer):
                if asked.wanted.demands.no_unsigned_content:
                    seen = self._seen(scope, facts, asked)
                    found |= dict.fromkeys(findings_of_member(asked.wanted, outer, seen, PACKAGES, asked.target))
        return tuple(found)

    def means(self, scope: str, format: str) -> bool:
        return self._requirements.wants(scope, format)

    def _asked(self, scope: str, facts: Facts, *, is_folder: bool) -> Iterator[_ForTarget]:
        is_unread = any(gap.what is FactName.CONTENT for gap in facts.gaps)
        if not is_unread:
            yield from self._targets_of(self._requirements.meaning(scope, facts.format), scope)
            return
        # It may be of any format, and be a container, or a folder, of anything.
        for one in self._requirements.sets:
            holds = is_folder and one.reaches_into(scope)
            inside = self._plan.opens_containers and one.reaches_into(f"{scope}!")
            if not one.paths or one.paths.matches(scope) or holds or inside:
                yield from (_ForTarget(one, name) for name in self._all_targets(one))

    def _asked_inside(self, scope: str, facts: Facts) -> Iterator[_ForTarget]:
        if any(gap.what is FactName.MEMBERS for gap in facts.gaps):
            for one in self._requirements.sets:
                if one.reaches_into(f"{scope}!"):
                    yield from (_ForTarget(one, name) for name in self._all_targets(one))

    def _targets_of(self, sets: Iterator[RequirementSet], scope: str) -> Iterator[_ForTarget]:
        for one in sets:
            names: Collection[str | None] = self._requirements.taken_by(one, scope) if one.targets else (None,)
            yield from (_ForTarget(one, name) for name in names)

    def _all_targets(self, one: RequirementSet) -> tuple[str | None, ...]:
        known = {target.name for target in self._plan.targets}
        return tuple(name for name in one.targets if name in known) if one.targets else (None,)

    def _seen(self, scope: str, facts: Facts, asked: _ForTarget) -> Seen:
        listed = asked.wanted.demands.listed
        hidden = self._foreign[asked.target] - (listed.catalogs if listed else frozenset())
        kept = tuple(
            one for one in facts.signatures if one.source is not SignatureSource.CATALOG or one.catalog_sha256 not in hidden
        )
        can_open = facts.format in OPENERS
        return Seen(
            scope=scope,
            facts=replace(facts, signatures=kept),
            all_facts=facts,
            holds_members=can_open or facts.format in PACKAGES or facts.format in LEFT_CLOSED,
            is_opened=can_open and self._plan.opens_containers,
        )
