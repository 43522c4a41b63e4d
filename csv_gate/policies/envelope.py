"""The PKCS#7 envelope of a signed policy: its content, and what its signature says.

A signed policy is a CMS SignedData (RFC 5652) with content type 1.3.6.1.4.1.311.79.1; the compiled policy is the content, in some
files wrapped in one more OCTET STRING (App Control docs, "Use signed policies to protect App Control against tampering"). A broken
signature is a fact of the policy, not an error: what the policy says can still be read.
"""

from __future__ import annotations

from csv_gate.errors import Place, PolicyError
from csv_gate.limits import Limits
from csv_gate.model.appcontrol import PolicySignature
from csv_gate.records import dataclass

POLICY_CONTENT_TYPE = "1.3.6.1.4.1.311.79.1"
_SEQUENCE = 0x30
_OCTET_STRING = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an envelope held."""

    content: bytes
    offset: int
    """Where the content begins in the file; 0 when it does not stand there in one piece."""
    signature: PolicySignature


def is_envelope(data: bytes) -> bool:
    """Whether the bytes begin like a DER SEQUENCE; a raw policy begins with a small format number."""
    return data[:1] == bytes((_SEQUENCE,)) and len(data) > 2 and (data[1] == 0x80 or data[1] > 0x30)


def open_envelope(data: bytes, *, path: str, limits: Limits) -> Opened:
    """Take the policy out of its envelope and judge the signature. `data` is attacker-controlled.

    Raises:
        PolicyError: no SignedData, or one that holds something else.
    """
    from csv_gate.signatures import read_signed_data

    facts = read_signed_data(data, limits=limits)
    if facts.content_type != POLICY_CONTENT_TYPE or not facts.content:
        raise PolicyError(
            "the file is a signed envelope, but there is no policy in it",
            place=Place(path=path, offset=0),
            got=_found(facts.content_type, [problem.detail for problem in facts.problems]),
            expected=f"content of type {POLICY_CONTENT_TYPE}",
            help="give the signed policy as it is deployed; a detached signature holds no policy",
        )
    content = _unwrapped(facts.content)
    return Opened(
        content=content,
        offset=max(data.find(content), 0),
        signature=PolicySignature(
            valid=facts.valid,
            subject=None if facts.signer is None else facts.signer.subject,
            thumbprint_sha1=None if facts.signer is None else facts.signer.thumbprint_sha1,
            problems=tuple(f"{problem.code.value}: {problem.detail}" for problem in facts.problems),
        ),
    )


def _found(content_type: str | None, problems: list[str]) -> str:
    if content_type is None:
        return problems[0] if problems else "no SignedData"
    return f"content of type {content_type}" if content_type != POLICY_CONTENT_TYPE else "no content"


def _unwrapped(content: bytes) -> bytes:
    """The contents of an OCTET STRING that is the whole content; other content as it is.

    A raw policy of format 4 begins with the same octet, but then with zeros, which would be an empty string.
    """
    if content[0] != _OCTET_STRING or len(content) < 2 or content[1] == 0:
        return content
    head = 2
    length = content[1]
    if length & 0x80:
        size = length & 0x7F
        head += size
        length = int.from_bytes(content[2:head], "big")
    return content[head:] if head + length == len(content) else content
