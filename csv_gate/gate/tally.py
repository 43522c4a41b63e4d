"""Count what a run came to, and turn the counts into its exit code."""

from __future__ import annotations

from collections.abc import Iterable

from csv_gate.errors import ExitCode
from csv_gate.model.checks.requirements import OPEN_CHECK, is_requirement
from csv_gate.model.result import ArtifactResult, Finding, Summary, worst_decision
from csv_gate.model.verdict import Decision, Level
from csv_gate.records import dataclass, field

UNDECIDED_FAMILY = "CSV8"
"""Checks that say that the gate could not decide: exit code 4, unless something else failed the build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What one artifact adds, and whether a short report shows it."""

    decision: Decision
    is_audited: bool
    is_waived: bool
    fails: bool
    """Some finding other than "could not decide" reaches the failing level."""
    is_open: bool
    """A target that blocks might block it, which could not be decided, and no waiver accepts that."""
    is_notable: bool
    """A report that shows only what matters shows it."""
    unrouted: str | None
    """Its path, if no target takes it, so that nothing was judged."""
    is_unmet: bool
    """It does not meet a requirement, and no waiver accepts that."""
    has_verdict: bool
    """Some target judged it."""
    levels: tuple[int, int, int]
    """Findings of level error, warning, note."""
    waivers: tuple[str, ...]
    """Ids of the waivers that excuse some of it."""


def count(result: ArtifactResult, fail_on: Level | None, waivers: Iterable[str] = ()) -> Count:
    decision = worst_decision(result)
    if decision in _PLAIN and result.verdicts and not result.findings and result.waiver is None and not waivers:
        return _PLAIN[decision]
    decided = [finding for finding in result.findings if not finding.check.startswith(UNDECIDED_FAMILY)]
    is_waived = result.waiver is not None
    # A denial without any finding would be a fault of an engine; it must still fail the build.
    is_unexplained = any(v.decision is Decision.DENIED and not v.audited and not v.checks for v in result.verdicts)
    return Count(
        decision=decision,
        is_audited=decision is Decision.DENIED and all(v.audited for v in result.verdicts if v.decision is Decision.DENIED),
        is_waived=is_waived,
        fails=not is_waived and (any(_reaches(f.level, fail_on) for f in decided) or (is_unexplained and fail_on is not None)),
        is_open=not is_waived and (_is_undecided(result) or any(_is_open_requirement(f, fail_on) for f in result.findings)),
        is_notable=bool(result.findings) or decision in (Decision.DENIED, Decision.UNDECIDED),
        unrouted=None if result.verdicts else result.artifact.path,
        is_unmet=not is_waived and any(is_requirement(f.check) and f.level is Level.ERROR for f in result.findings),
        has_verdict=bool(result.verdicts),
        levels=_levels(result.findings),
        waivers=tuple(sorted(waivers)),
    )


_PLAIN = {
    decision: Count(
        decision=decision,
        is_audited=False,
        is_waived=False,
        fails=False,
        is_open=False,
        is_notable=False,
        unrouted=None,
        is_unmet=False,
        has_verdict=True,
        levels=(0, 0, 0),
        waivers=(),
    )
    for decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE)
}
"""What nearly all artifacts add: judged, and nothing to say of them."""


def _is_undecided(result: ArtifactResult) -> bool:
    return any(verdict.decision is Decision.UNDECIDED and not verdict.audited for verdict in result.verdicts)


def _is_open_requirement(finding: Finding, fail_on: Level | None) -> bool:
    """A requirement that may be broken, of a level at which a broken one would fail. What is undecided fails where findings never do."""
    return finding.check == OPEN_CHECK and _reaches(finding.level, fail_on or Level.ERROR)


def _reaches(level: Level, fail_on: Level | None) -> bool:
    return fail_on is not None and level.rank >= fail_on.rank


def _levels(findings: Iterable[Finding]) -> tuple[int, int, int]:
    levels = [finding.level for finding in findings]
    return (levels.count(Level.ERROR), levels.count(Level.WARNING), levels.count(Level.NOTE))


@dataclass(slots=True)
class Tally:
    """The running sum of a run."""

    decisions: dict[Decision, int] = field(default_factory=lambda: dict.fromkeys(Decision, 0))
    audited: int = 0
    waived: int = 0
    artifacts: int = 0
    levels: list[int] = field(default_factory=lambda: [0, 0, 0])
    fails: bool = False
    is_open: bool = False
    unmet: int = 0
    with_verdict: int = 0
    unrouted: list[str] = field(default_factory=list)
    """Paths of those that no target takes."""
    waivers: set[str] = field(default_factory=set)

    def add(self, one: Count) -> None:
        self.artifacts += 1
        self.decisions[one.decision] += 1
        self.with_verdict += one.has_verdict
        if one is _PLAIN.get(one.decision):
            return
        self.audited += one.is_audited
        self.waived += one.is_waived
        self.levels = [total + more for total, more in zip(self.levels, one.levels, strict=True)]
        self.fails = self.fails or one.fails
        self.is_open = self.is_open or one.is_open
        self.unmet += one.is_unmet
        if one.unrouted is not None:
            self.unrouted.append(one.unrouted)
        self.waivers.update(one.waivers)

    def join(self, other: Tally) -> None:
        """Add what another tally counted."""
        for decision, number in other.decisions.items():
            self.decisions[decision] += number
        self.audited += other.audited
        self.waived += other.waived
        self.artifacts += other.artifacts
        self.levels = [total + more for total, more in zip(self.levels, other.levels, strict=True)]
        self.fails = self.fails or other.fails
        self.is_open = self.is_open or other.is_open
        self.unmet += other.unmet
        self.with_verdict += other.with_verdict
        self.unrouted += other.unrouted
        self.waivers |= other.waivers

    def summary(
        self, findings: Iterable[Finding], fail_on: Level | None, *, excluded: int, skipped: int, containers: int = 0
    ) -> Summary:
        """Sum up, with the findings of the run as a whole."""
        findings = tuple(findings)
        levels = [total + more for total, more in zip(self.levels, _levels(findings), strict=True)]
        fails = self.fails or any(_reaches(finding.level, fail_on) for finding in findings)
        code = ExitCode.FINDINGS if fails else ExitCode.UNDECIDED if self.is_open else ExitCode.OK
        return Summary(
            artifacts=self.artifacts,
            allowed=self.decisions[Decision.ALLOWED],
            denied=self.decisions[Decision.DENIED],
            audited=self.audited,
            undecided=self.decisions[Decision.UNDECIDED],
            not_applicable=self.decisions[Decision.NOT_APPLICABLE],
            waived=self.waived,
            excluded=excluded,
            skipped=skipped,
            containers=containers,
            unmet=self.unmet,
            findings=dict(zip((Level.ERROR, Level.WARNING, Level.NOTE), levels, strict=True)),
            exit_code=code,
        )
