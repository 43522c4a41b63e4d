"""The JSON form of a result: the contract between the gate and every script (schema version 1), both ways.

Writing is explicit, field by field, so that the contract is visible here and cheap. Digests are lower-case hex, times RFC 3339 in
UTC. A value that is not known is null, and the artifact's `gaps` say why. Reading is strict about shapes and raises `UsageError`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from csv_gate.errors import Place
from csv_gate.model.facts import (
    CertificateFacts,
    ChainFacts,
    Digests,
    Facts,
    Gap,
    PeFacts,
    SignatureFacts,
    TimestampFacts,
    VersionFacts,
)
from csv_gate.model.problems import Problem
from csv_gate.model.result import (
    SCHEMA_VERSION,
    ArtifactResult,
    Finding,
    Owner,
    RunResult,
    Summary,
    WaiverRef,
)
from csv_gate.model.sections_json import cabinet_json, compound_json, elf_json, key_json, package_json, script_json
from csv_gate.model.verdict import Level, RuleRef, Verdict

Json = dict[str, Any]
"""The JSON edge: `Any` lives here and nowhere behind it."""

T = TypeVar("T")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds unless there are fractions."""
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()
    return text.replace("+00:00", "Z")


# --- facts -> JSON ----------------------------------------------------------------------------------------------------


def artifact_json(result: ArtifactResult) -> Json:
    """One row of `artifacts`, the unit of `-o jsonl`."""
    facts = result.artifact.facts
    return {
        "path": result.artifact.path,
        "sha256": facts.digests.sha256 if facts.digests else None,
        "size": facts.size,
        "format": facts.format,
        "facts": facts_json(facts),
        "gaps": [gap_json(gap) for gap in facts.gaps],
        "verdicts": [verdict_json(verdict) for verdict in result.verdicts],
        "findings": [finding_json(finding) for finding in result.findings],
        "owner": None if result.owner is None else owner_json(result.owner),
        "waiver": None if result.waiver is None else waiver_json(result.waiver),
    }


def facts_json(facts: Facts) -> Json:
    return {
        "digests": None if facts.digests is None else digests_json(facts.digests),
        "pe": None if facts.pe is None else pe_json(facts.pe),
        "version": None if facts.version is None else version_json(facts.version),
        "script": None if facts.script is None else script_json(facts.script),
        "compound": None if facts.compound is None else compound_json(facts.compound),
        "cabinet": None if facts.cabinet is None else cabinet_json(facts.cabinet),
        "elf": None if facts.elf is None else elf_json(facts.elf),
        "package": None if facts.package is None else package_json(facts.package),
        "signatures": [signature_json(signature) for signature in facts.signatures],
        "catalog_members": facts.catalog_members,
        "problems": _problems(facts.problems),
    }


def digests_json(digests: Digests) -> Json:
    row: Json = {
        "sha256": digests.sha256,
        "authenticode_sha1": digests.authenticode_sha1,
        "authenticode_sha256": digests.authenticode_sha256,
        "page_sha1": digests.page_sha1,
        "page_sha256": digests.page_sha256,
    }
    for name in ("sha1", "padded_authenticode_sha1", "padded_authenticode_sha256"):
        if (value := getattr(digests, name)) is not None:
            row[name] = value
    return row


def pe_json(pe: PeFacts) -> Json:
    return {
        "machine": pe.machine,
        "is_dll": pe.is_dll,
        "is_driver": pe.is_driver,
        "is_dotnet": pe.is_dotnet,
        "is_efi": pe.is_efi,
        "subsystem": pe.subsystem,
        "imports_kernel": pe.imports_kernel,
        "force_integrity": pe.force_integrity,
        "overlay_bytes": pe.overlay_bytes,
    }


def version_json(version: VersionFacts) -> Json:
    number = version.file_version
    return {
        "original_filename": version.original_filename,
        "internal_name": version.internal_name,
        "file_description": version.file_description,
        "product_name": version.product_name,
        "file_version": None if number is None else ".".join(map(str, number)),
    }


def signature_json(signature: SignatureFacts) -> Json:
    chain, signer, stamp, pages = signature.chain, signature.signer, signature.timestamp, signature.page_hashes
    return {
        "source": signature.source.value,
        "place": signature.place,
        "digest_algorithm": signature.digest_algorithm,
        "signed_digest": signature.signed_digest,
        "digest_matches": signature.digest_matches,
        "valid": signature.valid,
        "problems": _problems(signature.problems),
        "program_name": signature.program_name,
        "more_info": signature.more_info,
        "signer": None if signer is None else certificate_json(signer),
        "chain": [] if chain is None else [certificate_json(cert) for cert in chain.certificates],
        "chain_end": None if chain is None else chain_end_json(chain),
        "timestamp": None if stamp is None else timestamp_json(stamp),
        "page_hashes": None if pages is None else {"algorithm": pages.algorithm, "matches": pages.matches},
        "catalog_sha256": signature.catalog_sha256,
        "scheme": signature.scheme.value,
        "role": signature.role,
        "key": None if signature.key is None else key_json(signature.key),
    }


def certificate_json(cert: CertificateFacts) -> Json:
    return {
        "subject": cert.subject,
        "subject_cn": cert.subject_cn,
        "issuer": cert.issuer,
        "issuer_cn": cert.issuer_cn,
        "serial": cert.serial,
        "thumbprint_sha1": cert.thumbprint_sha1,
        "thumbprint_sha256": cert.thumbprint_sha256,
        "not_before": time_text(cert.not_before),
        "not_after": time_text(cert.not_after),
        "eku": None if cert.eku is None else list(cert.eku),
        "tbs": dict(sorted(cert.tbs.items())),
        "tbs_algorithm": cert.tbs_algorithm,
        "signature_algorithm": cert.signature_algorithm,
        "key_algorithm": cert.key_algorithm,
        "key_bits": cert.key_bits,
        "key_usage_digital_signature": cert.key_usage_digital_signature,
        "is_ca": cert.is_ca,
        "is_self_issued": cert.is_self_issued,
    }


def chain_end_json(chain: ChainFacts) -> Json:
    return {
        "kind": chain.end.value,
        "well_known_root": chain.well_known_root,
        "root_tbs": dict(sorted(chain.root_tbs.items())),
        "root_sha256": chain.root_sha256,
    }


def timestamp_json(stamp: TimestampFacts) -> Json:
    chain, signer = stamp.chain, stamp.signer
    return {
        "kind": stamp.kind.value,
        "time": None if stamp.time is None else time_text(stamp.time),
        "valid": stamp.valid,
        "signer": None if signer is None else certificate_json(signer),
        "chain": [] if chain is None else [certificate_json(cert) for cert in chain.certificates],
        "chain_end": None if chain is None else chain_end_json(chain),
        "digest_algorithm": stamp.digest_algorithm,
        "problems": _problems(stamp.problems),
    }


def gap_json(gap: Gap) -> Json:
    return {"what": gap.what.value, "why": gap.why}


def problem_json(problem: Problem) -> Json:
    return {"code": problem.code.value, "detail": problem.detail, "offset": problem.offset}


def _problems(problems: Sequence[Problem]) -> list[Json]:
    return [problem_json(problem) for problem in problems]


# --- verdicts and the run -> JSON -------------------------------------------------------------------------------------


def place_json(place: Place) -> Json:
    return {"path": place.path, "line": place.line, "column": place.column, "offset": place.offset}


def _place(place: Place | None) -> Json | None:
    return None if place is None else place_json(place)


def _rule(rule: RuleRef | None) -> Json | None:
    return None if rule is None else rule_json(rule)


def rule_json(rule: RuleRef) -> Json:
    return {
        "policy": rule.policy,
        "policy_id": rule.policy_id,
        "id": rule.id,
        "kind": rule.kind,
        "name": rule.name,
        "place": _place(rule.place),
    }


def verdict_json(verdict: Verdict) -> Json:
    return {
        "target": verdict.target,
        "decision": verdict.decision.value,
        "audited": verdict.audited,
        "checks": list(verdict.checks),
        "rule": _rule(verdict.rule),
        "because": verdict.because,
        "trace": [
            {"policy": s.policy, "rule": _rule(s.rule), "outcome": s.outcome.value, "because": s.because} for s in verdict.trace
        ],
        "nearest": [
            {"rule": _rule(miss.rule), "matched": list(miss.matched), "differs": miss.differs} for miss in verdict.nearest
        ],
        "missing": list(verdict.missing),
        "help": verdict.help,
        "predicted_event": verdict.predicted_event,
    }


def finding_json(finding: Finding) -> Json:
    return {
        "check": finding.check,
        "level": finding.level.value,
        "message": finding.message,
        "target": finding.target,
        "place": _place(finding.place),
        "help": finding.help,
        **({} if finding.owner is None else {"owner": owner_json(finding.owner)}),
    }


def owner_json(owner: Owner) -> Json:
    return {"name": owner.name, "contact": owner.contact, "source": owner.source}


def waiver_json(waiver: WaiverRef) -> Json:
    return {
        "id": waiver.id,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
        "place": _place(waiver.place),
    }


def header_json(result: RunResult) -> Json:
    """Everything that stands before `artifacts`."""
    run = result.run
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "csv-gate", "version": run.tool_version},
        "run": {
            "evaluated_at": time_text(run.evaluated_at),
            "inputs": list(run.inputs),
            "config_sha256": run.config_sha256,
            **({} if run.shard is None else {"shard": {"number": run.shard.number, "count": run.shard.count}}),
        },
        "targets": [
            {
                "name": target.name,
                "engine": target.engine,
                "policies": [
                    {
                        "path": policy.path,
                        "id": policy.id,
                        "name": policy.name,
                        "version": policy.version,
                        "kind": policy.kind,
                        "sha256": policy.sha256,
                    }
                    for policy in target.policies
                ],
                "mode": target.mode,
            }
            for target in result.targets
        ],
    }


def summary_json(summary: Summary) -> Json:
    counted = {
        name: getattr(summary, name)
        for name in (
            "artifacts",
            "allowed",
            "denied",
            "audited",
            "undecided",
            "not_applicable",
            "waived",
            "excluded",
            "skipped",
            "containers",
        )
    }
    levels = {level.value: summary.findings.get(level, 0) for level in Level}
    if summary.unmet:
        counted["unmet"] = summary.unmet
    return {**counted, "findings": levels, "exit_code": int(summary.exit_code)}


def dump(value: Json) -> str:
    """One line of JSON, the same bytes for the same value. Text that is no Unicode (surrogate escapes) stays escaped."""
    return unicode_json(_ENCODER.encode(value))


def unicode_json(text: str) -> str:
    """JSON with surrogates, which only its strings may hold, escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
