"""An artifact's line of JSON, put together from pieces of which most are made once a run: certificates and chains repeat.

The bytes are those of `json_line(artifact_json(result))`. A piece that is cut open here is found by text that cannot stand inside a JSON
string, because a quotation mark within one is always escaped.
"""

from __future__ import annotations

from csv_gate.model.facts import CertificateFacts, ChainFacts, SignatureFacts, TimestampFacts
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import artifact_json, certificate_json, chain_end_json, signature_json, timestamp_json
from csv_gate.report.escape import json_line

_NO_SIGNATURES = '"signatures":[]'
_NO_CHAIN = '"chain":[],"chain_end":null'
_NO_SIGNER = f'"signer":null,{_NO_CHAIN}'
_NO_STAMP = f'{_NO_SIGNER},"timestamp":null'
_MAX_KEPT = 4096
"""Pieces kept; a build has a few dozen signers and chains."""


class ArtifactLines:
    """Writes lines. Keeps the text of certificates and chains, known by identity: those that repeat are the same objects."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, str]] = {}

    def line(self, result: ArtifactResult) -> str:
        """One row of `artifacts`, without line end."""
        signatures = result.artifact.facts.signatures
        if not signatures:
            return json_line(artifact_json(result))
        head, tail = json_line(artifact_json(result, with_signatures=False)).split(_NO_SIGNATURES, 1)
        return f'{head}"signatures":[{",".join(map(self._signature, signatures))}]{tail}'

    def _signature(self, signature: SignatureFacts) -> str:
        head, tail = json_line(signature_json(signature, with_certificates=False)).split(_NO_STAMP, 1)
        stamp = "null" if signature.timestamp is None else self._timestamp(signature.timestamp)
        return f'{head}{self._signed(signature.signer, signature.chain)},"timestamp":{stamp}{tail}'

    def _timestamp(self, stamp: TimestampFacts) -> str:
        head, tail = json_line(timestamp_json(stamp, with_certificates=False)).split(_NO_SIGNER, 1)
        return f"{head}{self._signed(stamp.signer, stamp.chain)}{tail}"

    def _signed(self, signer: CertificateFacts | None, chain: ChainFacts | None) -> str:
        by = "null" if signer is None else self._certificate(signer)
        return f'"signer":{by},{_NO_CHAIN if chain is None else self._chain(chain)}'

    def _chain(self, chain: ChainFacts) -> str:
        kept = self._kept.get(id(chain))
        if kept is not None:
            return kept[1]
        certificates = ",".join(map(self._certificate, chain.certificates))
        return self._keep(chain, f'"chain":[{certificates}],"chain_end":{json_line(chain_end_json(chain))}')

    def _certificate(self, certificate: CertificateFacts) -> str:
        kept = self._kept.get(id(certificate))
        return kept[1] if kept is not None else self._keep(certificate, json_line(certificate_json(certificate)))

    def _keep(self, value: object, text: str) -> str:
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        self._kept[id(value)] = (value, text)  # the value is kept alive, so its identity is not given to another
        return text
