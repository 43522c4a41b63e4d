"""Scripts and installers: judged by their hosts, where a policy with UMCI has script enforcement on.

Source: App Control docs, "Script enforcement with App Control".
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.compiled import CompiledBase, CompiledPolicySet
from csv_gate.engine.appcontrol.compose import not_applicable, together
from csv_gate.engine.appcontrol.contested import HOST_BLOCKED_EVENT, undecided
from csv_gate.engine.appcontrol.policy import BaseResult, judge
from csv_gate.engine.appcontrol.scenario import Host, HostRule
from csv_gate.engine.appcontrol.truth import CONTEXT, FACT, NOT_SPECIFIED, Doubt
from csv_gate.engine.appcontrol.view import view_artifact
from csv_gate.model.appcontrol import Option
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import replace

SERVER_2016 = 14393
"""The one build line that does not know option 11."""


def judge_hosted(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str, host: Host) -> Verdict:
    """What a host does with a script or an installer."""
    governing = [entry for entry in policies.bases if Option.UMCI in entry.base.policy.options]
    if not governing:
        why = "no policy of the set governs user-mode code (option 0, UMCI), so its host enforces nothing"
        return not_applicable(target, why)
    knows_option = context.os_build is not None and context.os_build != SERVER_2016
    if knows_option and all(_lifts_scripts(entry) for entry in governing):
        return not_applicable(target, "option 11 of every policy turns script enforcement off")
    if host.rule is HostRule.UNREAD:
        what = f"the digest and signatures of a file of format {facts.format!r}, by which its host ({host.name}) judges it"
        return undecided(target, (Doubt(check=FACT, what=what),), f"it is not known {what}", policies.passed_over)
    if host.rule is HostRule.ALWAYS_BLOCKS:
        return _always_blocked(policies, governing, context, target, host)
    view = view_artifact(facts, context, kernel=False, host=host.name)
    results = [_enforced_by(judge(entry, view), context, host) for entry in policies.bases]
    verdict = together(policies, results, view, target)
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
    steps = policies.passed_over
    if any(_lifts_scripts(entry) for entry in governing) and context.os_build != SERVER_2016:
        what = f"whether option 11 of one policy lifts the ban on {host.name}"
        return undecided(target, (Doubt(check=NOT_SPECIFIED, what=what),), f"it is not known {what}", steps)
    return Verdict(
        target=target,
        decision=Decision.DENIED,
        checks=("CSV201",),
        trace=steps,
        because=f"{host.consequence}, even under a policy in audit mode",
        help="replace it: no rule of a policy can allow it",
        predicted_event=HOST_BLOCKED_EVENT,
    )
