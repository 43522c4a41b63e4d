"""Several bases together: every enforced base must allow, each with its own supplementals; audit bases only log.

Source: App Control docs, "Deploy multiple App Control policies". Event 3117 tells of a policy that overrides another one's denial; its
rules are not published, and a denial stays one here.
"""

from __future__ import annotations

from dataclasses import replace

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.explain import bounded, denied_help, signature_check, undecided_help, unused_supplementals
from csv_gate.engine.appcontrol.kernel import driver_signing_rule
from csv_gate.engine.appcontrol.miss import nearest
from csv_gate.engine.appcontrol.policy import BaseResult, judge
from csv_gate.engine.appcontrol.scenario import KERNEL_OR_USER, Route, route
from csv_gate.engine.appcontrol.truth import FACT, NOT_SPECIFIED, Doubt, Truth
from csv_gate.engine.appcontrol.view import ArtifactView, view_artifact
from csv_gate.model.appcontrol import Option
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Outcome, Step, Verdict

BLOCKED_EVENT = 3077
AUDIT_EVENT = 3076
SERVER_2016 = 14393
"""The one build line that does not know option 11."""


def evaluate(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, *, target: str) -> Verdict:
    """Say what a target with these policies does with an artifact.

    Pure: the same arguments give the same verdict. Never raises for any facts. `target` is the name the verdict bears.
    """
    way = route(facts, context)
    if way.doubt is not None:
        return _undecided(target, (way.doubt,), way.doubt.what, _tagging_steps(policies))
    if way.not_governed is not None:
        return _not_applicable(target, way.not_governed)
    if way.script_host is not None:
        return _hosted(facts, policies, context, target, way)
    verdicts = [_evaluate_as(facts, policies, context, target, kernel) for kernel in way.kernel_modes]
    return verdicts[0] if len(verdicts) == 1 else _either(verdicts[0], verdicts[1], target)


def _either(kernel: Verdict, user: Verdict, target: str) -> Verdict:
    """Both scenarios were tried; they must agree."""
    if (kernel.decision, kernel.audited) == (user.decision, user.audited):
        return kernel
    steps = bounded((*kernel.trace, *user.trace), ())
    verdict = _undecided(target, (KERNEL_OR_USER,), f"it is not known {KERNEL_OR_USER.what}", steps)
    missing = dict.fromkeys((*verdict.missing, *kernel.missing, *user.missing))
    return replace(verdict, missing=tuple(missing))


def _evaluate_as(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str, kernel: bool) -> Verdict:
    view = view_artifact(facts, context, kernel=kernel)
    results = [judge(entry, view) for entry in policies.bases]
    steps = (*(step for result in results for step in result.steps), *_tagging_steps(policies))
    governing = [result for result in results if result.decision is not Decision.NOT_APPLICABLE]
    if not governing:
        why = results[0].because if results else "no base policy is in the set"
        return _not_applicable(target, why, bounded(steps, ()))
    enforced = [result for result in governing if not _only_logs(result, context)]
    logging = [result for result in governing if _only_logs(result, context)]
    if (result := _first(enforced, Decision.DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=False)
    doubtful = _first(enforced, Decision.UNDECIDED)
    blocked = _driver_rule(view, target, steps) if kernel else None
    if blocked is not None and (doubtful is None or blocked.decision is Decision.DENIED):
        return blocked
    if doubtful is not None:
        return _from_doubts(doubtful, target, steps, audited=False)
    if (result := _first(logging, Decision.DENIED)) is not None:
        return _denied(policies, result, view, target, steps, audited=True)
    if (result := _first(logging, Decision.UNDECIDED)) is not None:
        return _from_doubts(result, target, steps, audited=True)
    if policies.source.uncertainties:
        doubts = tuple(Doubt(check=NOT_SPECIFIED, what=what) for what in policies.source.uncertainties)
        return _undecided(target, doubts, f"the policy set leaves it open: {doubts[0].what}", bounded(steps, ()))
    return _allowed((enforced or logging)[0], target, steps)


def _only_logs(result: BaseResult, context: AppControlContext) -> bool:
    return context.mode is Mode.POLICY and Option.AUDIT_MODE in result.entry.base.policy.options


def _first(results: list[BaseResult], decision: Decision) -> BaseResult | None:
    """Of equal decisions the explicit one tells more."""
    found = [result for result in results if result.decision is decision]
    return min(found, key=lambda result: result.is_implicit, default=None)


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
        predicted_event=AUDIT_EVENT if audited else BLOCKED_EVENT,
    )


def _driver_rule(view: ArtifactView, target: str, steps: tuple[Step, ...]) -> Verdict | None:
    """The verdict where Windows' own rule for drivers is not evidently met."""
    answer = driver_signing_rule(view)
    if answer.truth is Truth.YES:
        return None
    if answer.truth is Truth.NO:
        return Verdict(
            target=target,
            decision=Decision.DENIED,
            checks=("CSV208",),
            trace=bounded(steps, ()),
            because=answer.why,
            help="have the driver signed by Microsoft's hardware programme",
        )
    why = "no policy blocks it, but Windows' own rule for drivers stands beside the policies, and it is not evident that it is met"
    return _undecided(target, answer.doubts, why, steps)


def _from_doubts(result: BaseResult, target: str, steps: tuple[Step, ...], *, audited: bool) -> Verdict:
    verdict = _undecided(target, result.doubts, result.because, steps)
    return replace(verdict, rule=result.rule, audited=audited)


def _undecided(target: str, doubts: tuple[Doubt, ...], because: str, steps: tuple[Step, ...]) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.UNDECIDED,
        checks=tuple(sorted({doubt.check for doubt in doubts})),
        trace=bounded(steps, tuple(step for step in steps if step.outcome is Outcome.UNKNOWN)),
        missing=tuple(doubt.what for doubt in doubts),
        because=because,
        help=undecided_help(doubts),
    )


def _not_applicable(target: str, why: str, steps: tuple[Step, ...] = ()) -> Verdict:
    return Verdict(target=target, decision=Decision.NOT_APPLICABLE, trace=steps, because=why)


def _tagging_steps(policies: CompiledPolicySet) -> tuple[Step, ...]:
    why = "an AppID tagging policy never blocks"
    tagging = tuple(Step(policy=p.label, rule=None, outcome=Outcome.SKIPPED, because=why) for p in policies.source.tagging)
    orphans = tuple(
        Step(policy=o.policy.label, rule=None, outcome=Outcome.SKIPPED, because=o.counts.why) for o in policies.orphans
    )
    return tagging + orphans


def _hosted(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str, way: Route) -> Verdict:
    """Scripts, installers and packages: governed where a policy with UMCI has script enforcement on."""
    governing = [entry for entry in policies.bases if Option.UMCI in entry.base.policy.options]
    if not governing:
        return _not_applicable(
            target, "no policy of the set governs user-mode code (option 0, UMCI), so its host enforces nothing"
        )
    is_package = facts.format in ("appx", "msix", "p7x")
    lifting = Option.DISABLED_SCRIPT_ENFORCEMENT
    knows_option = context.os_build is not None and context.os_build != SERVER_2016
    if not is_package and knows_option and all(lifting in entry.base.policy.options for entry in governing):
        return _not_applicable(target, "option 11 of every policy turns script enforcement off")
    doubt = Doubt(
        check=FACT,
        what=f"the digest and signatures of a file of format {facts.format!r}, by which its host ({way.script_host}) judges it",
    )
    return _undecided(target, (doubt,), f"it is not known {doubt.what}", _tagging_steps(policies))
