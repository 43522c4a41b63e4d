"""The door of the engine: route an artifact to what judges it, and judge it.

Source: App Control docs, "Understand App Control policy rules and file rules" (signing scenarios).
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.compose import not_applicable, together
from csv_gate.engine.appcontrol.policy import judge
from csv_gate.engine.appcontrol.scenario import KERNEL_OR_USER, PACKAGES, route
from csv_gate.engine.appcontrol.trace import bounded
from csv_gate.engine.appcontrol.view import view_artifact
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Verdict
from csv_gate.records import replace


def evaluate(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, *, target: str) -> Verdict:
    """Say what a target with these policies does with an artifact.

    Pure: the same arguments give the same verdict. Never raises for any facts. `target` is the name the verdict bears. What many runs
    do not meet (packages, scripts, doubts) is imported by the first that does.
    """
    way = route(facts, context)
    if way.doubt is not None:
        from csv_gate.engine.appcontrol.contested import undecided

        return undecided(target, (way.doubt,), way.doubt.what, policies.passed_over)
    if way.not_governed is not None:
        return not_applicable(target, way.not_governed)
    if way.host is PACKAGES:
        from csv_gate.engine.appcontrol.packaged import judge_packaged

        return judge_packaged(facts, policies, context, target)
    if way.host is not None:
        from csv_gate.engine.appcontrol.hosted import judge_hosted

        return judge_hosted(facts, policies, context, target, way.host)
    verdicts = [_evaluate_as(facts, policies, context, target, kernel) for kernel in way.kernel_modes]
    return verdicts[0] if len(verdicts) == 1 else _either(verdicts[0], verdicts[1], target)


def _either(kernel: Verdict, user: Verdict, target: str) -> Verdict:
    """Both scenarios were tried; they must agree."""
    if (kernel.decision, kernel.audited) == (user.decision, user.audited):
        return kernel
    from csv_gate.engine.appcontrol.contested import undecided

    steps = bounded((*kernel.trace, *user.trace))
    verdict = undecided(target, (KERNEL_OR_USER,), f"it is not known {KERNEL_OR_USER.what}", steps)
    missing = dict.fromkeys((*verdict.missing, *kernel.missing, *user.missing))
    return replace(verdict, missing=tuple(missing))


def _evaluate_as(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str, kernel: bool) -> Verdict:
    view = view_artifact(facts, context, kernel=kernel)
    return together(policies, [judge(entry, view) for entry in policies.bases], view, target)
