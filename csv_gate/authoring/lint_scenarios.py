"""Lint of signing scenarios: what a policy governs, and whether anything is left that it allows.

Sources: App Control docs, "Create an App Control deny policy", "Use multiple App Control for Business policies", "Manage AppID tagging".
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.authoring.subject import Subject, finding, is_everything
from csv_gate.authoring.words import SCENARIO_NAMES, scenario_name
from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    FileRule,
    FileRuleKind,
    Option,
    PolicyKind,
    Scenario,
    SignerGroup,
)
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level

_SHA1 = 0x8004


def _opens(subject: Subject, scenario: Scenario) -> FileRule | None:
    """The rule that allows every file of a scenario."""
    return next((rule for rule in subject.rules_of(scenario, FileRuleKind.ALLOW) if is_everything(rule)), None)


def scenario_missing(subject: Subject) -> Iterator[Finding]:
    """CSV621"""
    if not subject.is_base:
        return
    policy = subject.policy
    if Option.UMCI in policy.options and policy.scenario(USER_SCENARIO) is None:
        yield finding(
            "CSV621",
            "option 0 (Enabled:UMCI) is on, but there is no scenario 12: nothing is allowed in user mode",
            subject.place,
            help="add SigningScenario 12 with its rules, or remove option 0",
            level=Level.WARNING if policy.is_audit else None,
        )
    if policy.scenario(KERNEL_SCENARIO) is None:
        yield finding(
            "CSV621",
            "there is no scenario 131: what happens to drivers is not specified",
            subject.place,
            help='add SigningScenario 131, with an Allow rule for FileName="*" if drivers are to be left alone',
            level=Level.WARNING,
        )


def scenario_empty(subject: Subject) -> Iterator[Finding]:
    """CSV622"""
    policy = subject.policy
    for scenario in policy.scenarios:
        is_governed = scenario.value != USER_SCENARIO or Option.UMCI in policy.options
        if subject.is_base and is_governed and scenario.product == SignerGroup():
            yield finding(
                "CSV622",
                f"the scenario for {scenario_name(scenario.value)} is empty: nothing is allowed in it"
                + (", not even what the machine needs to start" if scenario.value == KERNEL_SCENARIO else ""),
                scenario.place,
                help="add what is to be allowed, or remove the scenario if the policy should not govern it",
                level=Level.WARNING if policy.is_audit else None,
            )


def deny_list_closes(subject: Subject) -> Iterator[Finding]:
    """CSV623"""
    for scenario in subject.policy.scenarios:
        product = scenario.product
        is_closed = not product.allowed and not any(subject.rules_of(scenario, FileRuleKind.ALLOW))
        if subject.is_base and is_closed and product != SignerGroup():
            yield finding(
                "CSV623",
                f"the scenario for {scenario_name(scenario.value)} only denies: without a rule that allows, everything else is blocked too",
                scenario.place,
                help='add an Allow rule with FileName="*" to the scenario of a deny list',
                level=Level.WARNING if subject.policy.is_audit else None,
            )


def wildcard_beside_lists(subject: Subject) -> Iterator[Finding]:
    """CSV624"""
    for scenario in subject.policy.scenarios:
        rule = _opens(subject, scenario)
        if rule is None:
            continue
        others = sum(other is not rule for other in subject.rules_of(scenario, FileRuleKind.ALLOW))
        signers = len(scenario.product.allowed)
        if others or signers:
            yield finding(
                "CSV624",
                f"{rule.id} allows every file of {scenario_name(scenario.value)}, so {others} other Allow rules and "
                f"{signers} allowed signers decide nothing",
                rule.place,
                help="remove the wildcard to get an allow list, or the list to get a deny list",
            )


def everything_in_set(subject: Subject) -> Iterator[Finding]:
    """CSV625"""
    bases = sum(one.kind is PolicyKind.BASE for one in subject.companions)
    for scenario in subject.policy.scenarios:
        rule = _opens(subject, scenario)
        if rule is None:
            continue
        if subject.is_supplemental:
            yield finding(
                "CSV625",
                f"a supplemental policy allows every file of {scenario_name(scenario.value)}: it undoes the allow list of its base",
                rule.place,
                help="allow what is needed only",
            )
        elif subject.is_base and bases > 1:
            yield finding(
                "CSV625",
                f"a base that allows every file of {scenario_name(scenario.value)} stands beside other bases: side by side it loosens "
                "nothing, but Merge-CIPolicy of them makes one policy that allows everything",
                rule.place,
                help="deploy the policies side by side; remove the wildcard before merging",
                level=Level.NOTE,
            )


def test_signers(subject: Subject) -> Iterator[Finding]:
    """CSV626"""
    for scenario in subject.policy.scenarios:
        names = [
            name
            for name, group in (("TestSigners", scenario.test), ("TestSigningSigners", scenario.test_signing))
            if group is not None and group != SignerGroup()
        ]
        if names:
            yield finding(
                "CSV626",
                f"the scenario for {scenario_name(scenario.value)} has {' and '.join(names)}, which count on test-signing machines only",
                scenario.place,
                help="remove them from a policy for production",
            )


def tagging_misused(subject: Subject) -> Iterator[Finding]:
    """CSV627"""
    policy = subject.policy
    is_tagging = policy.kind is PolicyKind.APPID_TAGGING
    for scenario in policy.scenarios:
        if scenario.appid_tags and not is_tagging:
            yield finding(
                "CSV627",
                "AppID tags stand in a policy that is no AppID tagging policy",
                scenario.place,
                help='set PolicyType="AppID Tagging Policy", or remove AppIDTags',
            )
        if is_tagging and scenario.value != USER_SCENARIO:
            yield finding(
                "CSV627",
                f"a tagging policy has the scenario {scenario_name(scenario.value)}; it tags user-mode processes only",
                scenario.place,
                help="keep scenario 12 only",
            )
    if is_tagging and not any(scenario.appid_tags for scenario in policy.scenarios):
        yield finding(
            "CSV627", "a tagging policy without a tag does nothing", subject.place, help="add AppIDTags to scenario 12"
        )


def weak_hash_accepted(subject: Subject) -> Iterator[Finding]:
    """CSV628"""
    for scenario in subject.policy.scenarios:
        if scenario.minimum_hash_algorithm == _SHA1:
            yield finding(
                "CSV628",
                f"the scenario for {scenario_name(scenario.value)} accepts SHA-1 signatures (MinimumHashAlgorithm 32772)",
                scenario.place,
                help="set MinimumHashAlgorithm to 32780 (SHA-256), or remove it",
            )


def supplemental_denies(subject: Subject) -> Iterator[Finding]:
    """CSV629"""
    if not subject.is_supplemental:
        return
    for scenario in subject.policy.scenarios:
        for rule in subject.rules_of(scenario, FileRuleKind.DENY):
            yield finding(
                "CSV629", f"{rule.id} denies in a supplemental policy, where denials are ignored", rule.place, help=_TO_BASE
            )
        for use in scenario.product.denied:
            yield finding(
                "CSV629",
                f"the signer {use.signer} is denied in a supplemental policy, where denials are ignored",
                use.place,
                help=_TO_BASE,
            )


_TO_BASE = "move the denial to the base policy"


def scenario_unknown(subject: Subject) -> Iterator[Finding]:
    """CSV630"""
    for scenario in subject.policy.scenarios:
        if scenario.value not in SCENARIO_NAMES:
            yield finding(
                "CSV630",
                f"{scenario.id} has the value {scenario.value}, which is neither kernel mode (131) nor user mode (12)",
                scenario.place,
                help="use 131 or 12",
            )


CHECKS = (
    scenario_missing,
    scenario_empty,
    deny_list_closes,
    wildcard_beside_lists,
    everything_in_set,
    test_signers,
    tagging_misused,
    weak_hash_accepted,
    supplemental_denies,
    scenario_unknown,
)
