"""Packaged apps (APPX, MSIX): judged when they are deployed, by package family name or by who signed the package.

A base takes part where option 12 extends it to packaged apps. Where a base or one of its supplementals holds a rule for a package
family, those rules alone judge; else signers do, compared with the signature of the package itself. Either way that signature must be one
that Windows takes, under a root that the machine trusts: anybody can sign with a certificate of his own that bears another's name.
Whether rules for hashes, names and paths reach a package is not published: they decide nothing here.

Sources: App Control docs, "Manage packaged apps with App Control", "Understand App Control policy rules and file rules" (option 12),
"Understanding App Control event IDs" (8039, 8040); Windows app docs, "Sign an app package" (deployment wants a signature that holds).
"""

from __future__ import annotations

from typing import Final

from csv_gate.engine.appcontrol.compiled import CompiledBase, CompiledPolicySet
from csv_gate.engine.appcontrol.compose import not_applicable, together
from csv_gate.engine.appcontrol.contested import undecided
from csv_gate.engine.appcontrol.policy import BaseResult, judge
from csv_gate.engine.appcontrol.scenario import PACKAGES
from csv_gate.engine.appcontrol.truth import ALLOW, FACT, NOT_SPECIFIED, TRUE, Doubt, any_of
from csv_gate.engine.appcontrol.usability import is_usable
from csv_gate.engine.appcontrol.view import view_artifact
from csv_gate.model.appcontrol import Option
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import FactName, Facts, SignatureScheme
from csv_gate.model.verdict import Decision, Outcome, Step, Verdict
from csv_gate.records import replace

BLOCKED_EVENT: Final = 8040
AUDIT_EVENT: Final = 8039
_JUDGING_KINDS: Final = frozenset({"allow_package", "deny_package", "allowed_signer", "denied_signer"})
"""Kinds of rules that are known to reach a packaged app."""


def judge_packaged(facts: Facts, policies: CompiledPolicySet, context: AppControlContext, target: str) -> Verdict:
    """What deployment does with a package under the set."""
    if not any(_governs(entry) for entry in policies.bases):
        why = "no policy of the set reaches packaged apps (options 0, UMCI, and 12, Enforce Store Applications)"
        return not_applicable(target, why, policies.passed_over)
    missing = _missing(facts)
    if missing is not None:
        doubt = Doubt(check=FACT, what=missing)
        return undecided(target, (doubt,), f"it is not known {missing}", policies.passed_over)
    assert facts.package is not None
    inside = replace(context, package_family_name=facts.package.family_name)
    view = view_artifact(facts, inside, kernel=False, host=PACKAGES.name, scheme=SignatureScheme.APPX)
    results = [_reached(judge(entry, view)) if _governs(entry) else _passed_over(entry) for entry in policies.bases]
    verdict = together(policies, results, view, target)
    if verdict.decision is Decision.ALLOWED:
        stands = any_of(is_usable(one, view, ALLOW, None) for one in view.signatures)
        if stands.truth is not TRUE:
            doubts = stands.doubts or (Doubt(check=FACT, what=f"who published the package: {stands.why}"),)
            why = f"{verdict.because}; but the name of a package is its signer's word, and it is not known {doubts[0].what}"
            return undecided(target, doubts, why, verdict.trace)
    if verdict.decision is not Decision.DENIED:
        return verdict
    consequence = f"were it enforced, {PACKAGES.consequence}" if verdict.audited else PACKAGES.consequence
    event = AUDIT_EVENT if verdict.audited else BLOCKED_EVENT
    return replace(verdict, because=f"{verdict.because}; {consequence}", predicted_event=event)


def _governs(entry: CompiledBase) -> bool:
    return entry.base.has(Option.UMCI) and entry.base.has(Option.ENFORCE_STORE_APPLICATIONS)


def _missing(facts: Facts) -> str | None:
    """What keeps the package from being judged: without a signature that holds, its name and publisher are anybody's words."""
    if (gap := facts.gap(FactName.SIGNATURES)) is not None:
        return f"who signed the package ({gap.why})"
    own = [one for one in facts.signatures if one.scheme is SignatureScheme.APPX]
    if not own:
        return "who published the package: it is not signed, and Windows deploys unsigned packages to developers only"
    broken = next((one for one in own if not one.valid), None)
    if broken is not None:
        why = broken.problems[0].detail if broken.problems else "it does not hold"
        return f"who published the package: its signature does not hold ({why})"
    if facts.package is None or not facts.package.family_name:
        return "the family name of the package"
    return None


def _reached(result: BaseResult) -> BaseResult:
    """What one base says, where the rule that decides is known to reach packaged apps."""
    if result.rule is None or result.rule.kind in _JUDGING_KINDS or result.decision is Decision.UNDECIDED:
        return result
    doubt = Doubt(
        check=NOT_SPECIFIED, what=f"whether {result.rule.id}, a rule of kind {result.rule.kind!r}, reaches packaged apps"
    )
    because = f"{result.because}, but it is not known {doubt.what}"
    return result._replace(
        decision=Decision.UNDECIDED, because=because, doubts=(doubt, *result.doubts), check=None, is_implicit=False
    )


def _passed_over(entry: CompiledBase) -> BaseResult:
    label = entry.base.policy.label
    why = f"{label!r} does not reach packaged apps (option 12 is off)"
    step = Step(policy=label, rule=None, outcome=Outcome.SKIPPED, because=why)
    return BaseResult(entry=entry, decision=Decision.NOT_APPLICABLE, because=why, steps=(step,))
