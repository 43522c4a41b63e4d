"""What the owners of a red build are told: one page per owner, never one per file.

A page lists the owner's causes (target × check), each with its number of artifacts and a few of them. Only what breaks the build
pages: error-level findings of artifacts that no waiver excuses, and those of the run as a whole. The key that receivers deduplicate by
is made of project, branch, owner and the gravest cause, so a build that stays red pages once and a new cause pages again.
Paths and messages come from artifacts: attacker-controlled, escaped by each channel for its own dialect.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from csv_gate.model.checks import check
from csv_gate.model.checks.requirements import is_requirement
from csv_gate.model.result import ArtifactResult, Finding, Owner, RunResult
from csv_gate.model.verdict import Level
from csv_gate.notify.channels import Severity
from csv_gate.notify.circumstances import Circumstances
from csv_gate.records import dataclass, field, replace

MAX_EXAMPLES = 5
"""Artifacts named per cause; the report has them all."""
NOBODY = "(no owner)"
"""Stands in pages for artifacts that nobody owns and no default owner answers for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One check that fired for an owner's artifacts on one target."""

    target: str | None
    check: str
    title: str
    severity: Severity
    artifacts: int
    """0: a cause of the run as a whole, such as a waiver that has expired."""
    examples: tuple[str, ...]
    """Artifacts; for a cause of the run, places in the files that it is about."""
    message: str
    """Of the first artifact or finding."""
    help: str

    @property
    def label(self) -> str:
        return f"{self.check} {self.title}" + (f" on {self.target}" if self.target else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one owner is told about one run."""

    owner: str
    contact: str | None
    circumstances: Circumstances
    evaluated_at: datetime
    severity: Severity
    causes: tuple[Cause, ...]
    """Gravest first."""
    artifacts: int
    dedup_key: str
    is_resolved: bool = False
    """The trouble of an earlier page is gone."""

    @property
    def summary(self) -> str:
        """One line for people."""
        where = self.circumstances.project + (f" ({self.circumstances.branch})" if self.circumstances.branch else "")
        if self.is_resolved:
            return f"{where}: the target would run the build again"
        if not self.artifacts:
            return f"{where}: the gate is red: {self.causes[0].label}"
        plural = "s" if self.artifacts != 1 else ""
        trouble = (
            "not as required" if all(is_requirement(cause.check) for cause in self.causes) else "would not run in production"
        )
        return f"{where}: {self.artifacts} artifact{plural} {trouble}: {self.causes[0].label}"


@dataclass(slots=True, kw_only=True)
class _Tally:
    first: Finding
    artifacts: int = 0
    examples: list[str] = field(default_factory=list)


def pages(result: RunResult, circumstances: Circumstances, severities: Mapping[str, Severity]) -> tuple[Page, ...]:
    """The pages of a result, sorted by owner; empty for a green one. `severities` overrides what a check counts as."""
    tallies: dict[str, dict[tuple[str | None, str], _Tally]] = {}
    owners: dict[str, Owner | None] = {}
    counts: dict[str, int] = {}
    for row in result.artifacts:
        grave = _grave_findings(row)
        if not grave:
            continue
        for name in _owner_names(row.owner):
            owners.setdefault(name, row.owner)
            counts[name] = counts.get(name, 0) + 1
            for cause, finding in grave.items():
                tally = tallies.setdefault(name, {}).setdefault(cause, _Tally(first=finding))
                tally.artifacts += 1
                if len(tally.examples) < MAX_EXAMPLES:
                    tally.examples.append(row.artifact.path)
    for finding in result.findings:
        if finding.level is Level.ERROR:
            for name in _owner_names(finding.owner):
                owners.setdefault(name, finding.owner)
                _add_of_run(tallies.setdefault(name, {}), finding)
    return tuple(
        _page(name, owners[name], counts.get(name, 0), _causes(tallies[name], severities), result, circumstances)
        for name in sorted(tallies)
    )


def _add_of_run(tallies: dict[tuple[str | None, str], _Tally], finding: Finding) -> None:
    tally = tallies.setdefault((finding.target, finding.check), _Tally(first=finding))
    if finding.place is not None and len(tally.examples) < MAX_EXAMPLES:
        tally.examples.append(str(finding.place))


def _owner_names(owner: Owner | None) -> tuple[str, ...]:
    """Whom to page: everybody of a CODEOWNERS line that names several, who come joined by commas. All such names have an `@`; a name
    of the configuration that has a comma in it is one name."""
    if owner is None:
        return (NOBODY,)
    names = [name.strip() for name in owner.name.split(",")]
    return tuple(dict.fromkeys(names)) if all("@" in name for name in names) else (owner.name,)


def _grave_findings(row: ArtifactResult) -> dict[tuple[str | None, str], Finding]:
    """Error-level findings by target and check, each counted once per artifact."""
    if row.waiver is not None:
        return {}
    return {(finding.target, finding.check): finding for finding in reversed(row.findings) if finding.level is Level.ERROR}


def _causes(tallies: Mapping[tuple[str | None, str], _Tally], severities: Mapping[str, Severity]) -> tuple[Cause, ...]:
    causes = [
        Cause(
            target=target,
            check=check_id,
            title=check(check_id).title,
            severity=severities.get(check_id) or _default_severity(check_id),
            artifacts=tally.artifacts,
            examples=tuple(tally.examples),
            message=tally.first.message,
            help=tally.first.help,
        )
        for (target, check_id), tally in tallies.items()
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.severity.rank, -cause.artifacts, cause.target or "", cause.check)))


def _default_severity(check_id: str) -> Severity:
    """What could not be decided needs a person, but nothing is known to be blocked."""
    return Severity.WARNING if check_id.startswith("CSV8") else Severity.ERROR


def _page(
    name: str, owner: Owner | None, count: int, causes: tuple[Cause, ...], result: RunResult, circumstances: Circumstances
) -> Page:
    return Page(
        owner=name,
        contact=owner.contact if owner else None,
        circumstances=circumstances,
        evaluated_at=result.run.evaluated_at,
        severity=causes[0].severity,
        causes=causes,
        artifacts=count,
        dedup_key=dedup_key(circumstances, name, causes[0]),
    )


def dedup_key(circumstances: Circumstances, owner: str, cause: Cause) -> str:
    """The same for every run of a branch that is red for the same gravest reason. Hex, 64 characters (PagerDuty allows 255)."""
    parts = (circumstances.project, circumstances.branch or "", owner, cause.target or "", cause.check)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def resolved_pages(earlier: Iterable[Page], current: Sequence[Page]) -> tuple[Page, ...]:
    """The earlier pages whose key is no longer red, as resolving pages."""
    still_red = {page.dedup_key for page in current}
    return tuple(replace(page, is_resolved=True) for page in earlier if page.dedup_key not in still_red)
