"""Lint of policy options and of what must stand beside them.

Sources: App Control docs, "Understand App Control policy rules and file rules" (table of options, column "valid supplemental option"),
"Use signed policies to protect App Control against tampering".
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.authoring.subject import Subject, finding
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO, FileRuleKind, Option, SignerGroup
from csv_gate.model.result import Finding

SUPPLEMENTAL_OPTIONS = frozenset(
    {
        Option.INHERIT_DEFAULT_POLICY,
        Option.UNSIGNED_POLICY,
        Option.DEBUG_POLICY_AUGMENTED,
        Option.MANAGED_INSTALLER,
        Option.INTELLIGENT_SECURITY_GRAPH,
        Option.DISABLED_FILEPATH_PROTECTION,
    }
)
"""Options that the documentation calls valid in a supplemental policy."""
_UNSUPPORTED = frozenset(
    {Option.BOOT_MENU_PROTECTION, Option.INHERIT_DEFAULT_POLICY, Option.DEBUG_POLICY_AUGMENTED, Option.EV_SIGNERS}
)
"""Options that the documentation says are not supported, or without effect."""
_USER_MODE_ONLY = frozenset(
    {Option.ENFORCE_STORE_APPLICATIONS, Option.DISABLED_FILEPATH_PROTECTION, Option.DYNAMIC_CODE_SECURITY}
)


def _named(option: Option) -> str:
    return option.text if option.number is None else f"{option.number} {option.text}"


def _sorted(options: frozenset[Option]) -> list[Option]:
    return sorted(options, key=lambda option: (option.number is None, option.number or 0, option.text))


def audit_left_on(subject: Subject) -> Iterator[Finding]:
    """CSV611"""
    if subject.is_base and subject.policy.is_audit:
        yield finding(
            "CSV611",
            "the policy is in audit mode: it blocks nothing, it only logs",
            subject.place,
            help="remove option 3 (Enabled:Audit Mode) when the policy is to be enforced",
        )


def supplementals_of_supplemental(subject: Subject) -> Iterator[Finding]:
    """CSV612"""
    policy = subject.policy
    if not subject.is_supplemental:
        return
    if Option.ALLOW_SUPPLEMENTAL_POLICIES in policy.options:
        yield finding(
            "CSV612",
            "a supplemental policy has option 17 (Enabled:Allow Supplemental Policies): supplementals do not nest",
            subject.place,
            help="remove option 17 here; the base needs it",
        )
    if policy.supplemental_signers:
        yield finding(
            "CSV612",
            "a supplemental policy lists SupplementalPolicySigners, which only a base can have",
            subject.place,
            help="move them to the base",
        )


def option_of_base(subject: Subject) -> Iterator[Finding]:
    """CSV613"""
    if not subject.is_supplemental:
        return
    wrong = subject.policy.options - SUPPLEMENTAL_OPTIONS - {Option.ALLOW_SUPPLEMENTAL_POLICIES}
    for option in _sorted(wrong):
        yield finding(
            "CSV613",
            f"option {_named(option)} is not valid in a supplemental policy: the base's setting counts",
            subject.place,
            help="set it in the base, remove it here",
        )


def update_signers_missing(subject: Subject) -> Iterator[Finding]:
    """CSV614"""
    if Option.UNSIGNED_POLICY not in subject.policy.options and not subject.policy.update_signers:
        yield finding(
            "CSV614",
            "the policy must be signed (option 6 is absent), but names nobody who may sign its successor",
            subject.place,
            help="add UpdatePolicySigners, or set option 6 (Enabled:Unsigned System Integrity Policy)",
        )


def user_rules_without_umci(subject: Subject) -> Iterator[Finding]:
    """CSV615"""
    scenario = subject.policy.scenario(USER_SCENARIO)
    if not subject.is_base or Option.UMCI in subject.policy.options or scenario is None:
        return
    if scenario.product != SignerGroup():
        yield finding(
            "CSV615",
            "there are rules for user mode, but option 0 (Enabled:UMCI) is off: they are not looked at",
            scenario.place,
            help="set option 0, or remove the user-mode scenario if the policy is for drivers only",
        )


def option_without_effect(subject: Subject) -> Iterator[Finding]:
    """CSV616"""
    for option in _sorted(subject.policy.options & _UNSUPPORTED):
        yield finding(
            "CSV616", f"option {_named(option)} is documented as unsupported or without effect", subject.place, help="remove it"
        )
    if subject.is_base and Option.UMCI not in subject.policy.options:
        for option in _sorted(subject.policy.options & _USER_MODE_ONLY):
            yield finding(
                "CSV616",
                f"option {_named(option)} concerns user mode, which the policy does not govern (option 0 is off)",
                subject.place,
                help="set option 0 (Enabled:UMCI), or remove the option",
            )


def path_protection_off(subject: Subject) -> Iterator[Finding]:
    """CSV617"""
    if Option.DISABLED_FILEPATH_PROTECTION not in subject.policy.options:
        return
    paths = [rule for rule in subject.policy.file_rules.values() if rule.file_path and rule.kind is FileRuleKind.ALLOW]
    if paths:
        count = f"{len(paths)} path rule{'s' if len(paths) != 1 else ''}"
        yield finding(
            "CSV617",
            f"option 18 lifts the check of who can write to a path, and {count} allow by path: a user who can write there runs anything",
            paths[0].place,
            help="remove option 18 (Disabled:Runtime FilePath Rule Protection), or allow by publisher or hash",
        )


def hvci_off(subject: Subject) -> Iterator[Finding]:
    """CSV618"""
    if subject.is_base and subject.policy.scenario(KERNEL_SCENARIO) is not None and not subject.policy.hvci_options:
        yield finding(
            "CSV618",
            "the policy governs drivers, but does not ask for memory integrity (HvciOptions is absent or 0)",
            subject.place,
            help="set it with Set-HVCIOptions -Enabled where the machines support it",
        )


def supplemental_signers_missing(subject: Subject) -> Iterator[Finding]:
    """CSV619"""
    policy = subject.policy
    is_signed = Option.UNSIGNED_POLICY not in policy.options
    if (
        subject.is_base
        and is_signed
        and Option.ALLOW_SUPPLEMENTAL_POLICIES in policy.options
        and not policy.supplemental_signers
    ):
        yield finding(
            "CSV619",
            "a signed base takes supplementals (option 17), but names nobody who may sign them: it will ignore them all",
            subject.place,
            help="add SupplementalPolicySigners, or remove option 17",
        )


CHECKS = (
    audit_left_on,
    supplementals_of_supplemental,
    option_of_base,
    update_signers_missing,
    user_rules_without_umci,
    option_without_effect,
    path_protection_off,
    hvci_off,
    supplemental_signers_missing,
)
