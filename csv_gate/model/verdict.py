"""Verdicts: what one target does with one artifact, which rule decides it, and what would mend it."""

from __future__ import annotations

from enum import StrEnum

from csv_gate.errors import Place
from csv_gate.records import dataclass


class Decision(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not_applicable"


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Greater is graver."""
        return {"note": 0, "warning": 1, "error": 2}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRef:
    """A rule of a policy, as people find it."""

    policy: str
    """Label of the policy."""
    policy_id: str
    id: str
    kind: str
    """`allow`, `deny`, `allowed_signer`, `denied_signer`, `hash`, …"""
    name: str | None = None
    place: Place | None = None


class Outcome(StrEnum):
    """What one step of a trace came to."""

    ALLOWS = "allows"
    DENIES = "denies"
    NO_MATCH = "no_match"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """The rule or policy puts no limit on this artifact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a verdict's reasoning, in the order of the target's own evaluation."""

    policy: str
    rule: RuleRef | None
    outcome: Outcome
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """An allow rule that almost matched: what agrees, and the one thing that does not."""

    rule: RuleRef
    matched: tuple[str, ...]
    differs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one artifact × one target."""

    target: str
    decision: Decision
    audited: bool = False
    """Denied by policies that only log: nothing is blocked."""
    checks: tuple[str, ...] = ()
    """Ids of the checks that fired, gravest first."""
    rule: RuleRef | None = None
    trace: tuple[Step, ...] = ()
    nearest: tuple[NearMiss, ...] = ()
    """Best first."""
    missing: tuple[str, ...] = ()
    """For `undecided`: the facts or context that would decide."""
    because: str = ""
    """The verdict in one sentence."""
    help: str = ""
    """What would mend it."""
    predicted_event: int | None = None
    """Windows event id that the target would log, where one is."""
