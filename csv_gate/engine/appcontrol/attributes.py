"""Attribute rules: names, version, path, package and calling process, all of which must hold (AND inside a rule).

`*` alone stands for any name, a missing one included. A file without a version resource has no names. Attributes with names are found
through their first name, so that thousands of them cost one lookup.

Source: App Control docs, "Understand App Control policy rules and file rules" (specific file name levels) and "Use an App Control
policy to control specific plug-ins, add-ins, and modules" (AppIDs).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csv_gate.engine.appcontrol.hashes import NO_HASHES, HashIndex, index_hashes
from csv_gate.engine.appcontrol.names import same_name, wide_key
from csv_gate.engine.appcontrol.paths import path_matches
from csv_gate.engine.appcontrol.truth import (
    CONTEXT,
    FACT,
    FALSE,
    NOT_SPECIFIED,
    Answer,
    Direction,
    Truth,
    all_of,
    any_of,
    no,
    unknown,
    yes,
)
from csv_gate.engine.appcontrol.versions import is_unbounded, version_matches
from csv_gate.engine.appcontrol.view import NAME_LABELS, ArtifactView
from csv_gate.model.appcontrol import FileRule, FileRuleKind
from csv_gate.records import dataclass

ANY_NAME = "*"


def rule_names(rule: FileRule) -> tuple[str | None, ...]:
    """In the order of `NAME_LABELS`."""
    return (rule.file_name, rule.internal_name, rule.file_description, rule.product_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """File rules of one use (a scenario's allow or deny rules, a signer's attributes or exceptions), any of which may match."""

    hashes: HashIndex
    by_name: dict[tuple[int, str], tuple[FileRule, ...]]
    named: tuple[int, ...]
    """The fields of `by_name`, in order: other names of a file are not looked at."""
    others: tuple[FileRule, ...]
    """Rules that no concrete name leads to."""
    unprotected: Truth = FALSE
    """Whether option 18 lifts the write check for path rules here."""

    @property
    def is_empty(self) -> bool:
        return not (self.others or self.by_name or self.hashes.rules)

    def matches(self, view: ArtifactView, direction: Direction) -> list[tuple[FileRule, Answer]]:
        """Every rule that matches or may match, in no particular order."""
        hit = self.hashes.match(view, direction) if self.hashes.rules else None
        found = [] if hit is None else [hit]
        for rule in self._candidates(view) if self.named else self.others:
            answer = match_attributes(rule, view, direction, self.unprotected)
            if answer.truth is not FALSE:
                found.append((rule, answer))
        return found

    def any_match(self, view: ArtifactView, direction: Direction) -> Answer:
        """Whether some rule matches."""
        return any_of(answer for _, answer in sorted(self.matches(view, direction), key=lambda hit: hit[0].id))

    def _candidates(self, view: ArtifactView) -> Iterator[FileRule]:
        yield from self.others
        if view.names_gap is not None:
            for rules in self.by_name.values():
                yield from rules
            return
        for field in self.named:
            if (key := view.name_key(field)) is not None:
                yield from self.by_name.get((field, key), ())

    @property
    def attribute_rules(self) -> Iterator[FileRule]:
        yield from self.others
        for rules in self.by_name.values():
            yield from rules


def index_rules(rules: Iterable[FileRule], unprotected: Truth = FALSE) -> RuleSet:
    """Sort rules into their indexes."""
    hashed: list[FileRule] = []
    by_name: dict[tuple[int, str], list[FileRule]] = {}
    others: list[FileRule] = []
    for rule in rules:
        if rule.hash is not None:
            hashed.append(rule)
        elif (key := _first_name(rule)) is not None:
            by_name.setdefault(key, []).append(rule)
        else:
            others.append(rule)
    return RuleSet(
        hashes=index_hashes(hashed) if hashed else NO_HASHES,
        by_name={key: tuple(group) for key, group in by_name.items()},
        named=tuple(sorted({field for field, _ in by_name})) if by_name else (),
        others=tuple(others),
        unprotected=unprotected,
    )


def _first_name(rule: FileRule) -> tuple[int, str] | None:
    """The field and wide key of the first concrete name that a rule wants."""
    for field, name in enumerate(rule_names(rule)):
        if name and name != ANY_NAME:
            return field, wide_key(name)
    return None


def match_attributes(rule: FileRule, view: ArtifactView, direction: Direction, unprotected: Truth) -> Answer:
    """Compare one rule that is not a hash rule."""
    return all_of(conditions(rule, view, direction, unprotected))


def conditions(rule: FileRule, view: ArtifactView, direction: Direction, unprotected: Truth) -> Iterator[Answer]:
    """Each condition of a rule in turn, names first because they are cheap and usually decide."""
    compares = False
    for field, wanted in enumerate(rule_names(rule)):
        if wanted is not None:
            compares = True
            yield _name_matches(view, field, wanted)
    if rule.app_ids:
        yield _caller_matches(rule, view)
    if rule.package_family_name is not None:
        compares = True
        yield _package_matches(rule, view, direction)
    else:
        yield version_matches(rule.versions, direction, view.version, view.version_gap)
    if rule.file_path is not None:
        compares = True
        yield path_matches(rule.file_path, direction, view.context, kernel=view.kernel, unprotected=unprotected)
    if rule.require_hotpatch_id is not None or rule.minimum_hotpatch_sequence or rule.maximum_hotpatch_sequence:
        yield unknown(NOT_SPECIFIED, "how Windows applies the hotpatch conditions of a rule")
    if not compares:
        yield unknown(NOT_SPECIFIED, "what a rule matches that names neither hash, name, path nor package")


def _name_matches(view: ArtifactView, field: int, wanted: str) -> Answer:
    if wanted == ANY_NAME:
        return yes("")
    label = NAME_LABELS[field]
    if view.names_gap is not None:
        return unknown(FACT, f"the {label} ({view.names_gap})")
    value = view.name(field)
    if not wanted:
        return unknown(NOT_SPECIFIED, f"what a rule with an empty {label} matches")
    if value is None:
        return no(f"there is no {label}, the rule wants {wanted!r}")
    return same_name(value, wanted, label)


def _caller_matches(rule: FileRule, view: ArtifactView) -> Answer:
    caller = view.context.calling_process
    if caller is None:
        return unknown(CONTEXT, f"which process loads it (`calling_process`); the rule is for {', '.join(rule.app_ids)}")
    return any_of(same_name(caller, wanted, "calling process") for wanted in rule.app_ids)


def _package_matches(rule: FileRule, view: ArtifactView, direction: Direction) -> Answer:
    package = view.context.package_family_name
    if package is None:
        return unknown(CONTEXT, "the package that the artifact is part of (`package_family_name`, empty for none)")
    if not package:
        return no(f"it is in no package, the rule wants {rule.package_family_name!r}")
    named = same_name(package, rule.package_family_name or "", "package")
    if named.truth is FALSE or (is_unbounded(rule.versions, direction) and not rule.package_version):
        return named
    return all_of((named, unknown(NOT_SPECIFIED, "how Windows compares versions in a rule for a package")))


def is_package_rule(rule: FileRule) -> bool:
    return rule.package_family_name is not None and rule.kind is not FileRuleKind.ATTRIBUTE
