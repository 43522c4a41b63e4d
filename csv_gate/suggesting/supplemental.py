"""From proposals to a supplemental policy: rules put together by signing scenario, ids and GUID made of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from csv_gate.model.appcontrol import (
    AppControlPolicy,
    FileRule,
    FileRuleKind,
    Option,
    PolicyForm,
    PolicyKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
    version_number,
)
from csv_gate.model.guid import Guid
from csv_gate.records import replace
from csv_gate.suggesting.levels import PLACE, Proposal
from csv_gate.suggesting.names import content_id, shown

PLATFORM = Guid.read("2e07f7e4-194c-4d20-b7c9-6f44a6c5a234")
"""The PlatformID that every App Control policy of Windows bears."""
_SCENARIO_NAMES = {131: ("ID_SIGNINGSCENARIO_DRIVERS_1", "Kernel mode"), 12: ("ID_SIGNINGSCENARIO_WINDOWS", "User mode")}


def supplemental_of(
    base: AppControlPolicy, proposals: Mapping[int, Sequence[Proposal]], *, name: str | None = None
) -> AppControlPolicy:
    """A supplemental of `base` with these proposals in the scenarios of the given values.

    A signer stands in one scenario only, so that a file attribute of kernel code allows nothing in user mode.
    """
    file_rules: dict[str, FileRule] = {}
    signers: dict[str, Signer] = {}
    scenarios: list[Scenario] = []
    for value in sorted(proposals, reverse=True):
        own: dict[str, Signer] = {}
        allowed: list[str] = []
        for proposal in proposals[value]:
            for rule in proposal.rules:
                file_rules.setdefault(rule.id, rule)
                allowed.append(rule.id)
            if proposal.attribute is not None:
                file_rules.setdefault(proposal.attribute.id, proposal.attribute)
            if proposal.signer is not None:
                _join(own, proposal.signer, value)
        scenarios.append(_scenario(value, sorted(own), sorted(set(allowed))))
        signers.update(own)
    ordered = {id: file_rules[id] for id in sorted(file_rules, key=lambda id: (file_rules[id].kind is FileRuleKind.ALLOW, id))}
    ekus = {condition.eku.id: condition.eku for signer in signers.values() for condition in signer.ekus}
    title = shown(name or f"Suggested for {base.label}")
    options = {Option.UNSIGNED_POLICY} if Option.UNSIGNED_POLICY in base.options else set()
    policy = AppControlPolicy(
        path=PLACE.path,
        sha256="",
        form=PolicyForm.XML,
        kind=PolicyKind.SUPPLEMENTAL,
        name=title,
        friendly_name=title,
        info_id=None,
        version=version_number((10, 0, 0, 0)),
        platform_id=PLATFORM,
        policy_type_id=None,
        policy_id=base.policy_id,
        base_policy_id=base.policy_id,
        options=frozenset(options),
        ekus=tuple(ekus[id] for id in sorted(ekus)),
        file_rules=ordered,
        signers={id: signers[id] for id in sorted(signers)},
        scenarios=tuple(scenarios),
        settings=(Setting(provider="PolicyInfo", key="Information", value_name="Name", value=title),),
    )
    content = hashlib.sha256(repr((title, policy.options, ordered, policy.signers, scenarios)).encode("utf-8", "replace"))
    return replace(policy, policy_id=base.policy_id.naming(content.hexdigest()))


def _join(own: dict[str, Signer], signer: Signer, value: int) -> None:
    """Signers that differ in nothing but their file attribute become one."""
    id = content_id("ID_SIGNER_S_", signer.id, value)
    known = own.get(id)
    attributes = {*signer.file_attributes, *(known.file_attributes if known else ())}
    own[id] = replace(signer, id=id, file_attributes=tuple(sorted(attributes)))


def _scenario(value: int, signers: Sequence[str], rules: Sequence[str]) -> Scenario:
    id, friendly = _SCENARIO_NAMES[value]
    uses = tuple(SignerUse(signer=signer, place=PLACE) for signer in signers)
    group = SignerGroup(allowed=uses, file_rules=tuple(rules))
    return Scenario(id=id, place=PLACE, value=value, friendly_name=friendly, product=group)
