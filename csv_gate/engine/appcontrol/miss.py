"""Near misses: the allow rules that came closest, for the help of a denied verdict. Looked for only then."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from csv_gate.engine.appcontrol.attributes import conditions
from csv_gate.engine.appcontrol.compiled import CompiledBase, CompiledPolicy, CompiledScenario
from csv_gate.engine.appcontrol.hits import rule_ref
from csv_gate.engine.appcontrol.signer_match import CompiledSigner, signer_conditions
from csv_gate.engine.appcontrol.truth import ALLOW, TRUE, Answer
from csv_gate.engine.appcontrol.view import NAME_LABELS, ArtifactView, HashKind
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO, FileRule
from csv_gate.model.facts import SignatureFacts
from csv_gate.model.verdict import NearMiss

_DOUBTFUL = HashKind.DOUBTFUL
KEPT = 3
LOOKED_AT = 400
"""Candidates per signature and policy: a miss is a hint, not worth more time."""


def nearest(entry: CompiledBase, view: ArtifactView) -> tuple[NearMiss, ...]:
    """The best few, those that fail in fewest conditions and agree in most."""
    value = KERNEL_SCENARIO if view.kernel else USER_SCENARIO
    ranked: list[tuple[int, int, str, NearMiss]] = []
    for member in entry.policies:
        scenario = member.scenarios.get(value)
        if scenario is None:
            continue
        for failed, miss in (*_signers(member, scenario, view), *_rules(member, scenario, view)):
            ranked.append((failed, -len(miss.matched), miss.rule.id, miss))
    if not ranked:
        return ()
    ranked.sort(key=lambda entry: entry[:3])
    unique = {(miss.rule.policy_id, miss.rule.id): miss for *_, miss in reversed(ranked)}
    return tuple([miss for *_, miss in ranked if unique.get((miss.rule.policy_id, miss.rule.id)) is miss][:KEPT])


def _signers(member: CompiledPolicy, scenario: CompiledScenario, view: ArtifactView) -> Iterator[tuple[int, NearMiss]]:
    for signature in view.signatures:
        for compiled in islice(scenario.allowed_signers.under_roots_of(signature), LOOKED_AT):
            found = _signer_miss(member, compiled, signature, view)
            if found is not None:
                yield found


def _signer_miss(
    member: CompiledPolicy, compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView
) -> tuple[int, NearMiss] | None:
    parts = list(signer_conditions(compiled, signature, view, ALLOW))
    failed = [(name, answer) for name, answer in parts if answer.truth is not TRUE]
    if not failed or failed[0][0] == "root":
        return None
    differs = failed[0][1].why
    if failed[0][0] == "file attributes" and compiled.attributes is not None:
        differs = _attribute_difference(compiled, view) or differs
    matched = tuple(name for name, answer in parts if answer.truth is TRUE)
    ref = compiled.ref
    return len(failed), NearMiss(rule=ref, matched=matched, differs=differs)


def _attribute_difference(compiled: CompiledSigner, view: ArtifactView) -> str | None:
    assert compiled.attributes is not None
    best: tuple[int, str, str] | None = None
    for rule in islice(compiled.attributes.attribute_rules, LOOKED_AT):
        answers = list(conditions(rule, view, ALLOW, compiled.attributes.unprotected))
        failed = [answer for answer in answers if answer.truth is not TRUE]
        if failed:
            candidate = (len(failed) * 10 - len(answers), rule.id, f"{failed[0].why} ({rule.id})")
            best = candidate if best is None else min(best, candidate)
    return best[2] if best else None


def _rules(member: CompiledPolicy, scenario: CompiledScenario, view: ArtifactView) -> Iterator[tuple[int, NearMiss]]:
    """Attribute rules that agree in some name, and hash rules that hold a digest which is not compared."""
    for rule in _same_name(scenario, view):
        answers = list(conditions(rule, view, ALLOW, scenario.allow.unprotected))
        failed = [answer for answer in answers if answer.truth is not TRUE]
        matched = tuple(_label(answer) for answer in answers if answer.truth is TRUE and answer.why)
        if failed and matched:
            yield len(failed), NearMiss(rule=rule_ref(member, rule), matched=matched, differs=failed[0].why)
    for value, candidate in view.hashes.items():
        rule_of = scenario.allow.hashes.rules.get(value) if candidate.kind is _DOUBTFUL else None
        if rule_of is not None:
            why = f"the rule holds the {candidate.label} of the file, App Control compares the Authenticode digest"
            yield 1, NearMiss(rule=rule_ref(member, rule_of), matched=(candidate.label,), differs=why)


def _same_name(scenario: CompiledScenario, view: ArtifactView) -> Iterator[FileRule]:
    for field in scenario.allow.named:
        if (key := view.name_key(field)) is not None:
            yield from islice(scenario.allow.by_name.get((field, key), ()), LOOKED_AT)


def _label(answer: Answer) -> str:
    return next((label for label in NAME_LABELS if answer.why.startswith(label)), answer.why)
