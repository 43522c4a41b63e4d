"""What holds for every policy set, every artifact and every context."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.engine import compile_policy_set, evaluate, with_supplemental
from csv_gate.engine.appcontrol.trace import TRACE_STEPS
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    AppControlPolicySet,
    BaseWithSupplementals,
    FileRuleKind,
    Option,
    PolicyKind,
    Scenario,
    SignerGroup,
)
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import FactName, Facts, Gap, SignatureFacts, VersionFacts
from csv_gate.model.verdict import Decision, Verdict
from tests.builders import appcontrol as ac
from tests.engine.generated import Generator

SEEDS = st.integers(0, 2**32)
T = TypeVar("T")
QUICK = settings(max_examples=120, deadline=None, derandomize=True)


def decide(facts: Facts, policies: AppControlPolicySet, context: AppControlContext) -> Verdict:
    return evaluate(facts, compile_policy_set(policies), context, target="t")


def allows_more(after: Verdict, before: Verdict) -> bool:
    """Whether an answer became better: allowed where it was not, or passing (an audit policy's objection) where it failed."""
    became_allowed = after.decision is Decision.ALLOWED and before.decision is not Decision.ALLOWED
    return became_allowed or (passes(after) and not passes(before))


def passes(verdict: Verdict) -> bool:
    return verdict.decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE) or verdict.audited


def with_first_base(policies: AppControlPolicySet, base: AppControlPolicy) -> AppControlPolicySet:
    first, *rest = policies.bases
    return replace(policies, bases=(BaseWithSupplementals(base=base, supplementals=first.supplementals), *rest))


def with_groups(policy: AppControlPolicy, change: object) -> AppControlPolicy:
    assert callable(change)
    scenarios = tuple(replace(scenario, product=change(scenario.product)) for scenario in policy.scenarios)
    return replace(policy, scenarios=scenarios)


@QUICK
@given(SEEDS)
def test_adding_a_deny_rule_never_allows_more(seed: int) -> None:
    generator = Generator(seed)
    facts, policies, context = generator.case()
    base = policies.bases[0].base
    rule = generator.rule(FileRuleKind.DENY, "ID_DENY_ADDED")
    harder = with_groups(
        replace(base, file_rules={**base.file_rules, rule.id: rule}),
        lambda group: replace(group, file_rules=(*group.file_rules, rule.id)),
    )
    before, after = decide(facts, policies, context), decide(facts, with_first_base(policies, harder), context)
    assert not allows_more(after, before)
    if before.decision is Decision.DENIED and not before.audited:
        assert after.decision is Decision.DENIED


@QUICK
@given(SEEDS)
def test_denying_a_signer_never_allows_more(seed: int) -> None:
    generator = Generator(seed)
    facts, policies, context = generator.case()
    base = policies.bases[0].base
    signer = generator.signer("ID_SIGNER_ADDED", [])
    harder = with_groups(
        replace(base, signers={**base.signers, signer.id: signer}),
        lambda group: replace(group, denied=(*group.denied, ac.use(signer.id))),
    )
    after = decide(facts, with_first_base(policies, harder), context)
    assert not allows_more(after, decide(facts, policies, context))


@QUICK
@given(SEEDS)
def test_removing_an_allow_rule_never_allows_more(seed: int) -> None:
    generator = Generator(seed)
    facts, policies, context = generator.case()
    base = policies.bases[0].base

    def fewer(group: SignerGroup) -> SignerGroup:
        if group.allowed and generator.chance(0.5):
            return replace(group, allowed=group.allowed[1:])
        kept = list(group.file_rules)
        first = next((id for id in kept if base.file_rules[id].kind is FileRuleKind.ALLOW), None)
        return replace(group, file_rules=tuple(id for id in kept if id != first))

    after = decide(facts, with_first_base(policies, with_groups(base, fewer)), context)
    assert not allows_more(after, decide(facts, policies, context))


def unknown_variants(facts: Facts) -> dict[FactName, Facts]:
    """The same artifact with one fact lost."""
    lost = {
        FactName.CONTENT: replace(facts, digests=None, pe=None, version=None, signatures=()),
        FactName.DIGESTS: replace(facts, digests=None),
        FactName.VERSION: replace(facts, version=None),
        FactName.SIGNATURES: replace(facts, signatures=()),
        FactName.CATALOGS: replace(facts, signatures=facts.signatures[:1]),
        FactName.PE: replace(facts, pe=None),
    }
    if facts.version is not None:
        lost[FactName.VERSION_NAMES] = replace(facts, version=VersionFacts(file_version=facts.version.file_version))
    if facts.digests is not None:
        no_image = replace(facts.digests, authenticode_sha1=None, authenticode_sha256=None)
        lost[FactName.AUTHENTICODE] = replace(
            facts, digests=replace(no_image, padded_authenticode_sha1=None, padded_authenticode_sha256=None)
        )
        lost[FactName.PAGE_HASH] = replace(facts, digests=replace(facts.digests, page_sha1=None, page_sha256=None))
    return {name: replace(less, gaps=(*less.gaps, Gap(what=name, why="lost"))) for name, less in lost.items()}


@QUICK
@given(SEEDS)
def test_losing_a_fact_never_improves_a_verdict(seed: int) -> None:
    facts, policies, context = Generator(seed).case()
    before = decide(facts, policies, context)
    for name, less in unknown_variants(facts).items():
        after = decide(less, policies, context)
        assert not allows_more(after, before), name


def without_chain(signature: SignatureFacts) -> SignatureFacts:
    return replace(signature, signer=None, chain=None)


@QUICK
@given(SEEDS)
def test_losing_a_chain_never_improves_a_verdict(seed: int) -> None:
    facts, policies, context = Generator(seed).case()
    less = replace(facts, signatures=tuple(without_chain(signature) for signature in facts.signatures))
    assert not allows_more(decide(less, policies, context), decide(facts, policies, context))


CONTEXT_THAT_MAY_BE_UNTOLD = (
    "install_path",
    "is_user_writable",
    "os_build",
    "flight_signing",
    "managed_installer",
    "isg_trusted",
    "calling_process",
    "package_family_name",
    "trusted_roots_sha256",
)


@QUICK
@given(SEEDS, st.sampled_from(CONTEXT_THAT_MAY_BE_UNTOLD))
def test_an_untold_context_never_improves_a_verdict(seed: int, name: str) -> None:
    facts, policies, context = Generator(seed).case()
    before = decide(facts, policies, context)
    after = decide(facts, policies, replace(context, **{name: None}))  # type: ignore[arg-type]
    assert not allows_more(after, before)


@QUICK
@given(SEEDS)
def test_the_order_of_rules_does_not_matter(seed: int) -> None:
    facts, policies, context = Generator(seed).case()
    shuffled = replace(
        policies,
        bases=tuple(
            BaseWithSupplementals(
                base=shuffle(entry.base, Random(seed)),
                supplementals=tuple(shuffle(supplemental, Random(seed)) for supplemental in entry.supplementals),
            )
            for entry in policies.bases
        ),
    )
    assert decide(facts, shuffled, context) == decide(facts, policies, context)


def shuffle(policy: AppControlPolicy, random: Random) -> AppControlPolicy:
    def mixed(items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(items, k=len(items)))

    def mix(scenario: Scenario) -> Scenario:
        group = scenario.product
        product = SignerGroup(allowed=mixed(group.allowed), denied=mixed(group.denied), file_rules=mixed(group.file_rules))
        return replace(scenario, product=product)

    return replace(
        policy,
        file_rules=dict(mixed(tuple(policy.file_rules.items()))),
        signers=dict(mixed(tuple(policy.signers.items()))),
        scenarios=mixed(tuple(mix(scenario) for scenario in policy.scenarios)),
    )


@QUICK
@given(SEEDS)
def test_a_verdict_explains_itself(seed: int) -> None:
    verdict = decide(*Generator(seed).case())
    assert verdict.because
    assert len(verdict.trace) <= TRACE_STEPS
    assert len(verdict.nearest) <= 3
    if verdict.decision is Decision.DENIED:
        assert verdict.checks
        assert verdict.help
    if verdict.decision is Decision.UNDECIDED:
        assert verdict.missing
        assert verdict.help
    if verdict.decision is Decision.ALLOWED:
        assert not verdict.checks
        assert verdict.trace or verdict.rule is None


@pytest.mark.parametrize("seed", range(20))
def test_the_same_question_has_the_same_answer(seed: int) -> None:
    assert decide(*Generator(seed).case()) == decide(*Generator(seed).case())


@QUICK
@given(SEEDS)
def test_trying_a_supplemental_comes_to_what_deploying_it_does(seed: int) -> None:
    generator = Generator(seed)
    facts, policies, context = generator.case()
    first, *rest = policies.bases
    options = first.base.options | {Option.ALLOW_SUPPLEMENTAL_POLICIES, Option.UNSIGNED_POLICY}
    base = replace(first.base, options=options, signature=None)
    added = replace(
        generator.policy("Tried", 99, is_supplemental=True), base_policy_id=base.policy_id, kind=PolicyKind.SUPPLEMENTAL
    )

    def with_supplementals(*more: AppControlPolicy) -> AppControlPolicySet:
        entry = BaseWithSupplementals(base=base, supplementals=(*first.supplementals, *more))
        return replace(policies, bases=(entry, *rest))

    tried = with_supplemental(compile_policy_set(with_supplementals()), added)
    deployed = compile_policy_set(with_supplementals(replace(added, signature=None)))
    got, expected = (evaluate(facts, compiled, context, target="t") for compiled in (tried, deployed))
    assert (got.decision, got.audited, got.rule) == (expected.decision, expected.audited, expected.rule)
