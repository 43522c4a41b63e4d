"""Statements about a result: in-toto Statement v1 with one of two predicates, about the digests that one target allows.

`svr` is the Simple Verification Result v0.2 (in-toto attestation framework), `vsa` the Verification Summary v1 (SLSA). Both say only what
passed: what is denied, undecided, not governed or excused by a waiver is in no statement, and what is in none was not verified. A digest
that is allowed at one path and not at another is left out, because whoever reads a statement knows the digest alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from csv_gate.model.result import ArtifactResult, PolicyRef, RunResult, TargetRef
from csv_gate.model.result_json import time_text
from csv_gate.model.verdict import Decision, Level
from csv_gate.records import dataclass

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATES = {"svr": "https://in-toto.io/attestation/svr/v0.2", "vsa": "https://slsa.dev/verification_summary/v1"}
VERIFIER = "urn:csv-gate:verifier"
"""Who says it, where nobody gave a name of their own. Trust comes from the key; the name tells roles of one key apart."""
RUN = "urn:csv-gate:run"
"""Extension member with the target, the engine, the mode, and the policies that a VSA has no place for."""
PROPERTY = "CSV_GATE_APPCONTROL_ALLOWED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What can be said for one target."""

    target: TargetRef
    subjects: tuple[tuple[str, str], ...]
    """(path, SHA-256) of each allowed artifact, sorted."""
    left: int
    """Artifacts of the target that nothing can be said for."""
    evaluated_at: datetime
    tool_version: str


def claims(result: RunResult) -> tuple[Claim, ...]:
    """One for each target, sorted by name, also where nothing is allowed."""
    found = []
    for target in sorted(result.targets, key=lambda one: one.name):
        good: set[tuple[str, str]] = set()
        bad: set[str] = set()
        judged = 0
        for artifact in result.artifacts:
            verdicts = [verdict for verdict in artifact.verdicts if verdict.target == target.name]
            if not verdicts:
                continue
            judged += 1
            digest = _digest(artifact)
            if digest is None:
                continue
            if all(verdict.decision is Decision.ALLOWED for verdict in verdicts) and not _is_doubted(artifact, target.name):
                good.add((artifact.artifact.path, digest))
            else:
                bad.add(digest)
        subjects = tuple(sorted(one for one in good if one[1] not in bad))
        found.append(
            Claim(
                target=target,
                subjects=subjects,
                left=judged - len(subjects),
                evaluated_at=result.run.evaluated_at,
                tool_version=result.run.tool_version,
            )
        )
    return tuple(found)


def statement(claim: Claim, predicate: str, *, verifier: str = VERIFIER, resource: str | None = None) -> bytes:
    """The statement as it is signed: the same bytes for the same claim. `claim` must have subjects; `vsa` needs `resource`, a URI."""
    if not claim.subjects:
        raise ValueError("a statement needs a subject")
    content = _svr(claim, verifier) if predicate == "svr" else _vsa(claim, verifier, resource or VERIFIER)
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": {"sha256": digest}} for path, digest in claim.subjects],
        "predicateType": PREDICATES[predicate],
        "predicate": content | {RUN: _run(claim)},
    }
    # ASCII, so that a path that is no text has a form too.
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def _svr(claim: Claim, verifier: str) -> dict[str, Any]:
    return {
        "verifier": {"id": verifier, "policies": list(_policies(claim.target.policies))},
        "timeCreated": time_text(claim.evaluated_at),
        "properties": [PROPERTY],
    }


def _vsa(claim: Claim, verifier: str, resource: str) -> dict[str, Any]:
    return {
        "verifier": {"id": verifier, "version": {"csv-gate": claim.tool_version}},
        "timeVerified": time_text(claim.evaluated_at),
        "resourceUri": resource,
        "policy": {"uri": "urn:csv-gate:policy-set", "digest": {"sha256": policy_set_sha256(claim.target.policies)}},
        "inputAttestations": [],
        "verificationResult": "PASSED",
        "verifiedLevels": [PROPERTY],
    }


def _run(claim: Claim) -> dict[str, Any]:
    return {
        "target": claim.target.name,
        "engine": claim.target.engine,
        "mode": claim.target.mode,
        "policies": list(_policies(claim.target.policies)),
        "tool": {"name": "csv-gate", "version": claim.tool_version},
    }


def _policies(policies: tuple[PolicyRef, ...]) -> Iterator[dict[str, Any]]:
    for policy in sorted(policies, key=lambda one: (one.id, one.sha256)):
        name = f"{policy.id} {policy.version}" + (f" {policy.name}" if policy.name else "")
        yield {"name": name, "digest": {"sha256": policy.sha256}}


def policy_set_sha256(policies: tuple[PolicyRef, ...]) -> str:
    """A set of one policy has that policy's digest; a larger one the digest of its members' digests, sorted, a line for each."""
    digests = sorted({policy.sha256 for policy in policies})
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(f"{one}\n" for one in digests).encode("ascii")).hexdigest()
    )


def _digest(artifact: ArtifactResult) -> str | None:
    digests = artifact.artifact.facts.digests
    return digests.sha256 if digests is not None else None


def _is_doubted(artifact: ArtifactResult, target: str) -> bool:
    """An error was found of the file itself, or for this target: somebody has to look first."""
    names = {verdict.target for verdict in artifact.verdicts}
    return any(
        finding.level is Level.ERROR and (finding.target == target or finding.target not in names)
        for finding in artifact.findings
    )
