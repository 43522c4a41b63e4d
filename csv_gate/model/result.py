"""The result of one run: what reports render, what `notify` reads, what `-o json` writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

from csv_gate.errors import ExitCode, Place
from csv_gate.model.facts import Artifact
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.records import dataclass, field

SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    name: str
    contact: str | None = None
    source: str | None = None
    """Which line of which file says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRef:
    """The waiver that a finding was excused by."""

    id: str
    reason: str
    owner: str
    expires: date
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A check that fired, for one artifact or for the run as a whole."""

    check: str
    level: Level
    message: str
    target: str | None = None
    place: Place | None = None
    help: str = ""
    owner: Owner | None = None
    """Who answers for it, where it is of the run as a whole and somebody does; for one of an artifact, the artifact's owner does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactResult:
    """One artifact with its verdicts, one per target it is routed to."""

    artifact: Artifact
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...] = ()
    """From verdicts and from the artifact's own problems, gravest first."""
    owner: Owner | None = None
    waiver: WaiverRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRef:
    path: str
    id: str
    name: str | None
    version: str
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRef:
    name: str
    engine: str
    policies: tuple[PolicyRef, ...]
    mode: str
    """`enforce` or `audit`: how denials of this target count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several parts that a tree is judged in, each perhaps on another machine."""

    number: int
    """From 1."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    evaluated_at: datetime
    inputs: tuple[str, ...]
    config_sha256: str | None = None
    tool_version: str
    shard: Shard | None = None
    """`None`: the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    artifacts: int = 0
    allowed: int = 0
    denied: int = 0
    """Including audited."""
    audited: int = 0
    undecided: int = 0
    not_applicable: int = 0
    waived: int = 0
    excluded: int = 0
    """Files that an exclude pattern took out."""
    skipped: int = 0
    """Files that are nothing to judge (no code, special files), seen and left."""
    containers: int = 0
    """Containers that were opened, at every level."""
    unmet: int = 0
    """Artifacts that do not meet a requirement of level error, or of which it is open whether they do; waived ones not among them."""
    findings: Mapping[Level, int] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.OK


class RunResult(Protocol):
    """What a reporter is given. `artifacts` may be walked more than once and may be far larger than memory: keep nothing of it."""

    @property
    def run(self) -> RunInfo: ...
    @property
    def targets(self) -> tuple[TargetRef, ...]: ...
    @property
    def artifacts(self) -> Iterable[ArtifactResult]:
        """Sorted by path."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of the run as a whole (unused excludes, expired waivers, policy set faults)."""
        ...

    @property
    def summary(self) -> Summary: ...


def worst_decision(result: ArtifactResult) -> Decision:
    """The gravest decision over the targets: denied, then undecided, allowed, not applicable. A waiver does not change it."""
    if len(result.verdicts) == 1:
        return result.verdicts[0].decision
    order = (Decision.DENIED, Decision.UNDECIDED, Decision.ALLOWED, Decision.NOT_APPLICABLE)
    decisions = {verdict.decision for verdict in result.verdicts}
    return next((decision for decision in order if decision in decisions), Decision.NOT_APPLICABLE)
