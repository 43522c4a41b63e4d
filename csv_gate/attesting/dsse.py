"""The envelope around a signed statement (DSSE v1.0, protocol and envelope): JSON with the payload and its signatures in base64.

What is signed is the pre-authentication encoding of type and payload, so that bytes of one type never pass as another. Several envelopes
stand in one file on lines of their own (in-toto attestation framework, bundle). An envelope is attacker-controlled until it is verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from csv_gate.errors import Place, UsageError
from csv_gate.limits import MIB
from csv_gate.records import dataclass

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_FILE_BYTES = 64 * MIB
"""Some two hundred thousand artifacts."""
MAX_ENVELOPES = 256
MAX_SIGNATURES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    key_id: str
    """A hint which key was used. It is not signed, and nothing leans on it."""
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def signed(self) -> bytes:
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed (DSSE protocol, "signature definition")."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def write_envelope(envelope: Envelope) -> str:
    """One line, the same for the same envelope."""
    return json.dumps(
        {
            "payload": _base64(envelope.payload),
            "payloadType": envelope.payload_type,
            "signatures": [{"keyid": one.key_id, "sig": _base64(one.value)} for one in envelope.signatures],
        }
    )


def read_envelopes(data: bytes, *, path: str) -> Iterator[Envelope]:
    """Every envelope of a file. `path` is for messages only.

    Raises:
        UsageError: too large, or not a file of envelopes.
    """
    if len(data) > MAX_FILE_BYTES:
        raise _refused(path, f"{len(data)} bytes", f"at most {MAX_FILE_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(path, "bytes that are not UTF-8", "JSON") from None
    documents = _documents(text, path)
    if not documents:
        raise _refused(path, "an empty file", "at least one envelope")
    if len(documents) > MAX_ENVELOPES:
        raise _refused(path, f"{len(documents)} envelopes", f"at most {MAX_ENVELOPES}")
    for document in documents:
        yield _envelope(document, path)


def _documents(text: str, path: str) -> list[Any]:
    """One document that may be laid out over lines, else one on each line."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise _refused(path, "text that is not JSON", "JSON, one envelope on each line") from None


def _envelope(document: Any, path: str) -> Envelope:
    signatures = _member(document, "signatures", list, path)
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise _refused(path, f"{len(signatures)} signatures", f"1 to {MAX_SIGNATURES}")
    return Envelope(
        payload_type=_member(document, "payloadType", str, path),
        payload=_bytes(_member(document, "payload", str, path), path),
        signatures=tuple(
            Signature(
                key_id=_member(one, "keyid", str, path) if isinstance(one, dict) and "keyid" in one else "",
                value=_bytes(_member(one, "sig", str, path), path),
            )
            for one in signatures
        ),
    )


def _member(value: Any, name: str, kind: type, path: str) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get(name), kind):
        raise _refused(path, f"no {name!r} of the right kind", "an envelope with payloadType, payload and signatures")
    return value[name]


def _bytes(text: str, path: str) -> bytes:
    """Base64 of either alphabet, as DSSE has it."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _refused(path, "text that is not base64", "base64") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _refused(path: str, got: str, expected: str) -> UsageError:
    return UsageError("this is no signed attestation", place=Place(path=path), got=got, expected=expected)
