"""Lint of what a policy says about itself: ids, names, versions, signature, and what its reader let pass.

Sources: App Control docs, "Use multiple App Control for Business policies" and "Deploy App Control policies using script" (file names,
versions); "Understanding App Control event IDs" (policy name and id in events).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from csv_gate.authoring.subject import Subject, finding
from csv_gate.model.appcontrol import Option, PolicyForm, PolicyKind, version_text
from csv_gate.model.guid import Guid
from csv_gate.model.result import Finding

SINGLE_POLICY_ID = Guid.read("a244370e-44c9-4c06-b551-f6016e563076")
"""Id of the one policy of the single-policy format."""
_TOLD_ELSEWHERE = ("the file is named ", "the signature of the policy is not valid", "TBS hashes have", "well-known roots have")
"""Beginnings of notes that have a check of their own."""


def name_missing(subject: Subject) -> Iterator[Finding]:
    """CSV601"""
    settings = {(one.provider, one.key, one.value_name) for one in subject.policy.settings}
    missing = [name for name in ("Name", "Id") if ("PolicyInfo", "Information", name) not in settings]
    if missing:
        yield finding(
            "CSV601",
            f"the policy has no setting PolicyInfo/Information/{' and '.join(missing)}: block events of a target will not show it",
            subject.place,
            help="add the settings (Set-CIPolicyIdInfo -PolicyName … -PolicyId … writes them)",
        )


def file_name_differs(subject: Subject) -> Iterator[Finding]:
    """CSV602"""
    name = PurePath(subject.policy.path).name
    if subject.policy.form is not PolicyForm.BINARY or not name.lower().endswith(".cip"):
        return
    wanted = f"{subject.policy.policy_id.braced}.cip"
    if name.upper() != wanted.upper():
        yield finding(
            "CSV602",
            f"the file is named {name}, but Windows looks for {wanted}",
            subject.place,
            help="rename the file to its PolicyID in braces and .cip before it is deployed",
        )


def read_leniently(subject: Subject) -> Iterator[Finding]:
    """CSV603"""
    for note in subject.policy.notes:
        if not note.startswith(_TOLD_ELSEWHERE):
            yield finding(
                "CSV603", note, subject.place, help="write it as the SiPolicy schema has it; other tools are less forgiving"
            )


def id_twice(subject: Subject) -> Iterator[Finding]:
    """CSV604"""
    policy = subject.policy
    others = [one.path for one in subject.companions if one.policy_id == policy.policy_id and one.sha256 != policy.sha256]
    if others:
        yield finding(
            "CSV604",
            f"the PolicyID {policy.policy_id.braced} is that of {', '.join(sorted(others))} too: a target keeps only one of them",
            subject.place,
            help="give each policy an id of its own (Set-CIPolicyIdInfo -ResetPolicyID), or lint one at a time",
        )


def version_not_raised(subject: Subject) -> Iterator[Finding]:
    """CSV605"""
    policy = subject.policy
    for old in subject.earlier:
        if old.policy_id == policy.policy_id and old.sha256 != policy.sha256 and policy.version <= old.version:
            is_lower = policy.version < old.version
            yield finding(
                "CSV605",
                f"VersionEx is {version_text(policy.version)}, {'below' if is_lower else 'the same as'} that of {old.path}"
                + (f" ({version_text(old.version)})" if is_lower else ""),
                subject.place,
                help=f"raise VersionEx above {version_text(old.version)}",
            )


def ids_contradict(subject: Subject) -> Iterator[Finding]:
    """CSV606"""
    policy = subject.policy
    if policy.kind is PolicyKind.BASE and policy.policy_id != policy.base_policy_id:
        yield finding(
            "CSV606",
            f"a base policy whose BasePolicyID {policy.base_policy_id.braced} is not its PolicyID {policy.policy_id.braced}",
            subject.place,
            help="make both ids equal, or set PolicyType to Supplemental Policy",
        )
    if policy.kind is PolicyKind.SUPPLEMENTAL and policy.policy_id == policy.base_policy_id:
        yield finding(
            "CSV606",
            "a supplemental policy that names itself as its base",
            subject.place,
            help="set BasePolicyID to the PolicyID of the base, and give the supplemental an id of its own",
        )


def single_policy_id(subject: Subject) -> Iterator[Finding]:
    """CSV607"""
    if subject.policy.has_policy_id and subject.policy.policy_id == SINGLE_POLICY_ID:
        yield finding(
            "CSV607",
            f"the PolicyID {SINGLE_POLICY_ID.braced} is the one of the single-policy format, which many templates share",
            subject.place,
            help="give the policy an id of its own (Set-CIPolicyIdInfo -ResetPolicyID)",
        )


def signature_invalid(subject: Subject) -> Iterator[Finding]:
    """CSV608"""
    signature = subject.policy.signature
    if signature is not None and not signature.valid:
        why = "; ".join(signature.problems) or "no reason is known"
        yield finding(
            "CSV608", f"the signature around the policy is not valid: {why}", subject.place, help="sign the policy again"
        )


def base_not_in_set(subject: Subject) -> Iterator[Finding]:
    """CSV609"""
    bases = [one for one in subject.companions if one.kind is PolicyKind.BASE]
    if subject.is_supplemental and bases and all(one.policy_id != subject.policy.base_policy_id for one in bases):
        yield finding(
            "CSV609",
            f"the base {subject.policy.base_policy_id.braced} of the supplemental is not among the given policies",
            subject.place,
            help="give the base too, or correct BasePolicyID",
        )


def base_takes_none(subject: Subject) -> Iterator[Finding]:
    """CSV610"""
    for base in subject.companions:
        is_named = base.kind is PolicyKind.BASE and base.policy_id == subject.policy.base_policy_id
        if subject.is_supplemental and is_named and Option.ALLOW_SUPPLEMENTAL_POLICIES not in base.options:
            yield finding(
                "CSV610",
                f"its base {base.path} takes no supplementals: option 17 (Enabled:Allow Supplemental Policies) is off there",
                subject.place,
                help="set option 17 in the base and deploy it again, or put the rules into the base",
            )


CHECKS = (
    name_missing,
    file_name_differs,
    read_leniently,
    id_twice,
    version_not_raised,
    ids_contradict,
    single_policy_id,
    signature_invalid,
    base_not_in_set,
    base_takes_none,
)
