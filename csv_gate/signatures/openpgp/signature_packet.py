"""Signature packets of versions 3, 4 and 6, with their subpackets (RFC 9580, section 5.2; RFC 4880, section 5.2.2).

Only hashed subpackets say anything, but for two that prove themselves: the issuer, which picks the key that then must fit, and an embedded
signature. A critical subpacket that is not understood makes the whole signature void, as the standard asks.
"""

from __future__ import annotations

from typing import Final, TypeVar

from csv_gate.errors import FormatError
from csv_gate.records import dataclass, field
from csv_gate.signatures.openpgp.algorithms import HASHES
from csv_gate.signatures.openpgp.packets import Fields

BINARY: Final = 0x00
TEXT: Final = 0x01
CERTIFICATIONS: Final = frozenset({0x10, 0x11, 0x12, 0x13})
SUBKEY_BINDING: Final = 0x18
PRIMARY_BINDING: Final = 0x19
DIRECT_KEY: Final = 0x1F
KEY_REVOCATION: Final = 0x20
SUBKEY_REVOCATION: Final = 0x28
CERTIFICATION_REVOCATION: Final = 0x30

_CREATED: Final = 2
_EXPIRES: Final = 3
_KEY_EXPIRES: Final = 9
_REVOKER: Final = 12
_ISSUER: Final = 16
_KEY_FLAGS: Final = 27
_REVOCATION_REASON: Final = 29
_EMBEDDED: Final = 32
_FINGERPRINT: Final = 33
_UNDERSTOOD: Final = frozenset(
    {2, 3, 4, 5, 6, 7, 9, 11, 12, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 39}
)
"""Subpackets whose meaning is known, here or because it bears on nothing that is judged. Not notations (20): a critical one would have
to be understood by its name."""
_SOFT_REASONS: Final = frozenset({1, 3, 32})
"""Superseded, retired, user ID no longer valid: what was signed before stays good (RFC 9580, section 5.2.3.31)."""
_MAX_SUBPACKETS: Final = 256

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Subpackets:
    """What the subpackets of one signature say."""

    created: int | None = None
    expires_after: int = 0
    key_expires_after: int = 0
    key_flags: int | None = None
    issuer: bytes | None = None
    fingerprint: bytes | None = None
    has_revoker: bool = False
    is_soft_revocation: bool = False
    embedded: list[bytes] = field(default_factory=list)
    unknown_critical: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature packet. Nothing of it is verified yet."""

    version: int
    type: int
    algorithm: int
    hash: int
    created: int
    """Seconds since 1970, as the signer says."""
    said: Subpackets
    salt: bytes
    trailer: bytes
    """What is hashed behind the content."""
    left16: bytes
    value: bytes
    """The algorithm-specific part."""

    @property
    def issuer(self) -> bytes | None:
        """Fingerprint or key ID of the signer's key, whichever is longer; `None`: it names none."""
        return self.said.fingerprint or self.said.issuer

    @property
    def problem(self) -> str | None:
        """Why it cannot count whatever the key; `None`: nothing."""
        if self.said.unknown_critical:
            return f"critical subpacket {self.said.unknown_critical[0]} is not understood"
        fingerprint, issuer = self.said.fingerprint, self.said.issuer
        if fingerprint is not None and issuer is not None:
            expected = fingerprint[-8:] if len(fingerprint) == 20 else fingerprint[:8]
            if issuer != expected:
                return "its issuer's key ID and fingerprint are of different keys"
        return None


def read_signature(body: bytes) -> Signature:
    """A signature packet.

    Raises:
        FormatError: it breaks its format, has another version, or states no time.
    """
    fields = Fields(body)
    version = fields.number(1)
    if version in (2, 3):
        return _version_3(fields)
    if version not in (4, 6):
        raise FormatError("a signature packet has a version that is not known", got=str(version), expected="3, 4 or 6")
    type, algorithm, hash = fields.number(1), fields.number(1), fields.number(1)
    width = 2 if version == 4 else 4
    said = Subpackets()
    hashed = fields.take(fields.number(width))
    stop = fields.at
    _read_subpackets(said, hashed, is_hashed=True, version=version)
    _read_subpackets(said, fields.take(fields.number(width)), is_hashed=False, version=version)
    left16 = fields.take(2)
    salt = fields.take(fields.number(1)) if version == 6 else b""
    known = HASHES.get(hash)
    if version == 6 and known is not None and len(salt) != known.salt_size:
        raise FormatError("the salt of a signature has the wrong size", got=str(len(salt)), expected=str(known.salt_size))
    if said.created is None:
        raise FormatError("a signature does not say when it was made")
    return Signature(
        version=version,
        type=type,
        algorithm=algorithm,
        hash=hash,
        created=said.created,
        said=said,
        salt=salt,
        trailer=body[:stop] + bytes((version, 0xFF)) + (stop & 0xFFFFFFFF).to_bytes(4, "big"),
        left16=left16,
        value=fields.take(fields.rest),
    )


def _version_3(fields: Fields) -> Signature:
    if fields.number(1) != 5:
        raise FormatError("the hashed part of a version 3 signature has five octets")
    trailer = fields.take(5)
    said = Subpackets(created=int.from_bytes(trailer[1:], "big"), issuer=fields.take(8))
    algorithm, hash, left16 = fields.number(1), fields.number(1), fields.take(2)
    return Signature(
        version=3,
        type=trailer[0],
        algorithm=algorithm,
        hash=hash,
        created=int.from_bytes(trailer[1:], "big"),
        said=said,
        salt=b"",
        trailer=trailer,
        left16=left16,
        value=fields.take(fields.rest),
    )


def _read_subpackets(said: Subpackets, area: bytes, *, is_hashed: bool, version: int) -> None:
    fields = Fields(area)
    count = 0
    while fields.rest:
        count += 1
        if count > _MAX_SUBPACKETS:
            raise FormatError("a signature has too many subpackets", expected=f"at most {_MAX_SUBPACKETS}")
        size = fields.length()
        if size == 0:
            raise FormatError("a subpacket has no type")
        octets = fields.take(size)
        type, is_critical, body = octets[0] & 0x7F, bool(octets[0] & 0x80), octets[1:]
        if is_hashed:
            if is_critical and type not in _UNDERSTOOD:
                said.unknown_critical.append(type)
            _read_hashed(said, type, body)
        if type == _ISSUER:
            said.issuer = _same("issuer", said.issuer, _sized(body, 8))
        elif type == _FINGERPRINT and (is_hashed or said.fingerprint is None):
            said.fingerprint = _same("issuer fingerprint", said.fingerprint, _fingerprint(body, version))
        elif type == _EMBEDDED:
            said.embedded.append(body)


def _read_hashed(said: Subpackets, type: int, body: bytes) -> None:
    if type == _CREATED:
        said.created = _same("creation time", said.created, _number(body))
    elif type == _EXPIRES:
        said.expires_after = _same("expiry", said.expires_after or None, _number(body))
    elif type == _KEY_EXPIRES:
        said.key_expires_after = _same("key expiry", said.key_expires_after or None, _number(body))
    elif type == _REVOKER:
        said.has_revoker = True
    elif type == _KEY_FLAGS:
        said.key_flags = _same("key flags", said.key_flags, int.from_bytes(body[:8], "little"))
    elif type == _REVOCATION_REASON:
        said.is_soft_revocation = bool(body) and body[0] in _SOFT_REASONS


def _same(what: str, before: T | None, now: T) -> T:
    if before is not None and before != now:
        raise FormatError(f"a signature states its {what} twice, and not alike")
    return now


def _sized(body: bytes, size: int) -> bytes:
    if len(body) != size:
        raise FormatError("a subpacket has the wrong size", got=str(len(body)), expected=str(size))
    return body


def _number(body: bytes) -> int:
    return int.from_bytes(_sized(body, 4), "big")


def _fingerprint(body: bytes, version: int) -> bytes:
    """Version and fingerprint of the issuer's key; the version is the signature's own (RFC 9580, section 5.2.3.35)."""
    if not body or body[0] != version:
        raise FormatError("the issuer's fingerprint is of another version than the signature")
    return _sized(body[1:], 20 if version == 4 else 32)
