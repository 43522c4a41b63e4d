"""Requirement sets and what they look at, one keyword per property."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csv_gate.errors import Place
from csv_gate.globs import GlobSet
from csv_gate.model.facts import Facts
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.requirements import Demands, RequirementSet, Seen, findings_for
from tests.builders.facts import NOW

PACKAGES = frozenset({"nupkg"})


def requirement(
    *,
    name: str = "shipped",
    paths: Sequence[str] = (),
    formats: Sequence[str] = (),
    targets: Sequence[str] = (),
    level: Level = Level.ERROR,
    **demands: Any,
) -> RequirementSet:
    """A set that asks for `demands`."""
    return RequirementSet(
        name=name,
        demands=Demands(**demands),
        level=level,
        paths=GlobSet.of(paths),
        formats=frozenset(formats),
        targets=tuple(targets),
        place=Place(path="csv-gate.yaml", line=4, column=3),
    )


def seen(facts: Facts, *, scope: str = "out/app.dll", holds_members: bool = False, is_opened: bool = False) -> Seen:
    return Seen(scope=scope, facts=facts, all_facts=facts, holds_members=holds_members, is_opened=is_opened)


def judged(facts: Facts, *, scope: str = "out/app.dll", **demands: Any) -> tuple[Finding, ...]:
    """What a set that asks for `demands` finds of these facts, at `NOW`."""
    return findings_for(requirement(**demands), seen(facts, scope=scope), NOW)


def checks(found: Sequence[Finding]) -> list[str]:
    return [finding.check for finding in found]
