"""Results of one artifact, one keyword per property."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from csv_gate.model.checks import CHECKS
from csv_gate.model.facts import Artifact, Digests, FactName, Facts, Gap
from csv_gate.model.result import ArtifactResult, Finding, Owner, PolicyRef, RunInfo, Summary, TargetRef
from csv_gate.model.verdict import Decision, Level, RuleRef, Verdict

SHA256 = "ab" * 32


def verdict(
    decision: Decision = Decision.DENIED,
    *checks: str,
    target: str = "prod",
    audited: bool = False,
    policy_id: str | None = None,
) -> Verdict:
    rule = RuleRef(policy="P", policy_id=policy_id, id="ID_DENY_1", kind="deny") if policy_id is not None else None
    return Verdict(target=target, decision=decision, checks=checks, audited=audited, rule=rule)


def finding(check: str, *, target: str | None = "prod", level: Level | None = None) -> Finding:
    return Finding(check=check, level=level or CHECKS[check].level, message=f"{check} fired", target=target)


def artifact_result(
    *verdicts: Verdict,
    path: str = "dist/a.dll",
    sha256: str | None = SHA256,
    extra: tuple[Finding, ...] = (),
    owner: Owner | None = None,
) -> ArtifactResult:
    """A result whose findings are those of its verdicts' checks, and `extra`."""
    gaps = () if sha256 else (Gap(what=FactName.CONTENT, why="no permission"),)
    facts = Facts(format="pe", size=10, digests=Digests(sha256=sha256) if sha256 else None, gaps=gaps)
    found = [
        finding(check, target=entry.target, level=Level.WARNING if entry.audited else None)
        for entry in verdicts
        for check in entry.checks
    ]
    return ArtifactResult(artifact=Artifact(path=path, facts=facts), verdicts=verdicts, findings=(*found, *extra), owner=owner)


def target_ref(name: str = "prod", *policy_ids: str) -> TargetRef:
    policies = tuple(
        PolicyRef(path="p.xml", id=id, name=None, version="1.0.0.0", kind="base", sha256=SHA256) for id in policy_ids or ("P1",)
    )
    return TargetRef(name=name, engine="appcontrol", policies=policies, mode="enforce")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A `RunResult` held in memory."""

    artifacts: Iterable[ArtifactResult] = ()
    targets: tuple[TargetRef, ...] = field(default_factory=lambda: (target_ref(),))
    findings: tuple[Finding, ...] = ()
    run: RunInfo = field(
        default_factory=lambda: RunInfo(evaluated_at=datetime(2026, 1, 1, tzinfo=UTC), inputs=("dist",), tool_version="0")
    )
    summary: Summary = field(default_factory=Summary)
