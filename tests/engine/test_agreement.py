"""The engine and the plain evaluator agree, and the generated cases are rich enough to tell every known misreading."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.model.appcontrol import AppControlPolicySet
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from tests.engine.generated import Generator
from tests.engine.plain_evaluator import MUTANTS, plain_decision

CASES = int(os.environ.get("CSV_GATE_ENGINE_CASES", "1500"))
MUTANT_CASES = 4000


def engine_decision(facts: Facts, policies: AppControlPolicySet, context: AppControlContext) -> str:
    verdict = evaluate(facts, compile_policy_set(policies), context, target="t")
    return verdict.decision + ("+audited" if verdict.audited else "")


def test_the_engine_agrees_with_the_plain_evaluator() -> None:
    generator = Generator(20260601)
    seen: Counter[str] = Counter()
    for number in range(CASES):
        facts, policies, context = generator.case()
        expected = plain_decision(facts, policies, context)
        assert engine_decision(facts, policies, context) == expected, f"case {number}"
        seen[expected] += 1
    assert {"allowed", "denied", "undecided", "not_applicable", "denied+audited", "undecided+audited"} <= set(seen)
    assert min(seen["allowed"], seen["denied"], seen["undecided"]) > CASES / 10, seen


def test_the_engine_agrees_on_scripts_and_installers() -> None:
    generator = Generator(20260603)
    seen: Counter[str] = Counter()
    for number in range(CASES):
        facts, policies, context = generator.hosted_case()
        expected = plain_decision(facts, policies, context)
        assert engine_decision(facts, policies, context) == expected, f"case {number}, {facts.format}"
        seen[expected] += 1
    assert {"allowed", "denied", "undecided", "not_applicable", "denied+audited"} <= set(seen)
    assert min(seen["allowed"], seen["denied"], seen["undecided"]) > CASES / 40, seen


@pytest.fixture(scope="module")
def told_apart() -> dict[str, int]:
    """Mutant -> number of the first generated case that tells it from the plain evaluator."""
    generator = Generator(20260603)
    told: dict[str, int] = {}
    for number in range(MUTANT_CASES):
        facts, policies, context = generator.case()
        right = plain_decision(facts, policies, context)
        for mutant in MUTANTS.keys() - told.keys():
            if plain_decision(facts, policies, context, [mutant]) != right:
                told[mutant] = number
        if len(told) == len(MUTANTS):
            break
    return told


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_generated_cases_tell_a_misreading(mutant: str, told_apart: dict[str, int]) -> None:
    assert mutant in told_apart, f"no case tells: {MUTANTS[mutant]}"
