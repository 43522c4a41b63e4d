"""`--baseline RESULT.json`: only what is new since an earlier run.

A finding is known when the earlier result had the same check for the same path, target and policy. Nothing undecided is ever hidden: a gate
that could not look then could not vouch for it, and can't now. Verdicts stay as they are; only findings are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from csv_gate.model.result import ArtifactResult, Finding, RunInfo, RunResult, Summary, TargetRef
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import dataclass, replace

_Key = tuple[str, str, str, str]
"""Check, path, target, policy id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What an earlier run found, and no waiver excused: when the waiver ends, its findings must come back."""

    known: frozenset[_Key]

    @classmethod
    def of(cls, earlier: RunResult) -> Baseline:
        policies = policies_of(earlier.targets)
        left = (result for result in earlier.artifacts if result.waiver is None)
        return cls(known=frozenset(_key(result, finding, policies) for result in left for finding in result.findings))

    def without_known(self, result: ArtifactResult, policies: Mapping[str, str]) -> ArtifactResult | None:
        """The result with its new findings only; `None` where there is nothing new to show, undecided never among it.

        `policies`: see `policies_of`, of the run that `result` is from.
        """
        fresh = tuple(finding for finding in result.findings if self._is_new(result, finding, policies))
        if len(fresh) == len(result.findings):
            return result
        if not fresh and not _undecided(result.verdicts):
            return None
        return replace(result, findings=fresh)

    def _is_new(self, result: ArtifactResult, finding: Finding, policies: Mapping[str, str]) -> bool:
        if finding.check.startswith("CSV8") or finding.target in _undecided(result.verdicts):
            return True
        return _key(result, finding, policies) not in self.known


def baseline_filter(result: RunResult, earlier: RunResult) -> Iterator[ArtifactResult]:
    """The artifacts of `result` that have something new, each with its new findings only, or that had none to begin with."""
    return iter(NewOnly(result, earlier).artifacts)


class NewOnly:
    """A result as reports are given it under a baseline: only the artifacts that have something new. What it sums up to, its findings of
    the run as a whole and its exit code are those of the whole run: what was known before would still be blocked."""

    def __init__(self, whole: RunResult, earlier: RunResult) -> None:
        self._whole = whole
        self._baseline = Baseline.of(earlier)
        self._policies = policies_of(whole.targets)

    @property
    def run(self) -> RunInfo:
        return self._whole.run

    @property
    def targets(self) -> tuple[TargetRef, ...]:
        return self._whole.targets

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self._whole.findings

    @property
    def summary(self) -> Summary:
        return self._whole.summary

    @property
    def artifacts(self) -> Iterable[ArtifactResult]:
        return _Kept(self._whole, self._baseline, self._policies)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Can be walked more than once, each time from the start; keeps nothing."""

    whole: RunResult
    baseline: Baseline
    policies: Mapping[str, str]

    def __iter__(self) -> Iterator[ArtifactResult]:
        shown = (self.baseline.without_known(entry, self.policies) for entry in self.whole.artifacts)
        return (entry for entry in shown if entry is not None)


def policies_of(targets: Iterable[TargetRef]) -> Mapping[str, str]:
    """Target name -> ids of all its policies: what a denial for want of a rule is due to."""
    return {target.name: ",".join(sorted(policy.id for policy in target.policies)) for target in targets}


def _key(result: ArtifactResult, finding: Finding, policies: Mapping[str, str]) -> _Key:
    target = finding.target or ""
    verdict = next((entry for entry in result.verdicts if entry.target == finding.target), None)
    rule = None if verdict is None or finding.check not in verdict.checks else verdict.rule
    return finding.check, result.artifact.path, target, rule.policy_id if rule else policies.get(target, "")


def _undecided(verdicts: Iterable[Verdict]) -> frozenset[str]:
    return frozenset(verdict.target for verdict in verdicts if verdict.decision is Decision.UNDECIDED)
