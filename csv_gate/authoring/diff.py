"""Two policies compared by what they do: order, ids and names of rules count for nothing."""

from __future__ import annotations

from collections.abc import Mapping

from csv_gate.authoring.meaning import Key, Statement, properties, roles, statements
from csv_gate.authoring.words import Direction
from csv_gate.model.appcontrol import AppControlPolicy, Option
from csv_gate.records import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """A property that differs; `None`: not there."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDiff:
    """What the second policy does that the first did not, and the other way round. Sorted; empty throughout for equal meanings."""

    properties: tuple[PropertyChange, ...] = ()
    options_added: tuple[Option, ...] = ()
    options_removed: tuple[Option, ...] = ()
    signers_added: tuple[tuple[str, str], ...] = ()
    """(role, signer) of update, supplemental and CI signers."""
    signers_removed: tuple[tuple[str, str], ...] = ()
    becomes_allowed: tuple[Statement, ...] = ()
    no_longer_allowed: tuple[Statement, ...] = ()
    becomes_denied: tuple[Statement, ...] = ()
    no_longer_denied: tuple[Statement, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(getattr(self, one.name) for one in fields(self))


def diff(old: AppControlPolicy, new: AppControlPolicy) -> PolicyDiff:
    """Compare two policies, of whatever form each."""
    before, after = statements(old), statements(new)
    added, removed = _missing(after, before), _missing(before, after)
    old_roles, new_roles = roles(old), roles(new)
    return PolicyDiff(
        properties=_property_changes(properties(old), properties(new)),
        options_added=_options(new.options - old.options),
        options_removed=_options(old.options - new.options),
        signers_added=tuple(sorted(new_roles[key] for key in new_roles.keys() - old_roles.keys())),
        signers_removed=tuple(sorted(old_roles[key] for key in old_roles.keys() - new_roles.keys())),
        becomes_allowed=_directed(added, Direction.ALLOW),
        no_longer_allowed=_directed(removed, Direction.ALLOW),
        becomes_denied=_directed(added, Direction.DENY),
        no_longer_denied=_directed(removed, Direction.DENY),
    )


def _missing(here: Mapping[Key, Statement], there: Mapping[Key, Statement]) -> list[Statement]:
    return [statement for key, statement in here.items() if key not in there]


def _directed(found: list[Statement], direction: Direction) -> tuple[Statement, ...]:
    mine = [statement for statement in found if statement.direction is direction]
    return tuple(sorted(mine, key=lambda statement: (-statement.scenario, statement.group, statement.what)))


def _property_changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[PropertyChange, ...]:
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        PropertyChange(name=name, old=old.get(name), new=new.get(name))
        for name in sorted(names)
        if old.get(name) != new.get(name)
    )


def _options(options: frozenset[Option]) -> tuple[Option, ...]:
    return tuple(sorted(options, key=lambda option: (option.number is None, option.number or 0, option.text)))
