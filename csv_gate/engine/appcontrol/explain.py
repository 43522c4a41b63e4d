"""Help: what would mend a verdict, in words that fit its cause."""

from __future__ import annotations

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet
from csv_gate.engine.appcontrol.hits import BrokenHit, collect
from csv_gate.engine.appcontrol.policy import BaseResult
from csv_gate.engine.appcontrol.truth import ALLOW, CONTEXT, FACT, FALSE, TRUE, Doubt
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.lazy import regex
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO
from csv_gate.model.verdict import NearMiss

CONTEXT_KEY = regex(r"`[a-z_]+`")
"""How a doubt names the key of the context that settles it."""


def denied_help(
    result: BaseResult, view: ArtifactView, nearest: tuple[NearMiss, ...], unused: tuple[tuple[str, str], ...]
) -> str:
    """What the owner of a denied artifact can do."""
    if result.check in ("CSV202", "CSV203"):
        return "a deny rule wins over every allow rule: do not ship the artifact, or have the policy's owner change that rule"
    if result.check == "CSV207":
        return "submit the driver to Microsoft's hardware programme for a WHQL signature"
    if unused:
        _, why = unused[0]
        return f"a supplemental policy would allow it, but {why}"
    if result.broken:
        return f"sign the file again: {result.broken[0].why}, so {result.broken[0].rule.id} cannot allow it"
    if nearest:
        return f"closest is {nearest[0].rule.id} of {nearest[0].rule.policy!r}: {nearest[0].differs}"
    if not view.signatures:
        return "sign the file with a certificate that the policy allows, or add a hash rule for it in a supplemental policy"
    return "sign the file with a certificate that the policy allows, or add its publisher in a supplemental policy"


def undecided_help(doubts: tuple[Doubt, ...]) -> str:
    """What would turn an undecided verdict into an answer."""
    context = [doubt.what for doubt in doubts if doubt.check == CONTEXT]
    if keys := dict.fromkeys(key for what in context for key in CONTEXT_KEY.findall(what)):
        return f"answer it in the target's context in csv-gate.yaml: {', '.join(keys)}"
    if context:
        return f"tell the target's configuration {context[0]}"
    if any(doubt.check == FACT for doubt in doubts):
        return "a fact of the artifact is missing; see its gaps for what stands in the way"
    return (
        "what Windows does here is not published; add a rule that decides without this point, try it on the target, or waive it"
    )


def unused_supplementals(compiled: CompiledPolicySet, result: BaseResult, view: ArtifactView) -> tuple[tuple[str, str], ...]:
    """(check, why) of supplementals that would allow a denied artifact and do not count."""
    if not (result.entry.supplementals or compiled.orphans):
        return ()
    value = KERNEL_SCENARIO if view.kernel else USER_SCENARIO
    found: list[tuple[str, str]] = []
    candidates = [("CSV206", member) for member in result.entry.supplementals if member.counts.truth is FALSE]
    candidates += [("CSV205", orphan) for orphan in compiled.orphans]
    for check, member in candidates:
        scenario = member.scenarios.get(value)
        if scenario is not None and collect(member, scenario, view, ALLOW).truth is TRUE:
            found.append((check, f"{member.label!r} does not count: {member.counts.why}"))
    return tuple(found)


def signature_check(broken: tuple[BrokenHit, ...]) -> str:
    """CSV204 where a signer rule would match but for the signature."""
    return "CSV204" if broken else "CSV201"
