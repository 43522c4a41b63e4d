"""What a deployer asks of attestations: signed by a key that is trusted, for the policies that the target has, over these files.

Everything is refused that does not hold in full: one envelope of a file that is not signed by a given key makes the whole file worthless.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from csv_gate.attesting.dsse import PAYLOAD_TYPE, Envelope
from csv_gate.attesting.keys import VerifyingKey
from csv_gate.attesting.statement import PREDICATES, PROPERTY, RUN, STATEMENT_TYPE, VERIFIER
from csv_gate.records import dataclass

NOT_CHECKED = (
    "that the target has these policies today, and no others",
    "that each file lies where it was judged to lie (rules about paths)",
    "that certificates were not revoked since, and how old the attestation is",
    "that nothing is deployed beside the given files",
)
"""What no attestation can tell; a deployer has to see to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What must hold."""

    keys: tuple[VerifyingKey, ...]
    """At least one. Any of them is enough."""
    verifier: str = VERIFIER
    target: str | None = None
    policies: frozenset[str] | None = None
    """SHA-256 of each policy of the target's set: these and no others."""
    artifacts: Mapping[str, str] | None = None
    """Path, for messages, -> SHA-256."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold, in words without anything of the envelope in them but quoted values."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A statement that is signed and says what it should."""

    target: str
    predicate: str
    """`svr` or `vsa`."""
    key_id: str
    policies: frozenset[str]
    digests: frozenset[str]


def verify(envelopes: Iterable[Envelope], demand: Demand) -> tuple[tuple[Verified, ...], tuple[Fault, ...]]:
    """The statements that hold, and everything that does not. Without faults, all that was asked for is so."""
    found: list[Verified] = []
    faults: list[Fault] = []
    for number, envelope in enumerate(envelopes, 1):
        key_id = _signer(envelope, demand.keys)
        if key_id is None:
            faults.append(Fault(f"envelope {number} is not signed by any of the given keys, or was changed since"))
            continue
        read = _read(envelope, key_id, demand.verifier)
        if isinstance(read, Fault):
            faults.append(Fault(f"envelope {number}: {read.why}"))
        elif demand.target is None or read.target == demand.target:
            found.append(read)
    if not found and not faults:
        faults.append(Fault(f"nothing is attested for the target {demand.target!r}"))
    faults += _policy_faults(found, demand.policies)
    if demand.artifacts is not None:
        faults += _artifact_faults(found, demand.artifacts)
    return tuple(found), tuple(faults)


def _signer(envelope: Envelope, keys: Iterable[VerifyingKey]) -> str | None:
    """The id of a given key that made one of the signatures. Ids inside the envelope are not asked."""
    signed = envelope.signed
    return next((key.key_id for key in keys for one in envelope.signatures if key.verifies(one.value, signed)), None)


def _read(envelope: Envelope, key_id: str, verifier: str) -> Verified | Fault:
    """The payload of a verified envelope. Its signer is trusted, and still only what is understood counts."""
    if envelope.payload_type != PAYLOAD_TYPE:
        return Fault(f"the payload is of type {envelope.payload_type!r}, not {PAYLOAD_TYPE}")
    try:
        document = json.loads(envelope.payload)
        predicate = next((name for name, uri in PREDICATES.items() if document["predicateType"] == uri), None)
        if document["_type"] != STATEMENT_TYPE or predicate is None:
            return Fault("it is no statement of a kind that is known here")
        content = document["predicate"]
        if content["verifier"]["id"] != verifier:
            return Fault(f"the verifier is {content['verifier']['id']!r}, not {verifier!r}")
        if not _passed(content, predicate):
            return Fault("it does not say that the artifacts passed")
        return Verified(
            target=_text(content[RUN]["target"]),
            predicate=predicate,
            key_id=key_id,
            policies=frozenset(_sha256(policy) for policy in content[RUN]["policies"]),
            digests=frozenset(_sha256(subject) for subject in document["subject"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Fault("it is no statement that csv-gate writes")


def _passed(content: Mapping[str, Any], predicate: str) -> bool:
    if predicate == "svr":
        return PROPERTY in content["properties"]
    return content["verificationResult"] == "PASSED" and PROPERTY in content["verifiedLevels"]


def _sha256(descriptor: Mapping[str, Any]) -> str:
    digest = _text(descriptor["digest"]["sha256"])
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError("no digest")
    return digest


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _policy_faults(found: Sequence[Verified], wanted: frozenset[str] | None) -> list[Fault]:
    if wanted is None:
        return []
    return [
        Fault(
            f"{one.target!r} was judged by other policies: {', '.join(sorted(one.policies - wanted)) or 'none besides'}"
            f"; not judged by: {', '.join(sorted(wanted - one.policies)) or 'none'}"
        )
        for one in found
        if one.policies != wanted
    ]


def _artifact_faults(found: Sequence[Verified], artifacts: Mapping[str, str]) -> list[Fault]:
    if len({one.target for one in found}) > 1:
        return [Fault("several targets are attested: name the one that the files are deployed to with --target")]
    attested = frozenset[str]().union(*(one.digests for one in found))
    return [
        Fault(f"{path} (sha256 {digest}) is not attested: it was denied, not decided, changed, or never judged")
        for path, digest in sorted(artifacts.items())
        if digest not in attested
    ]
