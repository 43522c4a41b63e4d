"""Lint of version bounds, on the pair of numbers that the compiled policy stores.

Sources: App Control docs, "Understand App Control policy rules and file rules" (note on MinimumFileVersion in deny rules);
docs/internals/compiled-policies.md for what XML compiles to.
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.authoring.subject import Subject, finding
from csv_gate.model.appcontrol import VERSION_MAX, FileRule, version_text
from csv_gate.model.result import Finding

_TYPO = 65355
"""What people write for 65535."""


def _denying(subject: Subject) -> Iterator[FileRule]:
    """Deny rules and attributes of denied signers, with versions that matter."""
    for rule in subject.denies():
        if rule.hash is None and rule.package_family_name is None:
            yield rule
    for rule in subject.policy.file_rules.values():
        if rule.id in subject.denied_attributes and rule.hash is None:
            yield rule


def deny_minimum_only(subject: Subject) -> Iterator[Finding]:
    """CSV641"""
    for rule in _denying(subject):
        low, high = rule.versions.minimum, rule.versions.maximum
        if not high and 0 < low < VERSION_MAX:
            yield finding(
                "CSV641",
                f"{rule.id} has only a minimum version, which under deny means: up to {version_text(low)}; newer versions are not denied",
                rule.place,
                help="write MinimumFileVersion 0.0.0.0 and MaximumFileVersion for “up to”, or both bounds for “from … on”",
            )


def deny_maximum_only(subject: Subject) -> Iterator[Finding]:
    """CSV642"""
    for rule in _denying(subject):
        low, high = rule.versions.minimum, rule.versions.maximum
        if not low and 0 < high < VERSION_MAX and not _is_typo(high):
            yield finding(
                "CSV642",
                f"{rule.id} denies from 0.0.0.0 up to {version_text(high)}; the documentation reads a maximum alone the other way round, "
                "and the compiled policy cannot tell a maximum alone from this",
                rule.place,
                help="if “from that version on” was meant, write it as MinimumFileVersion with MaximumFileVersion 65535.65535.65535.65535",
            )


def version_typo(subject: Subject) -> Iterator[Finding]:
    """CSV643"""
    for rule in subject.policy.file_rules.values():
        typed = [number for number in (rule.versions.minimum, rule.versions.maximum) if _is_typo(number)]
        if typed:
            yield finding(
                "CSV643",
                f"{rule.id} has the version {version_text(typed[0])}: 65355 is usually a typing error for 65535",
                rule.place,
                help="write 65535",
            )


def _is_typo(number: int) -> bool:
    return any(number >> shift & 0xFFFF == _TYPO for shift in (48, 32, 16, 0))


def denied_attribute_without_versions(subject: Subject) -> Iterator[Finding]:
    """CSV644"""
    for rule in _denying(subject):
        if rule.id in subject.denied_attributes and (rule.versions.minimum, rule.versions.maximum) == (0, 0):
            yield finding(
                "CSV644",
                f"{rule.id} narrows a denied signer and has no versions: it compiles to 0.0.0.0 alone, and whether Windows then denies "
                "every version or only 0.0.0.0 is not specified",
                rule.place,
                help="write MinimumFileVersion 0.0.0.0 and MaximumFileVersion 65535.65535.65535.65535",
            )


def deny_of_nothing(subject: Subject) -> Iterator[Finding]:
    """CSV645"""
    for rule in subject.denies():
        if rule.hash is None and not rule.package_family_name and (rule.versions.minimum, rule.versions.maximum) == (0, 0):
            yield finding(
                "CSV645",
                f"{rule.id} has the minimum version 0.0.0.0 and no maximum, which under deny means: up to 0.0.0.0",
                rule.place,
                help="remove MinimumFileVersion to deny every version, or add MaximumFileVersion",
            )


def package_deny_void(subject: Subject) -> Iterator[Finding]:
    """CSV646"""
    for rule in subject.denies():
        is_full = rule.versions.minimum == VERSION_MAX or rule.versions.maximum == VERSION_MAX
        if rule.package_family_name and not is_full and rule.package_version is None:
            yield finding(
                "CSV646",
                f"{rule.id} denies a package by name, but its versions make the denial void",
                rule.place,
                help="remove the versions or write MinimumFileVersion 65535.65535.65535.65535, or use PackageVersion",
            )


CHECKS = (
    deny_minimum_only,
    deny_maximum_only,
    version_typo,
    denied_attribute_without_versions,
    deny_of_nothing,
    package_deny_void,
)
