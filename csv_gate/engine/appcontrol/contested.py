"""Sets of which a base denies or leaves something open, and drivers: what decides first, and what would mend it.

A denial by an enforced base comes before all doubts, Windows' own rule for drivers before the doubts of a base, and what only logs last.

Sources: App Control docs, "Deploy multiple App Control policies" and "Understanding App Control event IDs".
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.explain import denied_help, signature_check, undecided_help, unused_supplementals
from csv_gate.engine.appcontrol.kernel import driver_signing_rule
from csv_gate.engine.appcontrol.miss import nearest
from csv_gate.engine.appcontrol.policy import DENIED, UNDECIDED, BaseResult
from csv_gate.engine.appcontrol.trace import bounded
from csv_gate.engine.appcontrol.truth import FALSE, NOT_SPECIFIED, TRUE, Doubt
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.appcontrol import Option
from csv_gate.model.verdict import Decision, NearMiss, Outcome, Step, Verdict
from csv_gate.records import replace

BLOCKED_EVENT = 3077
AUDIT_EVENT = 3076
HOST_BLOCKED_EVENT = 8029
HOST_AUDIT_EVENT = 8028
EV_IN_AUDIT = Doubt(
    check=NOT_SPECIFIED,
    what="whether option 8 (Required:EV Signers) blocks drivers where its policy only audits, as users report and no documentation says",
)


def contested(
    policies: CompiledPolicySet,
    enforced: list[BaseResult],
    logging: list[BaseResult],
    view: ArtifactView,
    target: str,
    steps: tuple[Step, ...],
) -> Verdict | None:
    """The verdict where not every base allows a program, or the set or a driver asks for more; `None`: what was asked for is met."""
    if (result := _first(enforced, DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=False)
    doubtful = _first(enforced, UNDECIDED)
    blocked = _driver_rule(view, target, steps) if view.kernel else None
    if blocked is not None and (doubtful is None or blocked.decision is DENIED):
        return blocked
    if doubtful is not None:
        return _from_doubts(doubtful, target, steps, audited=False)
    if view.kernel and any(result.entry.base.has(Option.EV_SIGNERS) for result in logging):
        return undecided(target, (EV_IN_AUDIT,), f"it is not known {EV_IN_AUDIT.what}", bounded(steps))
    if (result := _first(logging, DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=True)
    if (result := _first(logging, UNDECIDED)) is not None:
        return _from_doubts(result, target, steps, audited=True)
    if policies.source.uncertainties:
        doubts = tuple(Doubt(check=NOT_SPECIFIED, what=what) for what in policies.source.uncertainties)
        return undecided(target, doubts, f"the policy set leaves it open: {doubts[0].what}", bounded(steps))
    return None


def _first(results: list[BaseResult], decision: Decision) -> BaseResult | None:
    """Of equal decisions the explicit one tells more."""
    implicit: BaseResult | None = None
    for result in results:
        if result.decision is decision:
            if not result.is_implicit:
                return result
            implicit = implicit or result
    return implicit


def _denied(
    policies: CompiledPolicySet, result: BaseResult, view: ArtifactView, target: str, steps: tuple[Step, ...], *, audited: bool
) -> Verdict:
    check = result.check or "CSV201"
    near: tuple[NearMiss, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    if result.is_implicit:
        near = nearest(result.entry, view)
        unused = unused_supplementals(policies, result, view)
        check = signature_check(result.broken)
    return Verdict(
        target=target,
        decision=DENIED,
        audited=audited,
        checks=(check, *dict.fromkeys([name for name, _ in unused])),
        rule=result.rule or (result.broken[0].rule if result.broken and result.is_implicit else None),
        trace=bounded(steps, lambda step: step.outcome is Outcome.DENIES),
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
            decision=DENIED,
            checks=("CSV208",),
            trace=bounded(steps),
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
        decision=UNDECIDED,
        checks=tuple(sorted({doubt.check for doubt in doubts})),
        trace=bounded(steps, lambda step: step.outcome is Outcome.UNKNOWN),
        missing=tuple(doubt.what for doubt in doubts),
        because=because,
        help=undecided_help(doubts),
    )
