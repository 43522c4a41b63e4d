"""What there is to say about one artifact, in the order of gravity: the common ground of all reporters for people.

A finding and the verdict that it comes from are one diagnostic; a denied or undecided verdict without a finding is told all the
same, because silence would read as consent.
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.errors import Place
from csv_gate.model.checks import CHECKS
from csv_gate.model.checks.requirements import is_requirement
from csv_gate.model.result import ArtifactResult, Finding, WaiverRef
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.records import dataclass

_FALLBACK = {Decision.DENIED: "CSV201", Decision.UNDECIDED: "CSV802"}
_BLOCKING = (Decision.DENIED, Decision.UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One thing to tell."""

    check: str
    level: Level
    message: str
    target: str | None
    verdict: Verdict | None
    """The verdict that the finding comes from, where there is one."""
    place: Place | None
    """Where people can change it: a line of a policy or of the config."""
    help: str
    waiver: WaiverRef | None
    """Set: a person excused it, it fails nothing."""
    also: tuple[Finding, ...] = ()
    """Further findings of the same verdict."""

    @property
    def cause(self) -> tuple[str, ...]:
        """What artifacts with the same trouble have in common; of a nearest miss what differs, not the values."""
        rule = self.verdict.rule if self.verdict else None
        near = self.verdict.nearest[0] if self.verdict and self.verdict.nearest else None
        where = (rule.policy_id, rule.id) if rule else ("", "")
        return (
            self.level.value,
            self.check,
            self.target or "",
            *where,
            *((near.rule.id, near.differs.split(" is ")[0]) if near else ()),
            # Of requirements the set, which is written there.
            *((str(self.place),) if self.place is not None and is_requirement(self.check) else ()),
        )


def diagnostics(result: ArtifactResult) -> Iterator[Diagnostic]:
    """Gravest first, findings of verdicts before the artifact's own."""
    told = [*_of_verdicts(result), *_of_artifact(result)]
    yield from sorted(told, key=lambda one: -one.level.rank)


def of_run(finding: Finding) -> Diagnostic:
    """A finding of the run as a whole."""
    return _plain(finding, None)


def title(check: str) -> str:
    """The check's title, or its id where this version does not know it."""
    return CHECKS[check].title if check in CHECKS else check


def _of_verdicts(result: ArtifactResult) -> Iterator[Diagnostic]:
    for verdict in result.verdicts:
        mine = [finding for finding in result.findings if _belongs(finding, verdict)]
        if verdict.decision not in _BLOCKING:
            yield from (_plain(finding, verdict) for finding in mine)
            continue
        check = verdict.checks[0] if verdict.checks else _FALLBACK[verdict.decision]
        first = next((finding for finding in mine if finding.check == check), mine[0] if mine else None)
        level = first.level if first else Level.WARNING if verdict.audited else Level.ERROR
        yield Diagnostic(
            check=first.check if first else check,
            level=level,
            message=(first.message if first else verdict.because) or title(check),
            target=verdict.target,
            verdict=verdict,
            place=(first.place if first else None) or _place(verdict),
            help=(first.help if first else "") or verdict.help,
            waiver=result.waiver,
            also=tuple(finding for finding in mine if finding is not first),
        )


def _place(verdict: Verdict) -> Place | None:
    """The line of the rule that decides, else of the one that nearly did: what its owner can change."""
    rules = (*((verdict.rule,) if verdict.rule else ()), *(miss.rule for miss in verdict.nearest))
    return next((rule.place for rule in rules if rule.place is not None), None)


def _belongs(finding: Finding, verdict: Verdict) -> bool:
    """Requirements are asked beside what the target does, and told beside it."""
    return finding.target == verdict.target and not is_requirement(finding.check)


def _of_artifact(result: ArtifactResult) -> Iterator[Diagnostic]:
    targets = {verdict.target for verdict in result.verdicts}
    for finding in result.findings:
        if is_requirement(finding.check):
            yield _plain(finding, None, result.waiver if finding.level is Level.ERROR else None)
        elif finding.target not in targets:
            yield _plain(finding, None)


def _plain(finding: Finding, verdict: Verdict | None, waiver: WaiverRef | None = None) -> Diagnostic:
    return Diagnostic(
        check=finding.check,
        level=finding.level,
        message=finding.message or title(finding.check),
        target=finding.target,
        verdict=verdict,
        place=finding.place,
        help=finding.help,
        waiver=waiver,
    )
