"""Trying a proposal: the engine judges the artifact as if the base took a supplemental with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from csv_gate.engine import CompiledPolicySet, evaluate, judging_scenarios, with_supplemental
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import dataclass
from csv_gate.suggesting.levels import Level, Proposal, Unavailable, proposals
from csv_gate.suggesting.names import shown
from csv_gate.suggesting.supplemental import supplemental_of

DENYING_CHECKS = frozenset({"CSV202", "CSV203"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tried, for which artifact."""

    compiled: CompiledPolicySet
    base: AppControlPolicy
    facts: Facts
    context: AppControlContext
    path: str

    def verdict(self) -> Verdict:
        """As things are."""
        return self.under(self.compiled)

    def under(self, policies: CompiledPolicySet) -> Verdict:
        """Under other policies."""
        return evaluate(self.facts, policies, self.context, target="")

    @property
    def scenarios(self) -> tuple[int, ...]:
        return judging_scenarios(self.facts, self.context)

    def with_proposal(self, proposal: Proposal) -> Verdict:
        policy = supplemental_of(self.base, {value: [proposal] for value in self.scenarios})
        return self.under(with_supplemental(self.compiled, policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first proposal that the engine honours, or none; and why not one of an earlier level."""

    level: Level | None = None
    proposal: Proposal | None = None
    passed_over: tuple[tuple[Level, str], ...] = ()


def first_that_allows(trial: Trial, levels: Sequence[Level]) -> Found:
    """Try the levels in their order."""
    passed_over: list[tuple[Level, str]] = []
    for level in dict.fromkeys(levels):
        whys: list[str] = []
        try:
            for proposal in proposals(level, trial.facts, trial.context, trial.path):
                verdict = trial.with_proposal(proposal)
                if verdict.decision is Decision.ALLOWED:
                    return Found(level=level, proposal=proposal, passed_over=tuple(passed_over))
                whys.append(verdict.because)
        except Unavailable as unavailable:
            whys.append(str(unavailable))
        passed_over.append((level, "; ".join(dict.fromkeys(map(shown, whys)))))
    return Found(passed_over=tuple(passed_over))


def unmendable(verdict: Verdict) -> str | None:
    """Why no rule of a supplemental can mend a verdict."""
    if verdict.decision is Decision.DENIED and DENYING_CHECKS & set(verdict.checks):
        return f"no supplemental policy can mend this, since a deny rule wins over every allow rule: {shown(verdict.because)}"
    return None


def levels_told(passed_over: Iterable[tuple[Level, str]]) -> Iterator[str]:
    for level, why in passed_over:
        yield f"no rule of level {level.value}: {why}"
