"""X.509 certificates: DER to facts and to what a chain needs (RFC 5280).

Tolerant where real certificates are odd (negative serials, text outside its alphabet, version 1) and bounded everywhere. A certificate
that is read wrongly could only be one whose octets differ, and every statement about a link is checked by key, never by name alone.

Not modelled: name constraints, path length, policies, revocation. An extension that cannot be read makes the certificate malformed.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from csv_gate.errors import FormatError
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import CertificateFacts
from csv_gate.records import dataclass, field
from csv_gate.signatures import oids
from csv_gate.signatures.der import BOOLEAN, INTEGER, OCTET_STRING, SEQUENCE, Element, Source, context
from csv_gate.signatures.keys import PublicKey, SignatureAlgorithm, read_key, read_signature_algorithm
from csv_gate.signatures.names import read_name

MAX_CERTIFICATE_BYTES = 64 * 1024
"""The largest of real signatures have about 3 KB."""
MAX_CERTIFICATE_NODES = 20_000
MAX_EXTENSIONS = 128
MAX_EKUS = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """One parsed certificate: its facts, and the raw parts that chains compare and verify. One object per distinct octets while cached."""

    der: bytes
    facts: CertificateFacts
    subject: bytes
    """The Name as encoded; names are compared octet by octet, as Windows does."""
    issuer: bytes
    serial: int
    spki: bytes
    key: PublicKey
    tbs: bytes
    algorithm: SignatureAlgorithm
    signature: bytes
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    authority_serial: int | None = None
    tbs_digest: bytes | None = field(default=None, repr=False)
    """By the certificate's own signature hash; None where that is unknown."""

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether `key` made this certificate's signature. Costs one public-key operation."""
        if self.tbs_digest is None or self.algorithm.digest is None:
            return False
        return key.verifies(self.signature, self.tbs_digest, self.algorithm, self.algorithm.digest)


@dataclass(slots=True)
class _Extensions:
    eku: tuple[str, ...] | None = None
    digital_signature: bool | None = None
    is_ca: bool | None = None
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    authority_serial: int | None = None


def read_certificate(der: bytes) -> Certificate:
    """Read one certificate; the same octets give the same object while it is cached.

    Raises:
        FormatError: not a certificate.
        LimitError: larger or richer than any real one.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise FormatError("a certificate is too large", got=f"{len(der)} bytes", expected=f"at most {MAX_CERTIFICATE_BYTES}")
    return _read(der)


@lru_cache(maxsize=1024)
def _read(der: bytes) -> Certificate:
    source = Source(der, max_nodes=MAX_CERTIFICATE_NODES)
    root = source.root()
    if root.stop != len(der):
        raise FormatError("a certificate is followed by other data")
    outer = root.fields()
    tbs, outer_algorithm, signature = outer.take(SEQUENCE), outer.take(SEQUENCE), outer.take().bits()
    outer.finish()
    fields = tbs.fields()
    fields.optional(context(0))
    serial = fields.take(INTEGER)
    inner_algorithm, issuer, validity, subject, spki = (fields.take(SEQUENCE) for _ in range(5))
    if inner_algorithm.contents != outer_algorithm.contents:
        raise FormatError("a certificate names two signature algorithms")
    fields.optional(context(1), context(1, constructed=False))
    fields.optional(context(2), context(2, constructed=False))
    extensions = _read_extensions(fields.optional(context(3)))
    fields.finish()
    times = validity.fields()
    algorithm = read_signature_algorithm(outer_algorithm)
    key = read_key(spki.raw)
    subject_text, subject_cn = read_name(subject, DEFAULT_LIMITS)
    issuer_text, issuer_cn = read_name(issuer, DEFAULT_LIMITS)
    tbs_digests = {
        name: hashlib.new(name, tbs.raw).hexdigest() for name in sorted({"sha1", "sha256", algorithm.digest or "sha256"})
    }
    facts = CertificateFacts(
        subject=subject_text,
        subject_cn=subject_cn,
        issuer=issuer_text,
        issuer_cn=issuer_cn,
        serial=serial.contents.hex().lstrip("0") or "0",
        thumbprint_sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        thumbprint_sha256=hashlib.sha256(der).hexdigest(),
        not_before=times.take().time(),
        not_after=times.take().time(),
        tbs=tbs_digests,
        tbs_algorithm=algorithm.digest,
        signature_algorithm=algorithm.name,
        key_algorithm=key.algorithm,
        key_bits=key.bits,
        eku=extensions.eku,
        key_usage_digital_signature=extensions.digital_signature,
        is_ca=extensions.is_ca,
        is_self_issued=subject.raw == issuer.raw,
    )
    return Certificate(
        der=der,
        facts=facts,
        subject=subject.raw,
        issuer=issuer.raw,
        serial=serial.integer(),
        spki=spki.raw,
        key=key,
        tbs=tbs.raw,
        algorithm=algorithm,
        signature=signature,
        subject_key_id=extensions.subject_key_id,
        authority_key_id=extensions.authority_key_id,
        authority_serial=extensions.authority_serial,
        tbs_digest=bytes.fromhex(tbs_digests[algorithm.digest]) if algorithm.digest else None,
    )


def _read_extensions(wrapper: Element | None) -> _Extensions:
    found = _Extensions()
    if wrapper is None:
        return found
    seen: set[str] = set()
    for extension in wrapper.only(SEQUENCE).children(most=MAX_EXTENSIONS):
        fields = extension.fields()
        oid = fields.take().oid()
        fields.optional(BOOLEAN)
        value = fields.take(OCTET_STRING).contents
        if oid in seen:
            raise FormatError("a certificate extension occurs twice", got=oid)
        seen.add(oid)
        _read_extension(found, oid, value)
    return found


def _read_extension(found: _Extensions, oid: str, value: bytes) -> None:
    match oid:
        case oids.EXT_EXTENDED_KEY_USAGE:
            usages = _root(value).expect(SEQUENCE).children(most=MAX_EKUS)
            found.eku = tuple(usage.oid() for usage in usages)
        case oids.EXT_KEY_USAGE:
            bits = _root(value).bits()
            found.digital_signature = bool(bits and bits[0] & 0x80)
        case oids.EXT_BASIC_CONSTRAINTS:
            flag = _root(value).fields().optional(BOOLEAN)
            found.is_ca = flag is not None and flag.boolean()
        case oids.EXT_SUBJECT_KEY:
            found.subject_key_id = _root(value).octets()
        case oids.EXT_AUTHORITY_KEY:
            fields = _root(value).fields()
            if (key_id := fields.optional(context(0, constructed=False))) is not None:
                found.authority_key_id = key_id.contents
            fields.optional(context(1))
            if (serial := fields.optional(context(2, constructed=False))) is not None:
                found.authority_serial = int.from_bytes(serial.contents, "big", signed=True)
        case _:
            pass


def _root(value: bytes) -> Element:
    return Source(value, max_nodes=MAX_CERTIFICATE_NODES).root()


def is_for(certificate: CertificateFacts, usage: str) -> bool:
    """Whether the certificate names this extended key usage (or any usage). One without the extension does not."""
    return certificate.eku is not None and (usage in certificate.eku or oids.EKU_ANY in certificate.eku)
