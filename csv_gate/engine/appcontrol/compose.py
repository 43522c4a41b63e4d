"""Several bases together: every enforced base must allow, each with its own supplementals; audit bases only log.

Source: App Control docs, "Deploy multiple App Control policies". Event 3117 tells of a policy that overrides another one's denial; its
rules are not published, and a denial stays one here.
"""

from __future__ import annotations

from dataclasses import replace

from csv_gate.engine.appcontrol.compiled import CompiledBase, CompiledPolicySet
from csv_gate.engine.appcontrol.explain import bounded, denied_help, signature_check, undecided_help, unused_supplementals
from csv_gate.engine.appcontrol.kernel import driver_signing_rule
from csv_gate.engine.appcontrol.miss import nearest
from csv_gate.engine.appcontrol.policy import BaseResult, judge
from csv_gate.engine.appcontrol.scenario import KERNEL_OR_USER, Host, HostRule, route
from csv_gate.engine.appcontrol.truth import CONTEXT, FACT, FALSE, NOT_SPECIFIED, TRUE, Doubt
from csv_gate.engine.appcontrol.view import ArtifactView, view_artifact
from csv_gate.model.appcontrol import Option
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Outcome, Step, Verdict

BLOCKED_EVENT = 3077
AUDIT_EVENT = 3076
HOST_BLOCKED_EVENT = 8029
HOST_AUDIT_EVENT = 8028
EV_IN_AUDIT = Doubt(
    check=NOT_SPECIFIED,
    what="whether option 8 (Required:EV Signers) blocks drivers where its policy only audits, as users report and no documentation says",
)
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
    if way.host is not None:
        return _hosted(facts, policies, context, target, way.host)
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
    return _together(policies, [judge(entry, view) for entry in policies.bases], view, target)


def _together(policies: CompiledPolicySet, results: list[BaseResult], view: ArtifactView, target: str) -> Verdict:
    context = view.context
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
    blocked = _driver_rule(view, target, steps) if view.kernel else None
    if blocked is not None and (doubtful is None or blocked.decision is Decision.DENIED):
        return blocked
    if doubtful is not None:
        return _from_doubts(doubtful, target, steps, audited=False)
    if view.kernel and any(result.entry.base.has(Option.EV_SIGNERS) for result in logging):
        return _undecided(target, (EV_IN_AUDIT,), f"it is not known {EV_IN_AUDIT.what}", bounded(steps, ()))
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


def _hosted(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str, host: Host) -> Verdict:
    """Scripts, installers and packages: governed where a policy with UMCI has script enforcement on.

    Source: App Control docs, "Script enforcement with App Control".
    """
    governing = [entry for entry in policies.bases if Option.UMCI in entry.base.policy.options]
    if not governing:
        why = "no policy of the set governs user-mode code (option 0, UMCI), so its host enforces nothing"
        return _not_applicable(target, why)
    is_package = facts.format in ("appx", "msix", "p7x")
    knows_option = context.os_build is not None and context.os_build != SERVER_2016
    if not is_package and knows_option and all(_lifts_scripts(entry) for entry in governing):
        return _not_applicable(target, "option 11 of every policy turns script enforcement off")
    if host.rule is HostRule.UNREAD:
        what = f"the digest and signatures of a file of format {facts.format!r}, by which its host ({host.name}) judges it"
        return _undecided(target, (Doubt(check=FACT, what=what),), f"it is not known {what}", _tagging_steps(policies))
    if host.rule is HostRule.ALWAYS_BLOCKS:
        return _always_blocked(policies, governing, context, target, host)
    view = view_artifact(facts, context, kernel=False, host=host.name)
    results = [_enforced_by(judge(entry, view), context, host) for entry in policies.bases]
    verdict = _together(policies, results, view, target)
    if verdict.decision is not Decision.DENIED:
        return verdict
    if not verdict.audited:
        return replace(verdict, because=f"{verdict.because}; {host.consequence}")
    return replace(verdict, because=f"{verdict.because}; were it enforced, {host.consequence}")


def _lifts_scripts(entry: CompiledBase) -> bool:
    return Option.DISABLED_SCRIPT_ENFORCEMENT in entry.base.policy.options


def _enforced_by(result: BaseResult, context: AppControlContext, host: Host) -> BaseResult:
    """What one base says, less what may not be enforced: a denial under option 11, or by a host that may not ask."""
    if result.decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE):
        return result
    doubts: list[Doubt] = []
    if _lifts_scripts(result.entry) and context.os_build != SERVER_2016:
        if context.os_build is None:
            what = "the Windows build of the target (`os_build`): Server 2016 does not know option 11, which the policy sets"
            doubts.append(Doubt(check=CONTEXT, what=what))
        else:
            what = "whether a policy with option 11 counts for scripts where another policy has script enforcement on"
            doubts.append(Doubt(check=NOT_SPECIFIED, what=what))
    if host.rule is HostRule.UNKNOWN and result.decision is Decision.DENIED:
        doubts.append(Doubt(check=NOT_SPECIFIED, what=f"whether {host.name} asks the policy about a file of this kind"))
    if not doubts:
        return result
    because = f"{result.because}, but it is not known {doubts[0].what}"
    return result._replace(
        decision=Decision.UNDECIDED, because=because, doubts=(*doubts, *result.doubts), check=None, is_implicit=False
    )


def _always_blocked(
    policies: CompiledPolicySet, governing: list[CompiledBase], context: AppControlContext, target: str, host: Host
) -> Verdict:
    steps = _tagging_steps(policies)
    if any(_lifts_scripts(entry) for entry in governing) and context.os_build != SERVER_2016:
        what = f"whether option 11 of one policy lifts the ban on {host.name}"
        return _undecided(target, (Doubt(check=NOT_SPECIFIED, what=what),), f"it is not known {what}", steps)
    return Verdict(
        target=target,
        decision=Decision.DENIED,
        checks=("CSV201",),
        trace=steps,
        because=f"{host.consequence}, even under a policy in audit mode",
        help="replace it: no rule of a policy can allow it",
        predicted_event=HOST_BLOCKED_EVENT,
    )
