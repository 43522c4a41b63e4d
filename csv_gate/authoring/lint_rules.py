"""Lint of file rules against one another: dead ones, doubles, and those that another rule makes pointless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from csv_gate.authoring.subject import Subject, finding, is_everything
from csv_gate.authoring.words import Direction, scenario_name, version_range
from csv_gate.errors import Place
from csv_gate.model.appcontrol import FileRule, FileRuleKind, Scenario
from csv_gate.model.result import Finding
from csv_gate.policies.binary_layout import file_rule_key

_DIRECTIONS = {FileRuleKind.ALLOW: Direction.ALLOW, FileRuleKind.DENY: Direction.DENY}


def _conditions(rule: FileRule) -> tuple[object, ...]:
    """What a rule compares, its kind and versions left out. Rules with equal conditions differ in reach by versions alone."""
    app_ids = frozenset(name.casefold() for name in rule.app_ids)
    sequence = (rule.require_hotpatch_id, rule.minimum_hotpatch_sequence, rule.maximum_hotpatch_sequence)
    return (*file_rule_key(rule)[1:], rule.package_version, app_ids, sequence)


def rule_dead(subject: Subject) -> Iterator[Finding]:
    """CSV631"""
    for rule in subject.policy.file_rules.values():
        if rule.id not in subject.rules_used:
            yield finding(
                "CSV631",
                f"nothing refers to the rule {rule.id}: it has no effect",
                rule.place,
                help="refer to it with FileRuleRef (Allow, Deny) or FileAttribRef (FileAttrib), or remove it",
            )


def signer_dead(subject: Subject) -> Iterator[Finding]:
    """CSV632"""
    for signer in subject.policy.signers.values():
        if signer.id not in subject.signers_used:
            yield finding(
                "CSV632",
                f"nothing refers to the signer {signer.id}: it has no effect",
                signer.place,
                help="list it under AllowedSigners or DeniedSigners of a scenario, or remove it",
            )


def eku_dead(subject: Subject) -> Iterator[Finding]:
    """CSV633"""
    used = {condition.eku.id for signer in subject.policy.signers.values() for condition in signer.ekus}
    for eku in subject.policy.ekus:
        if eku.id not in used:
            yield finding("CSV633", f"no signer asks for the EKU {eku.id} ({eku.oid})", eku.place, help="remove it")


def rule_twice(subject: Subject) -> Iterator[Finding]:
    """CSV634"""
    seen: dict[object, FileRule] = {}
    for scenario in subject.policy.scenarios:
        seen.clear()
        for rule_id in scenario.product.file_rules:
            rule = subject.policy.file_rules[rule_id]
            first = seen.setdefault((rule.kind, _conditions(rule), rule.versions), rule)
            if first is not rule:
                yield finding(
                    "CSV634",
                    f"{rule.id} says the same as {first.id}{_line(first.place)} in {scenario_name(scenario.value)}",
                    rule.place,
                    help="remove one of the two",
                )


def _line(place: Place) -> str:
    return f" in line {place.line}" if place.line is not None else ""


def rule_shadowed(subject: Subject) -> Iterator[Finding]:
    """CSV635"""
    for scenario in subject.policy.scenarios:
        for kind, direction in _DIRECTIONS.items():
            rules = list(subject.rules_of(scenario, kind))
            if kind is FileRuleKind.ALLOW and (wildcard := next(filter(is_everything, rules), None)) is not None:
                yield from _under_wildcard(scenario, wildcard, rules)
                continue
            for rule, wider in _narrower(rules, direction):
                yield finding(
                    "CSV635",
                    f"{rule.id} adds nothing: {wider.id}{_line(wider.place)} matches the same with more versions",
                    rule.place,
                    help="remove the narrower rule, or narrow the wider one",
                )


def _under_wildcard(scenario: Scenario, wildcard: FileRule, rules: Sequence[FileRule]) -> Iterator[Finding]:
    covered = [rule for rule in rules if rule is not wildcard]
    if covered:
        more = f" and {len(covered) - 1} more" if len(covered) > 1 else ""
        yield finding(
            "CSV635",
            f"{covered[0].id}{more} add nothing: {wildcard.id}{_line(wildcard.place)} allows every file of {scenario_name(scenario.value)}",
            covered[0].place,
            help="remove the wildcard, or the rules under it",
        )


def _narrower(rules: Sequence[FileRule], direction: Direction) -> Iterator[tuple[FileRule, FileRule]]:
    """Each rule whose versions lie within those of another rule with the same conditions; of equals, CSV634 tells."""
    alike: defaultdict[object, list[FileRule]] = defaultdict(list)
    for rule in rules:
        alike[_conditions(rule)].append(rule)
    for same in alike.values():
        ranged = [(found, rule) for rule in same if (found := version_range(rule.versions, direction)) is not None]
        widest, top = None, (1, 0)
        for found, rule in sorted(ranged, key=lambda pair: (pair[0][0], -pair[0][1])):
            if widest is not None and found[1] <= top[1] and found != top:
                yield rule, widest
            elif widest is None or found[1] > top[1]:
                widest, top = rule, found


def allow_under_deny(subject: Subject) -> Iterator[Finding]:
    """CSV636"""
    for scenario in subject.policy.scenarios:
        denies = {_conditions(rule): rule for rule in subject.rules_of(scenario, FileRuleKind.DENY)}
        for rule in subject.rules_of(scenario, FileRuleKind.ALLOW):
            deny = denies.get(_conditions(rule))
            if deny is None or not _within(rule, deny):
                continue
            yield finding(
                "CSV636",
                f"{rule.id} never allows: {deny.id}{_line(deny.place)} denies the same files, and a denial comes first",
                rule.place,
                help="remove one of the two",
            )


def _within(allow: FileRule, deny: FileRule) -> bool:
    """Whether every version that `allow` covers is one that `deny` covers."""
    allowed, denied = version_range(allow.versions, Direction.ALLOW), version_range(deny.versions, Direction.DENY)
    if allow.hash is not None:
        return True
    return allowed is not None and denied is not None and denied[0] <= allowed[0] and allowed[1] <= denied[1]


CHECKS = (rule_dead, signer_dead, eku_dead, rule_twice, rule_shadowed, allow_under_deny)
