"""A policy summed up: what it is, what it governs, whom it trusts, in numbers and in names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from csv_gate.authoring.meaning import setting_words
from csv_gate.authoring.words import signer_words
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    FileRuleKind,
    Option,
    PolicySignature,
    Scenario,
    Signer,
    SignerUse,
    version_text,
)
from csv_gate.policies.rule_shape import HASH_LENGTHS
from csv_gate.records import dataclass, field, replace

COM_PROVIDERS = frozenset({"PowerShell", "WSH", "IE", "VBA", "MSI", "AllHostIds"})
"""Hosts of COM classes (App Control docs, "Allow COM object registration in an App Control policy")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSummary:
    """Signers of one direction that share publisher and root."""

    root: str
    """With the EKUs, issuer and the like that are asked for."""
    publisher: str | None
    count: int
    """Entries of the scenario with this root and publisher."""
    file_attributes: int
    """FileAttrib references of all of them; 0: not narrowed to files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSummary:
    value: int
    friendly_name: str | None
    allow_rules: int
    deny_rules: int
    allowed: tuple[SignerSummary, ...]
    denied: tuple[SignerSummary, ...]
    exceptions: int
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySummary:
    """Everything that `policy show` tells. Texts are raw and untrusted."""

    path: str
    sha256: str
    name: str | None
    info_id: str | None
    friendly_name: str | None
    kind: str
    form: str
    format_version: int | None
    version: str
    policy_id: str
    base_policy_id: str
    is_single_policy: bool
    """Names only PolicyTypeID."""
    signature: PolicySignature | None
    options: tuple[Option, ...]
    unknown_option_bits: int
    rule_counts: Mapping[str, int]
    """By what a rule is: `allow by SHA-256 hash`, `deny by name`, …; sorted."""
    counts: Mapping[str, int] = field(default_factory=dict)
    scenarios: tuple[ScenarioSummary, ...] = ()
    com: tuple[tuple[str, str, str], ...] = ()
    """(host, class, value)."""
    settings: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def summary(policy: AppControlPolicy) -> PolicySummary:
    """Sum a policy up. Sorted; equal policies give equal summaries."""
    com = [setting for setting in policy.settings if setting.provider in COM_PROVIDERS]
    others = [setting for setting in policy.settings if setting.provider not in COM_PROVIDERS]
    hvci = [("HvciOptions", str(number)) for number in (policy.hvci_options,) if number is not None]
    return PolicySummary(
        path=policy.path,
        sha256=policy.sha256,
        name=policy.name,
        info_id=policy.info_id,
        friendly_name=policy.friendly_name,
        kind=policy.kind.value,
        form=policy.form.value,
        format_version=policy.format_version,
        version=version_text(policy.version),
        policy_id=policy.policy_id.braced,
        base_policy_id=policy.base_policy_id.braced,
        is_single_policy=not policy.has_policy_id,
        signature=policy.signature,
        options=tuple(sorted(policy.options, key=lambda one: (one.number is None, one.number or 0, one.text))),
        unknown_option_bits=policy.unknown_option_bits,
        rule_counts=_rule_counts(policy),
        counts={
            "file rules": len(policy.file_rules),
            "signers": len(policy.signers),
            "EKUs": len(policy.ekus),
            "artifact rules": len(policy.artifact_rules),
            "update signers": len(policy.update_signers),
            "supplemental signers": len(policy.supplemental_signers),
            "CI signers": len(policy.ci_signers),
            "macros": len(policy.macros),
            "apps with settings": len(policy.app_settings),
        },
        scenarios=tuple(_scenario(policy, scenario) for scenario in policy.scenarios),
        com=tuple(sorted((one.provider, one.key, setting_words(one)) for one in com)),
        settings=(
            *hvci,
            *sorted((f"{one.provider} / {one.key} / {one.value_name}", setting_words(one)) for one in others),
        ),
        notes=policy.notes,
    )


def _rule_counts(policy: AppControlPolicy) -> dict[str, int]:
    kinds = {FileRuleKind.ALLOW: "allow", FileRuleKind.DENY: "deny", FileRuleKind.ATTRIBUTE: "file attribute"}
    counted: Counter[str] = Counter()
    for rule in policy.file_rules.values():
        if rule.hash is not None:
            by = f"{HASH_LENGTHS[len(rule.hash)]} hash"
        elif rule.file_path is not None:
            by = "path"
        elif rule.package_family_name is not None:
            by = "package"
        elif rule.file_name == "*":
            by = "wildcard"
        else:
            by = "name"
        counted[f"{kinds[rule.kind]} by {by}"] += 1
    return dict(sorted(counted.items()))


def _scenario(policy: AppControlPolicy, scenario: Scenario) -> ScenarioSummary:
    product = scenario.product
    kinds = Counter(policy.file_rules[rule_id].kind for rule_id in product.file_rules)
    return ScenarioSummary(
        value=scenario.value,
        friendly_name=scenario.friendly_name,
        allow_rules=kinds[FileRuleKind.ALLOW],
        deny_rules=kinds[FileRuleKind.DENY],
        allowed=_signers(policy, product.allowed),
        denied=_signers(policy, product.denied),
        exceptions=sum(len(use.exceptions) for use in (*product.allowed, *product.denied)),
        tags=scenario.appid_tags,
    )


def _under(signer: Signer) -> str:
    """What a signer matches beside its publisher."""
    return signer_words(replace(signer, publisher=None))


def _signers(policy: AppControlPolicy, uses: tuple[SignerUse, ...]) -> tuple[SignerSummary, ...]:
    """By publisher, then by root; signers without a publisher last."""
    grouped: defaultdict[tuple[bool, str, str], list[int]] = defaultdict(list)
    for use in uses:
        signer = policy.signers[use.signer]
        key = (signer.publisher is None, signer.publisher or "", _under(signer))
        grouped[key].append(len(signer.file_attributes))
    return tuple(
        SignerSummary(
            root=root, publisher=None if is_any else publisher, count=len(attributes), file_attributes=sum(attributes)
        )
        for (is_any, publisher, root), attributes in sorted(grouped.items())
    )
