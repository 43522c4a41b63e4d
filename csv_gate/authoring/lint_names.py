"""Lint of names, packages and paths of file rules.

Sources: App Control docs, "Understand App Control policy rules and file rules" (file names, path rules and their wildcards), "Manage
packaged apps with App Control".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from csv_gate.authoring.subject import Subject, finding
from csv_gate.authoring.words import quoted
from csv_gate.lazy import regex
from csv_gate.model.appcontrol import KERNEL_SCENARIO, FileRule, FileRuleKind
from csv_gate.model.result import Finding

_MACRO = regex(r"%[^%\\]*%")
_MACROS = frozenset({"%OSDRIVE%", "%WINDIR%", "%SYSTEM32%"})
_WRITABLE = (
    regex(r"(%OSDRIVE%|[A-Z]:)?\\?\*?", re.I),
    regex(r"(%OSDRIVE%|[A-Z]:)\\(USERS|PROGRAMDATA|TEMP|TMP)(\\.*|\*)?", re.I | re.S),
    regex(r"(%WINDIR%|(%OSDRIVE%|[A-Z]:)\\WINDOWS)\\(TEMP|TASKS|TRACING)(\\.*|\*)?", re.I | re.S),
    regex(r"(%SYSTEM32%|%WINDIR%\\SYSTEM32|(%OSDRIVE%|[A-Z]:)\\WINDOWS\\SYSTEM32)\\(SPOOL|TASKS)(\\.*|\*)?", re.I | re.S),
)
"""Places of an ordinary installation that users without rights can write to, below them included."""


def _names(rule: FileRule) -> Iterator[tuple[str, str]]:
    named = (rule.file_name, rule.internal_name, rule.file_description, rule.product_name)
    attributes = ("FileName", "InternalName", "FileDescription", "ProductName")
    yield from ((attribute, value) for attribute, value in zip(attributes, named, strict=True) if value is not None)


def _paths(subject: Subject) -> Iterator[tuple[FileRule, str]]:
    for rule in subject.policy.file_rules.values():
        if rule.file_path is not None:
            yield rule, rule.file_path


def file_name_is_path(subject: Subject) -> Iterator[Finding]:
    """CSV651"""
    for rule in subject.policy.file_rules.values():
        name = rule.file_name
        if name is not None and name != "*" and any(character in name for character in '\\/:%"<>|'):
            yield finding(
                "CSV651",
                f"FileName {quoted(name)} of {rule.id} looks like a place on disk: it is compared with the file's OriginalFilename",
                rule.place,
                help="write the original file name of the version resource, or use FilePath",
            )


def name_wildcard(subject: Subject) -> Iterator[Finding]:
    """CSV652"""
    for rule in subject.policy.file_rules.values():
        for attribute, value in _names(rule):
            if value != "*" and ("*" in value or "?" in value):
                yield finding(
                    "CSV652",
                    f"{attribute} {quoted(value)} of {rule.id} has a wildcard within: only a lone * stands for any name",
                    rule.place,
                    help="write the whole name, or use FilePath, which takes wildcards",
                )


def name_blanks(subject: Subject) -> Iterator[Finding]:
    """CSV653"""
    for rule in subject.policy.file_rules.values():
        for attribute, value in _names(rule):
            if value != value.strip():
                yield finding(
                    "CSV653",
                    f"{attribute} {quoted(value)} of {rule.id} begins or ends with a blank, which is compared like any letter",
                    rule.place,
                    help="remove the blank unless the file's own resource has it",
                )


def path_in_kernel(subject: Subject) -> Iterator[Finding]:
    """CSV655"""
    scenario = subject.policy.scenario(KERNEL_SCENARIO)
    for kind in (FileRuleKind.ALLOW, FileRuleKind.DENY) if scenario is not None else ():
        assert scenario is not None
        for rule in subject.rules_of(scenario, kind):
            if rule.file_path is not None:
                yield finding(
                    "CSV655",
                    f"{rule.id} is a path rule in the kernel scenario, where path rules do not count",
                    rule.place,
                    help="use a publisher or hash rule for drivers",
                )


def path_writable(subject: Subject) -> Iterator[Finding]:
    """CSV656"""
    for rule, path in _paths(subject):
        if rule.kind is FileRuleKind.ALLOW and any(pattern.fullmatch(path.replace("/", "\\")) for pattern in _WRITABLE):
            yield finding(
                "CSV656",
                f"{rule.id} allows {quoted(path)}, where users can write: the rule is ignored, or with option 18 they run anything",
                rule.place,
                help="allow a folder that only administrators can write to, or use a publisher or hash rule",
            )


def path_wildcards(subject: Subject) -> Iterator[Finding]:
    """CSV657"""
    for rule, path in _paths(subject):
        is_old = "?" not in path and path.count("*") <= 1 and ("*" not in path or path[0] == "*" or path[-1] == "*")
        if not is_old:
            yield finding(
                "CSV657",
                f"the wildcards of {quoted(path)} in {rule.id} need Windows 11: older ones take a single * at one end, and no ?",
                rule.place,
                help="split the rule, or deploy it to Windows 11 only",
            )


def path_odd(subject: Subject) -> Iterator[Finding]:
    """CSV658"""
    for rule, path in _paths(subject):
        unknown = [macro for macro in _MACRO.findall(path) if macro.upper() not in _MACROS]
        if unknown:
            yield finding(
                "CSV658",
                f"{rule.id} uses {quoted(unknown[0])}, which is no macro of path rules",
                rule.place,
                help="use %OSDRIVE%, %WINDIR% or %SYSTEM32%; there is none for the folder of a user",
            )
        elif not re.match(r"[A-Za-z]:\\|%|\*|\\\\", path):
            yield finding(
                "CSV658",
                f"the path {quoted(path)} of {rule.id} is not absolute: nothing runs from there",
                rule.place,
                help="begin it with a drive, a macro or *",
            )


def package_rules_exclude(subject: Subject) -> Iterator[Finding]:
    """CSV659"""
    rules = [rule for rule in subject.policy.file_rules.values() if rule.id in subject.rules_used]
    package = next((rule for rule in rules if rule.package_family_name is not None), None)
    if package is None:
        return
    has_others = any(rule.package_family_name is None for rule in rules) or any(
        scenario.product.allowed for scenario in subject.policy.scenarios
    )
    if has_others:
        yield finding(
            "CSV659",
            f"{package.id} is a package rule: with it every packaged app is judged by package rules alone, so that signers and other "
            "rules no longer allow one",
            package.place,
            help="give every packaged app that is needed a rule of its own, or allow packaged apps by signer only",
        )


CHECKS = (
    file_name_is_path,
    name_wildcard,
    name_blanks,
    path_in_kernel,
    path_writable,
    path_wildcards,
    path_odd,
    package_rules_exclude,
)
