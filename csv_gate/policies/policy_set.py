"""Policies to the set that is active on a target: bases, each with its supplementals; tagging policies; orphans.

Every base must allow; a base and its supplementals allow together; a supplemental whose base is not there does nothing
(App Control docs, "Use multiple App Control for Business policies"). What is not specified about a set is listed as uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csv_gate.model.appcontrol import AppControlPolicy, AppControlPolicySet, BaseWithSupplementals, PolicyKind
from csv_gate.model.guid import Guid


def join_policies(policies: Sequence[AppControlPolicy]) -> AppControlPolicySet:
    """Put policies together by PolicyID and BasePolicyID, in the given order. The same file given twice counts once."""
    distinct = list({policy.sha256: policy for policy in reversed(policies)}.values())[::-1]
    bases = [policy for policy in distinct if policy.kind is PolicyKind.BASE]
    supplementals = [policy for policy in distinct if policy.kind is PolicyKind.SUPPLEMENTAL]
    known = {base.policy_id for base in bases}
    return AppControlPolicySet(
        bases=tuple(
            BaseWithSupplementals(
                base=base,
                supplementals=tuple(policy for policy in supplementals if policy.base_policy_id == base.policy_id),
            )
            for base in bases
        ),
        tagging=tuple(policy for policy in distinct if policy.kind is PolicyKind.APPID_TAGGING),
        orphans=tuple(policy for policy in supplementals if policy.base_policy_id not in known),
        uncertainties=tuple(_uncertainties(distinct)),
    )


def _uncertainties(policies: Sequence[AppControlPolicy]) -> Iterator[str]:
    by_id: dict[Guid, list[AppControlPolicy]] = {}
    for policy in policies:
        by_id.setdefault(policy.policy_id, []).append(policy)
    for policy_id, same in by_id.items():
        if len(same) > 1:
            paths = ", ".join(policy.path for policy in same)
            yield f"{len(same)} policies have the id {policy_id.braced} ({paths}): which of them a target keeps is not specified"
    for policy in policies:
        if policy.unknown_option_bits:
            yield (
                f"{policy.path} sets option bits that nobody has published ({policy.unknown_option_bits:#010x}): "
                "what they ask for is not specified"
            )
        if policy.kind is PolicyKind.BASE and policy.policy_id != policy.base_policy_id:
            yield (
                f"{policy.path} says it is a base, but its BasePolicyID {policy.base_policy_id.braced} is not its PolicyID: "
                "whether it stands alone or supplements another is not specified"
            )
        if policy.kind is PolicyKind.SUPPLEMENTAL and policy.policy_id == policy.base_policy_id:
            yield f"{policy.path} is a supplemental of itself: what it adds to is not specified"
