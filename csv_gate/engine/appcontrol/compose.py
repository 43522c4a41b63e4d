"""Several bases together: every enforced base must allow, each with its own supplementals; audit bases only log.

Source: App Control docs, "Deploy multiple App Control policies". Event 3117 tells of a policy that overrides another one's denial; its
rules are not published, and a denial stays one here.
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.explain import bounded, denied_help, signature_check, undecided_help, unused_supplementals
from csv_gate.engine.appcontrol.kernel import driver_signing_rule
from csv_gate.engine.appcontrol.miss import nearest
from csv_gate.engine.appcontrol.policy import BaseResult
from csv_gate.engine.appcontrol.truth import FALSE, NOT_SPECIFIED, TRUE, Doubt
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.appcontrol import Option
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.model.verdict import Decision, Outcome, Step, Verdict
from csv_gate.records import replace

BLOCKED_EVENT = 3077
AUDIT_EVENT = 3076
HOST_BLOCKED_EVENT = 8029
HOST_AUDIT_EVENT = 8028
EV_IN_AUDIT = Doubt(
    check=NOT_SPECIFIED,
    what="whether option 8 (Required:EV Signers) blocks drivers where its policy only audits, as users report and no documentation says",
)


def together(policies: CompiledPolicySet, results: list[BaseResult], view: ArtifactView, target: str) -> Verdict:
    """The verdict of a set, out of what each base says."""
    context = view.context
    steps = (*(step for result in results for step in result.steps), *tagging_steps(policies))
    governing = [result for result in results if result.decision is not Decision.NOT_APPLICABLE]
    if not governing:
        why = results[0].because if results else "no base policy is in the set"
        return not_applicable(target, why, bounded(steps, ()))
    enforced = [result for result in governing if not _only_logs(result, context)]
    logging = [result for result in governing if _only_logs(result, context)]
    if (result := _first(enforced, Decision.DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=False)
    doubtful = _first(enforced, Decision.UNDECIDED)
    blocked = _driver_rule(view, target, steps) if view.kernel else None
    if blocked is not None and (doubtful is None or blocked.decision is Decision.DENIED):
        return blocked
    if doubtful is not None:
        return _from_doubts(doubtful, target, steps, audited=False)
    if view.kernel and any(result.entry.base.has(Option.EV_SIGNERS) for result in logging):
        return undecided(target, (EV_IN_AUDIT,), f"it is not known {EV_IN_AUDIT.what}", bounded(steps, ()))
    if (result := _first(logging, Decision.DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=True)
    if (result := _first(logging, Decision.UNDECIDED)) is not None:
        return _from_doubts(result, target, steps, audited=True)
    if policies.source.uncertainties:
        doubts = tuple(Doubt(check=NOT_SPECIFIED, what=what) for what in policies.source.uncertainties)
        return undecided(target, doubts, f"the policy set leaves it open: {doubts[0].what}", bounded(steps, ()))
    return _allowed((enforced or logging)[0], target, steps)


def _only_logs(result: BaseResult, context: AppControlContext) -> bool:
    return context.mode is Mode.POLICY and Option.AUDIT_MODE in result.entry.base.policy.options


def _first(results: list[BaseResult], decision: Decision) -> BaseResult | None:
    """Of equal decisions the explicit one tells more."""
    found = [result for result in results if result.decision is decision]
    return next((result for result in found if not result.is_implicit), found[0]) if found else None


def _allowed(result: BaseResult, target: str, steps: tuple[Step, ...]) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.ALLOWED,
        rule=result.rule,
        trace=bounded(steps, tuple(step for step in steps if step.rule is not None and step.rule == result.rule)),
        because=result.because,
    )


def _denied(
    policies: CompiledPolicySet, result: BaseResult, view: ArtifactView, target: str, steps: tuple[Step, ...], *, audited: bool
) -> Verdict:
    check = result.check or "CSV201"
    near = nearest(result.entry, view) if result.is_implicit else ()
    unused = unused_supplementals(policies, result, view) if result.is_implicit else ()
    if result.is_implicit:
        check = signature_check(result.broken)
    return Verdict(
        target=target,
        decision=Decision.DENIED,
        audited=audited,
        checks=(check, *dict.fromkeys(name for name, _ in unused)),
        rule=result.rule or (result.broken[0].rule if result.broken and result.is_implicit else None),
        trace=bounded(steps, tuple(step for step in steps if step.outcome is Outcome.DENIES)),
        nearest=near,
        because=result.because,
        help=denied_help(result, view, near, unused),
        predicted_event=_event(view, audited=audited),
    )


def _event(view: ArtifactView, *, audited: bool) -> int:
    if view.host is not None:
        return HOST_AUDIT_EVENT if audited else HOST_BLOCKED_EVENT
    return AUDIT_EVENT if audited else BLOCKED_EVENT


def _driver_rule(view: ArtifactView, target: str, steps: tuple[Step, ...]) -> Verdict | None:
    """The verdict where Windows' own rule for drivers is not evidently met."""
    answer = driver_signing_rule(view)
    if answer.truth is TRUE:
        return None
    if answer.truth is FALSE:
        return Verdict(
            target=target,
            decision=Decision.DENIED,
            checks=("CSV208",),
            trace=bounded(steps, ()),
            because=answer.why,
            help="have the driver signed by Microsoft's hardware programme",
        )
    why = "no policy blocks it, but Windows' own rule for drivers stands beside the policies, and it is not evident that it is met"
    return undecided(target, answer.doubts, why, steps)


def _from_doubts(result: BaseResult, target: str, steps: tuple[Step, ...], *, audited: bool) -> Verdict:
    verdict = undecided(target, result.doubts, result.because, steps)
    return replace(verdict, rule=result.rule, audited=audited)


def undecided(target: str, doubts: tuple[Doubt, ...], because: str, steps: tuple[Step, ...]) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.UNDECIDED,
        checks=tuple(sorted({doubt.check for doubt in doubts})),
        trace=bounded(steps, tuple(step for step in steps if step.outcome is Outcome.UNKNOWN)),
        missing=tuple(doubt.what for doubt in doubts),
        because=because,
        help=undecided_help(doubts),
    )


def not_applicable(target: str, why: str, steps: tuple[Step, ...] = ()) -> Verdict:
    return Verdict(target=target, decision=Decision.NOT_APPLICABLE, trace=steps, because=why)


def tagging_steps(policies: CompiledPolicySet) -> tuple[Step, ...]:
    why = "an AppID tagging policy never blocks"
    tagging = tuple(Step(policy=p.label, rule=None, outcome=Outcome.SKIPPED, because=why) for p in policies.source.tagging)
    orphans = tuple(
        Step(policy=o.policy.label, rule=None, outcome=Outcome.SKIPPED, because=o.counts.why) for o in policies.orphans
    )
    return tagging + orphans
