"""Several bases together: every enforced base must allow, each with its own supplementals; audit bases only log.

Source: App Control docs, "Deploy multiple App Control policies". Event 3117 tells of a policy that overrides another one's denial; its
rules are not published, and a denial stays one here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.policy import ALLOWED, NOT_APPLICABLE, BaseResult
from csv_gate.engine.appcontrol.trace import bounded
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.context import Mode
from csv_gate.model.verdict import Step, Verdict

_AS_THE_POLICY_SAYS = Mode.POLICY


def together(policies: CompiledPolicySet, results: list[BaseResult], view: ArtifactView, target: str) -> Verdict:
    """The verdict of a set, out of what each base says."""
    steps = policies.passed_over
    for result in reversed(results):
        steps = result.steps + steps
    lets_audit = view.context.mode is _AS_THE_POLICY_SAYS
    enforced: list[BaseResult] = []
    logging: list[BaseResult] = []
    all_allow = True
    for result in results:
        if result.decision is not NOT_APPLICABLE:
            (logging if lets_audit and result.entry.only_audits else enforced).append(result)
            all_allow = all_allow and result.decision is ALLOWED
    if not (enforced or logging):
        why = results[0].because if results else "no base policy is in the set"
        return not_applicable(target, why, bounded(steps))
    if all_allow and not (view.kernel or policies.source.uncertainties):
        return _allowed((enforced or logging)[0], target, steps)
    found = _contested()(policies, enforced, logging, view, target, steps)
    return _allowed((enforced or logging)[0], target, steps) if found is None else found


@cache
def _contested() -> Callable[..., Verdict | None]:
    """A build that may run can spare the module. Kept, for even an import that finds it loaded costs a tenth of a denial."""
    from csv_gate.engine.appcontrol.contested import contested

    return contested


def _allowed(result: BaseResult, target: str, steps: tuple[Step, ...]) -> Verdict:
    return Verdict(
        target=target,
        decision=ALLOWED,
        rule=result.rule,
        trace=bounded(steps, lambda step: step.rule is not None and step.rule == result.rule),
        because=result.because,
    )


def not_applicable(target: str, why: str, steps: tuple[Step, ...] = ()) -> Verdict:
    return Verdict(target=target, decision=NOT_APPLICABLE, trace=steps, because=why)
