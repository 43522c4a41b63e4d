"""The rows of the HTML page's data: small, because thousands of them travel in one file.

Text that many artifacts share (reasons, rules, owners) and certificates are kept once and named by their index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csv_gate.model.facts import CertificateFacts, ChainFacts, SignatureFacts
from csv_gate.model.result import ArtifactResult, TargetRef
from csv_gate.model.result_json import time_text
from csv_gate.model.verdict import Level, NearMiss, Step, Verdict
from csv_gate.report.describe import end_words, kind_of_file, owner_words, rule_words, signature_words, version_row
from csv_gate.report.diagnostics import Diagnostic, diagnostics
from csv_gate.report.escape import clip, visible

Json = dict[str, Any]

_STRINGS_MAX = 100_000
_STEPS_MAX = 60
_SIGNATURES_MAX = 16
_TEXT_MAX = 2_000


class Rows:
    """Makes one row after another, and remembers what they share."""

    def __init__(self, targets: Sequence[TargetRef]) -> None:
        self.strings: list[str] = []
        self.certificates: list[Json] = []
        self.checks: set[str] = set()
        """Ids of the checks that rows name."""
        self._string_at: dict[str, int] = {}
        self._certificate_at: dict[str, int] = {}
        self._targets = {target.name: index for index, target in enumerate(targets)}

    @staticmethod
    def cause_key(one: Diagnostic) -> str:
        """Ties a row to a cause of the page's list."""
        level = Level.NOTE if one.waiver else one.level
        return visible("|".join((level.value, *one.cause)))

    def row(self, result: ArtifactResult) -> Json:
        facts = result.artifact.facts
        told = list(diagnostics(result))
        self.checks.update(one.check for one in told)
        self.checks.update(check for verdict in result.verdicts for check in verdict.checks)
        version = version_row(facts)
        waiver = result.waiver
        waived = f"until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason} ({waiver.id})" if waiver else None
        return {
            "path": _plain(result.artifact.path),
            "kind": _plain(f"{kind_of_file(facts)}, {facts.size:,} bytes"),
            "sha256": facts.digests.sha256 if facts.digests else None,
            "authenticode": facts.digests.authenticode_sha256 if facts.digests else None,
            "version": self._shared(version.text if version else None),
            "owner": self._shared(result.owner.name if result.owner else None),
            "contact": self._shared(owner_words(result.owner) if result.owner else None),
            "waived": self._shared(waived),
            "gaps": [_plain(f"{gap.what.value}: {gap.why}") for gap in facts.gaps],
            "findings": [
                {"check": _plain(one.check), "level": one.level.value, "message": self._shared(one.message)}
                for one in told
                if one.verdict is None
            ],
            "causes": sorted({self.cause_key(one) for one in told}),
            "verdicts": [self._verdict(verdict) for verdict in result.verdicts if verdict.target in self._targets],
            "signatures": [self._signature(signature) for signature in facts.signatures[:_SIGNATURES_MAX]],
        }

    def _shared(self, text: str | None) -> int | str | None:
        if text is None or not text:
            return None
        plain = _plain(text)
        index = self._string_at.get(plain)
        if index is None:
            if len(self.strings) >= _STRINGS_MAX:
                return plain
            index = self._string_at[plain] = len(self.strings)
            self.strings.append(plain)
        return index

    def _verdict(self, verdict: Verdict) -> Json:
        rule = verdict.rule
        where = f" at {rule.place}" if rule and rule.place else ""
        return {
            "target": self._targets[verdict.target],
            "decision": verdict.decision.value,
            "audited": verdict.audited,
            "because": self._shared(verdict.because),
            "rule": self._shared(rule_words(rule) + where if rule else None),
            "checks": [_plain(check) for check in verdict.checks],
            "nearest": [self._shared(_near_words(miss)) for miss in verdict.nearest[:3]],
            "missing": [_plain(missing) for missing in verdict.missing],
            "help": self._shared(verdict.help),
            "event": verdict.predicted_event,
            "trace": [
                [
                    step.outcome.value,
                    self._shared(rule_words(step.rule) if step.rule else step.policy or "?"),
                    self._shared(step.because or "?"),
                ]
                for step in verdict.trace[:_STEPS_MAX]
            ],
            "left": max(0, len(verdict.trace) - _STEPS_MAX),
        }

    def _step(self, step: Step) -> list[int | str | None]:
        what = rule_words(step.rule) if step.rule else step.policy
        return [step.outcome.value, self._shared(what or "?"), self._shared(step.because or "?")]

    def _signature(self, signature: SignatureFacts) -> Json:
        chain = signature.chain
        stamp = signature.timestamp
        time = None
        if stamp is not None:
            when = time_text(stamp.time) if stamp.time else "at an unknown time"
            time = f"Time stamp {when}, {'valid' if stamp.valid else 'does not count'}"
        return {
            "words": self._shared(signature_words(signature)),
            "chain": self._chain(chain, signature.signer),
            "end": end_words(chain.end, chain.well_known_root) if chain else None,
            "time": time,
            "stamp": self._chain(stamp.chain, stamp.signer) if stamp else [],
            "problems": [_plain(f"{problem.code.value}: {problem.detail}") for problem in signature.problems],
        }

    def _chain(self, chain: ChainFacts | None, signer: CertificateFacts | None) -> list[int]:
        certificates = chain.certificates if chain else (signer,) if signer else ()
        return [self._certificate(cert) for cert in certificates]

    def _certificate(self, cert: CertificateFacts) -> int:
        index = self._certificate_at.get(cert.thumbprint_sha256)
        if index is None:
            index = self._certificate_at[cert.thumbprint_sha256] = len(self.certificates)
            self.certificates.append(_certificate(cert))
        return index


def _certificate(cert: CertificateFacts) -> Json:
    name = cert.tbs_algorithm or "sha256"
    days = f"{cert.not_before.date().isoformat()} to {cert.not_after.date().isoformat()}"
    key = f"{cert.key_algorithm} {cert.key_bits}" if cert.key_bits else cert.key_algorithm
    about = [f"issued by {cert.issuer}", f"valid {days}", key, cert.signature_algorithm, f"sha1 {cert.thumbprint_sha1}"]
    return {
        "subject": _plain(cert.subject),
        "tbs": _plain(f"{name} {cert.tbs.get(name, 'unknown')}"),
        "sha1": cert.thumbprint_sha1,
        "about": _plain(" · ".join((*about, *((f"EKU {', '.join(cert.eku)}",) if cert.eku else ())))),
    }


def _near_words(miss: NearMiss) -> str:
    where = f" at {miss.rule.place}" if miss.rule.place else ""
    agrees = f"agrees in {', '.join(miss.matched)}; " if miss.matched else ""
    return f"{rule_words(miss.rule)}{where}: {agrees}{miss.differs}"


def _plain(text: str) -> str:
    return clip(visible(text), _TEXT_MAX)
