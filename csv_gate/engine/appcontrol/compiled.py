"""A policy set made ready for judging many artifacts: rules sorted into indexes once, so that a verdict costs a few lookups."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.engine.appcontrol.alike import Alike
from csv_gate.engine.appcontrol.attributes import RuleSet, index_rules, is_package_rule
from csv_gate.engine.appcontrol.signers import SignerIndex, index_signers
from csv_gate.engine.appcontrol.truth import ALLOW, DENY, FALSE, NOT_SPECIFIED, Answer, Truth, no, unknown, yes
from csv_gate.engine.appcontrol.view import option_truth
from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    AppControlPolicy,
    AppControlPolicySet,
    BaseWithSupplementals,
    FileRuleKind,
    Option,
    PolicyForm,
    Scenario,
    SignerGroup,
)
from csv_gate.model.verdict import Outcome, Step
from csv_gate.records import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledScenario:
    """The product signers of one signing scenario."""

    scenario: Scenario
    allow: RuleSet
    deny: RuleSet
    allowed_signers: SignerIndex
    denied_signers: SignerIndex
    dangling_allow: tuple[str, ...]
    """Signers that are allowed and not defined; the same for file rules."""
    dangling_deny: tuple[str, ...]
    has_test_groups: bool
    has_artifact_rules: bool
    denies: bool
    """Whether it has anything that denies, or may."""

    @property
    def is_empty(self) -> bool:
        group = self.scenario.product
        return not (group.allowed or group.denied or group.file_rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicy:
    """One policy with its scenarios by value; `counts` tells whether a supplemental takes part."""

    policy: AppControlPolicy
    label: str
    """What people call the policy, and its id as text: rules are named with both."""
    policy_id: str
    scenarios: dict[int, CompiledScenario]
    counts: Answer
    has_package_rules: bool

    def has(self, option: Option) -> bool:
        return option in self.policy.options


VOUCHING = (Option.MANAGED_INSTALLER, Option.INTELLIGENT_SECURITY_GRAPH)
"""Options by which something else than a rule may allow user-mode code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledBase:
    base: CompiledPolicy
    supplementals: tuple[CompiledPolicy, ...]
    policies: tuple[CompiledPolicy, ...]
    """The base, then its supplementals."""
    has_package_rules: bool
    """Of those that count, or may."""
    vouching: tuple[Option, ...]
    """Options 13 and 14, where one of those sets them."""
    governs_user_code: bool
    """Option 0 (UMCI) of the base."""
    only_audits: bool
    """Option 3 of the base."""
    voids_as_unsigned: bool
    """Option 20 of the base: a revoked or expired signature counts as none."""
    open_questions: dict[tuple[bool, bool], tuple[Answer, ...]]
    """By whether the kernel asks, and whether TESTSIGNING is on."""
    nothing_allows: Step
    """The step of an artifact that no rule allows."""


def _united(base: CompiledPolicy, supplementals: tuple[CompiledPolicy, ...]) -> CompiledBase:
    policies = (base, *supplementals)
    counting = [entry for entry in policies if entry.counts.truth is not FALSE]
    why = f"no rule of {base.label!r} allows it"
    return CompiledBase(
        base=base,
        supplementals=supplementals,
        policies=policies,
        has_package_rules=any(entry.has_package_rules for entry in counting),
        vouching=tuple(option for option in VOUCHING if any(entry.has(option) for entry in counting)),
        governs_user_code=base.has(Option.UMCI),
        only_audits=base.has(Option.AUDIT_MODE),
        voids_as_unsigned=base.has(Option.REVOKED_EXPIRED_AS_UNSIGNED),
        open_questions={
            (kernel, test_signing): tuple(_open_questions(base, counting, kernel=kernel, test_signing=test_signing))
            for kernel in (True, False)
            for test_signing in (True, False)
        },
        nothing_allows=Step(policy=base.label, rule=None, outcome=Outcome.DENIES, because=why),
    )


def _open_questions(
    base: CompiledPolicy, counting: list[CompiledPolicy], *, kernel: bool, test_signing: bool
) -> Iterator[Answer]:
    """Doubts about the scenario itself that could allow what no rule allows."""
    value = KERNEL_SCENARIO if kernel else USER_SCENARIO
    if kernel and value not in base.scenarios:
        yield unknown(NOT_SPECIFIED, f"what Windows does with drivers under {base.label!r}, which has no scenario 131")
    for member in counting:
        found = member.scenarios.get(value)
        if found is None:
            continue
        if found.scenario.inherited:
            yield unknown(NOT_SPECIFIED, f"what the scenarios that {found.scenario.id} inherits add")
        if test_signing and found.has_test_groups:
            yield unknown(NOT_SPECIFIED, "how Windows applies TestSigners and TestSigningSigners on a machine with TESTSIGNING")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicySet:
    """What `evaluate` takes."""

    bases: tuple[CompiledBase, ...]
    orphans: tuple[CompiledPolicy, ...]
    source: AppControlPolicySet
    passed_over: tuple[Step, ...]
    """A step for each policy that never blocks: AppID tagging, and supplementals without a base."""
    alike: Alike = field(init=False, repr=False, compare=False)
    """Which files its rules cannot tell apart."""

    def __post_init__(self) -> None:
        scenarios = [scenario for policy in all_policies(self) for scenario in policy.scenarios.values()]
        object.__setattr__(self, "alike", Alike(scenarios))


def compile_policy_set(policies: AppControlPolicySet) -> CompiledPolicySet:
    """Index a policy set. Linear in its rules; the result is immutable and may be shared."""
    return CompiledPolicySet(
        bases=tuple(_compile_base(entry) for entry in policies.bases),
        orphans=tuple(_compile(orphan, no(_NO_BASE), is_supplemental=True) for orphan in policies.orphans),
        source=policies,
        passed_over=(
            *(_skipped(policy, "an AppID tagging policy never blocks") for policy in policies.tagging),
            *(_skipped(policy, _NO_BASE) for policy in policies.orphans),
        ),
    )


_NO_BASE = "its base is not in the set"


def _skipped(policy: AppControlPolicy, because: str) -> Step:
    return Step(policy=policy.label, rule=None, outcome=Outcome.SKIPPED, because=because)


def _compile_base(entry: BaseWithSupplementals) -> CompiledBase:
    base = entry.base
    return _united(
        _compile(base, yes(""), is_supplemental=False),
        tuple(
            _compile(
                supplemental,
                supplemental_counts(base, supplemental),
                is_supplemental=True,
                base_unprotected=Option.DISABLED_FILEPATH_PROTECTION in base.options,
            )
            for supplemental in entry.supplementals
        ),
    )


def with_supplemental(compiled: CompiledPolicySet, supplemental: AppControlPolicy) -> CompiledPolicySet:
    """The set as if the base that `supplemental` names took it, whether it would or not: what its rules alone come to.

    Nothing else is compiled anew, so trying a rule costs little under a large policy. A base that is not there changes nothing.
    """
    return replace(
        compiled,
        bases=tuple(
            _extended(entry, supplemental) if entry.base.policy.policy_id == supplemental.base_policy_id else entry
            for entry in compiled.bases
        ),
    )


def _extended(entry: CompiledBase, supplemental: AppControlPolicy) -> CompiledBase:
    unprotected = Option.DISABLED_FILEPATH_PROTECTION in entry.base.policy.options
    added = _compile(supplemental, yes(""), is_supplemental=True, base_unprotected=unprotected)
    return _united(entry.base, (*entry.supplementals, added))


def supplemental_counts(base: AppControlPolicy, supplemental: AppControlPolicy) -> Answer:
    """Whether a base takes this supplemental: option 17, and a signed one for a signed base.

    Source: App Control docs, "Deploy multiple App Control policies".
    """
    if Option.ALLOW_SUPPLEMENTAL_POLICIES not in base.options:
        return no(f"{base.label!r} does not accept supplemental policies (option 17)")
    if supplemental.signature is not None and not supplemental.signature.valid:
        return no("its signature does not hold, so Windows does not activate it")
    is_signed_base = base.signature is not None or Option.UNSIGNED_POLICY not in base.options
    if not is_signed_base:
        return yes("") if _may_be_unsigned(supplemental) else unknown(NOT_SPECIFIED, _unsigned_without_option(supplemental))
    if supplemental.signature is not None:
        return unknown(
            NOT_SPECIFIED, f"whether the signer of {supplemental.label!r} is among the SupplementalPolicySigners of its base"
        )
    if supplemental.form is PolicyForm.BINARY:
        return no(f"it is not signed, and {base.label!r} is a signed policy, which takes signed supplementals only")
    return unknown(
        NOT_SPECIFIED,
        f"whether {supplemental.label!r} is signed where it is deployed: its base has no option 6, so it takes signed ones only",
    )


def _may_be_unsigned(policy: AppControlPolicy) -> bool:
    return policy.signature is not None or Option.UNSIGNED_POLICY in policy.options


def _unsigned_without_option(policy: AppControlPolicy) -> str:
    return f"whether {policy.label!r} is signed where it is deployed: it has no option 6, without which a policy must be"


def _compile(
    policy: AppControlPolicy, counts: Answer, *, is_supplemental: bool, base_unprotected: bool | None = None
) -> CompiledPolicy:
    own = Option.DISABLED_FILEPATH_PROTECTION in policy.options
    unprotected = option_truth(own) if base_unprotected is None else option_truth(own, base_unprotected)
    # Drivers and programs mostly have the same rules, which then are indexed once.
    listed = {ids: _listed(policy, ids, unprotected) for ids in {scenario.product.file_rules for scenario in policy.scenarios}}
    return CompiledPolicy(
        policy=policy,
        label=policy.label,
        policy_id=str(policy.policy_id),
        scenarios={
            scenario.value: _compile_scenario(
                policy, scenario, listed[scenario.product.file_rules], is_supplemental=is_supplemental
            )
            for scenario in policy.scenarios
        },
        counts=counts,
        has_package_rules=any(is_package_rule(rule) for rule in policy.file_rules.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """The file rules that a scenario refers to."""

    allow: RuleSet
    deny: RuleSet
    missing: tuple[str, ...]


def _listed(policy: AppControlPolicy, ids: tuple[str, ...], unprotected: Truth) -> _Listed:
    known = policy.file_rules
    rules = [known[id] for id in dict.fromkeys(ids) if id in known]
    return _Listed(
        allow=index_rules([rule for rule in rules if rule.kind is _ALLOW], unprotected),
        deny=index_rules([rule for rule in rules if rule.kind is _DENY]),
        missing=tuple([id for id in ids if id not in known]),
    )


_ALLOW, _DENY = FileRuleKind.ALLOW, FileRuleKind.DENY


def _compile_scenario(
    policy: AppControlPolicy, scenario: Scenario, listed: _Listed, *, is_supplemental: bool
) -> CompiledScenario:
    group, missing = scenario.product, listed.missing
    return CompiledScenario(
        scenario=scenario,
        allow=listed.allow,
        deny=listed.deny,
        allowed_signers=index_signers(policy, group.allowed, ALLOW, is_supplemental=is_supplemental),
        denied_signers=index_signers(policy, group.denied, DENY, is_supplemental=is_supplemental),
        dangling_allow=missing + tuple(use.signer for use in group.allowed if use.signer not in policy.signers),
        dangling_deny=missing + tuple(use.signer for use in group.denied if use.signer not in policy.signers),
        has_test_groups=any(_has_rules(test) for test in (scenario.test, scenario.test_signing)),
        has_artifact_rules=bool(policy.artifact_rules) or _has_rules(scenario.artifact),
        denies=bool(missing or group.denied or not listed.deny.is_empty),
    )


def _has_rules(group: SignerGroup | None) -> bool:
    return group is not None and bool(group.allowed or group.denied or group.file_rules)


def all_policies(compiled: CompiledPolicySet) -> Iterator[CompiledPolicy]:
    for entry in compiled.bases:
        yield from entry.policies
