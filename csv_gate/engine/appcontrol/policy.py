"""One base policy with its supplementals: deny before allow, over all signatures and all hashes.

Deny rules count in the base only; allow rules of the base and of the supplementals that it takes are united. What nothing allows is
denied, unless managed installer or ISG vouch for it.

Sources: App Control docs, "App Control admin tips and known issues" (order of evaluation), "Deploy multiple App Control policies",
"Authorize apps deployed with a managed installer", "Authorize reputable apps with the ISG".
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.engine.appcontrol.compiled import CompiledBase, CompiledPolicy, CompiledScenario
from csv_gate.engine.appcontrol.hits import BrokenHit, Hit, Hits, collect
from csv_gate.engine.appcontrol.truth import (
    ALLOW,
    CONTEXT,
    DENY,
    FACT,
    FALSE,
    NOT_SPECIFIED,
    OPEN,
    TRUE,
    YES,
    Answer,
    Doubt,
    all_of,
    any_of,
    unknown,
    yes,
)
from csv_gate.engine.appcontrol.usability import hidden_signers, is_void
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO, Option
from csv_gate.model.verdict import Decision, Outcome, RuleRef, Step
from csv_gate.records.rows import NamedTuple

ALLOWED, DENIED = Decision.ALLOWED, Decision.DENIED
UNDECIDED, NOT_APPLICABLE = Decision.UNDECIDED, Decision.NOT_APPLICABLE
"""Bound once, as the truths are."""
_NO_HITS = Hits(found=())


class BaseResult(NamedTuple):
    """What one base says."""

    entry: CompiledBase
    decision: Decision
    because: str
    rule: RuleRef | None = None
    check: str | None = None
    doubts: tuple[Doubt, ...] = ()
    steps: tuple[Step, ...] = ()
    broken: tuple[BrokenHit, ...] = ()
    is_implicit: bool = False
    """Denied because nothing allows it."""


def judge(entry: CompiledBase, view: ArtifactView) -> BaseResult:
    """Evaluate one base with its supplementals."""
    base = entry.base
    if not view.kernel and not entry.governs_user_code:
        why = f"{base.label!r} does not govern user-mode code (option 0, UMCI, is off)"
        return BaseResult(entry, NOT_APPLICABLE, why, steps=(_step(base.label, Outcome.SKIPPED, why),))
    value = KERNEL_SCENARIO if view.kernel else USER_SCENARIO
    scenario = base.scenarios.get(value)
    deny = collect(base, scenario, view, DENY) if scenario is not None and scenario.denies else _NO_HITS
    allow, skipped = _united_allow(entry, value, view)
    if entry.has_package_rules and not view.kernel:
        deny, allow = _packages_alone(view, deny, allow)
    steps = (*skipped, *_steps(base.label, deny), *_steps(base.label, allow))
    worst = deny.best
    if worst is not None and worst.answer.truth is TRUE:
        return _denied(entry, worst, steps)
    return _weigh(entry, view, scenario, deny, allow, steps)


def _weigh(
    entry: CompiledBase,
    view: ArtifactView,
    scenario: CompiledScenario | None,
    deny: Hits,
    allow: Hits,
    steps: tuple[Step, ...],
) -> BaseResult:
    """Decide where no deny rule matches for sure."""
    label = entry.base.label
    open_questions = entry.open_questions[view.kernel, view.context.test_signing]
    vouched = _reputation(entry, view) if entry.vouching else ()
    permitted = any_of((*[hit.answer for hit in allow.found], *vouched, *open_questions))
    if permitted.truth is FALSE:
        last = entry.nothing_allows
        return BaseResult(
            entry, DENIED, last.because, check="CSV201", steps=(*steps, last), broken=allow.broken, is_implicit=True
        )
    demands = _kernel_demands(entry, view) if view.kernel else YES
    if demands.truth is FALSE:
        return BaseResult(entry, DENIED, demands.why, check="CSV207", steps=(*steps, _step(label, Outcome.DENIES, demands.why)))
    reservations = all_of((deny.doubts, permitted, demands, *open_questions, *_reservations(entry, scenario, view)))
    if reservations.truth is OPEN:
        because = f"{label!r} cannot be decided: {reservations.doubts[0].what}"
        return BaseResult(
            entry,
            UNDECIDED,
            because,
            doubts=reservations.doubts,
            rule=_first_rule(deny, allow),
            steps=(*steps, _step(label, Outcome.UNKNOWN, because)),
            broken=allow.broken,
        )
    best = allow.best
    if best is not None and best.answer.truth is TRUE:
        name = best.rule.id if best.rule else ""
        because = f"{name} of {best.rule.policy if best.rule else label!r} allows it" + (
            f": {best.answer.why}" if best.answer.why else ""
        )
        return BaseResult(entry, ALLOWED, because, rule=best.rule, steps=steps)
    return BaseResult(entry, ALLOWED, permitted.why, steps=(*steps, _step(label, Outcome.ALLOWS, permitted.why)))


def _kernel_demands(entry: CompiledBase, view: ArtifactView) -> Answer:
    from csv_gate.engine.appcontrol.kernel import option_demands  # most builds have no drivers

    return option_demands(entry, view)


def _united_allow(entry: CompiledBase, value: int, view: ArtifactView) -> tuple[Hits, tuple[Step, ...]]:
    """Allow hits of the base and of its supplementals, and what was passed over."""
    if not entry.supplementals:
        scenario = entry.base.scenarios.get(value)
        return _NO_HITS if scenario is None else collect(entry.base, scenario, view, ALLOW), ()
    found: list[Hit] = []
    broken: list[BrokenHit] = []
    skipped: list[Step] = []
    for member in entry.policies:
        scenario = member.scenarios.get(value)
        if member.counts.truth is FALSE:
            skipped.append(_step(member.label, Outcome.SKIPPED, member.counts.why))
            continue
        if scenario is None:
            continue
        hits = collect(member, scenario, view, ALLOW)
        found += hits.found if member.counts.truth is TRUE else [_weighed(member, hit) for hit in hits.found]
        broken.extend(hits.broken)
        if member is not entry.base and (ignored := collect(member, scenario, view, DENY).best):
            why = "a deny rule of a supplemental policy is ignored"
            skipped.append(Step(policy=member.label, rule=ignored.rule, outcome=Outcome.SKIPPED, because=why))
    if len(found) > 1:
        found.sort(key=lambda hit: -hit.answer.truth)
    return Hits(found=tuple(found), broken=tuple(broken)), tuple(skipped)


def _weighed(member: CompiledPolicy, hit: Hit) -> Hit:
    return hit._replace(answer=all_of((hit.answer, member.counts)))


def _packages_alone(view: ArtifactView, deny: Hits, allow: Hits) -> tuple[Hits, Hits]:
    """Where a base or supplemental holds a package rule, packaged apps are judged by package rules only.

    Source: App Control docs, "Manage packaged apps with App Control".
    """
    package = view.context.package_family_name
    if package == "":
        return deny, allow
    if package is None:
        doubt = unknown(
            CONTEXT,
            "whether the artifact is part of a package (`package_family_name`, empty for none): the policy has package rules, and "
            "packaged apps are judged by those alone",
        )
        return deny, allow._replace(found=tuple(hit if hit.is_package_rule else _doubted(hit, doubt) for hit in allow.found))
    doubt = unknown(
        NOT_SPECIFIED, "whether a rule that names no package denies a packaged app where the policy has package rules"
    )
    return (
        deny._replace(found=_sorted(hit if hit.is_package_rule else _doubted(hit, doubt) for hit in deny.found)),
        allow._replace(found=tuple(hit for hit in allow.found if hit.is_package_rule)),
    )


def _doubted(hit: Hit, doubt: Answer) -> Hit:
    return hit._replace(answer=all_of((hit.answer, doubt)))


def _sorted(hits: Iterator[Hit]) -> tuple[Hit, ...]:
    return tuple(sorted(hits, key=lambda hit: -hit.answer.truth))


def _reputation(entry: CompiledBase, view: ArtifactView) -> Iterator[Answer]:
    """Options 13 and 14, for user-mode code that is in no package."""
    if view.kernel or view.context.package_family_name:
        return
    for option in entry.vouching:
        if option is Option.MANAGED_INSTALLER:
            told, what = view.context.managed_installer, "a managed installer writes it (`managed_installer`)"
        else:
            told, what = view.context.isg_trusted, "the Intelligent Security Graph knows it as good (`isg_trusted`)"
        if told is False:
            continue
        if told is None:
            yield unknown(CONTEXT, f"whether {what}")
        elif view.host is not None:
            yield unknown(NOT_SPECIFIED, f"whether {view.host} takes option {option.number} for an answer")
        elif entry.base.has(option):
            yield yes(
                f"{what}, as the target's configuration says, and option {option.number} of {entry.base.label!r} takes that"
            )
        else:
            yield unknown(NOT_SPECIFIED, f"whether option {option.number} counts where only a supplemental sets it")


def _reservations(entry: CompiledBase, scenario: CompiledScenario | None, view: ArtifactView) -> Iterator[Answer]:
    """What could still deny an artifact that a rule allows."""
    if scenario is None and not view.kernel:
        yield unknown(
            NOT_SPECIFIED, f"what a supplemental allows where its base {entry.base.label!r} has UMCI but no scenario 12"
        )
    if entry.voids_as_unsigned and not view.kernel:
        return
    yield from _void_signatures(view)


def _void_signatures(view: ArtifactView) -> Iterator[Answer]:
    """Without option 20 a revoked, or expired lifetime, signature blocks the file; how it fares beside another rule is not published."""
    if view.signatures_gap is not None:
        yield unknown(
            FACT, f"whether a signature is revoked or expired, which blocks without option 20 ({view.signatures_gap})"
        )
    for signature in view.signatures:
        if not signature.valid:
            continue  # counts as none
        if view.context.revoked_sha256 and (hidden := hidden_signers(signature)) is not None:
            yield unknown(FACT, f"whether a signature is revoked, which blocks without option 20: {hidden}")
        if signature.chain is None or signature.signer is None:
            yield unknown(FACT, "whether a signature is revoked or expired: its certificate chain is not known")
        elif (void := is_void(signature, view.context)) is not None:
            yield unknown(
                NOT_SPECIFIED, f"whether another rule can allow a file that has a void signature: {void}, and option 20 is off"
            )


def _denied(entry: CompiledBase, hit: Hit, steps: tuple[Step, ...]) -> BaseResult:
    name = hit.rule.id if hit.rule else ""
    because = f"{name} of {entry.base.label!r} denies it" + (f": {hit.answer.why}" if hit.answer.why else "")
    check = "CSV203" if hit.is_signer else "CSV202"
    return BaseResult(entry, DENIED, because, rule=hit.rule, check=check, steps=steps)


def _first_rule(deny: Hits, allow: Hits) -> RuleRef | None:
    return next((hit.rule for hits in (deny, allow) for hit in hits.found if hit.answer.truth is OPEN and hit.rule), None)


def _steps(label: str, hits: Hits) -> list[Step]:
    steps = []
    for hit in hits.found:
        sure = _SURE_OUTCOMES[hit.direction]
        outcome = sure if hit.answer.truth is TRUE else Outcome.UNKNOWN
        because = hit.answer.why or "matches any file"
        steps.append(Step(policy=hit.rule.policy if hit.rule else label, rule=hit.rule, outcome=outcome, because=because))
    for broken in hits.broken:
        steps.append(Step(policy=broken.rule.policy, rule=broken.rule, outcome=Outcome.NO_MATCH, because=broken.why))
    return steps


_SURE_OUTCOMES = {ALLOW: Outcome.ALLOWS, DENY: Outcome.DENIES}


def _step(label: str, outcome: Outcome, because: str) -> Step:
    return Step(policy=label, rule=None, outcome=outcome, because=because)
