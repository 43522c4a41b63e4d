"""The keys that a user gave: files of transferable public keys, armored or not, any number in each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Self

from csv_gate.errors import FormatError
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.records import dataclass, field
from csv_gate.signatures.openpgp import armor, packets
from csv_gate.signatures.openpgp.certificate import Certificate, Judged, Subkey
from csv_gate.signatures.openpgp.packets import Packet, read_packets
from csv_gate.signatures.openpgp.public_key import PublicKey, read_public_key

_PASSED_OVER = frozenset({packets.MARKER, packets.TRUST, packets.PADDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenKey:
    """One key of the ring, and the certificate that it is in."""

    key: PublicKey
    certificate: Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Keys to verify with. Empty: none was given, and no signature can be verified."""

    sha256s: tuple[str, ...] = ()
    """Of the files it was read from: rings of equal digests are equal."""
    limits: Limits = DEFAULT_LIMITS
    _by_id: dict[bytes, list[GivenKey]] = field(default_factory=dict, repr=False)
    _judged: dict[bytes, Judged] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, *files: bytes, limits: Limits = DEFAULT_LIMITS) -> Self:
        """The ring of all keys of these files.

        Raises:
            FormatError: a file holds no public key, a secret one, or something else than keys.
            LimitError: it is larger than the limits allow.
        """
        certificates: dict[bytes, Certificate] = {}
        for octets in files:
            count = 0
            for certificate in _read_file(octets, limits):
                count += 1
                known = certificates.setdefault(certificate.primary.fingerprint, certificate)
                if known is not certificate:
                    known.add(certificate)
            if not count:
                raise FormatError("the file holds no OpenPGP public key of version 4 or 6")
        ring = cls(sha256s=tuple(hashlib.sha256(octets).hexdigest() for octets in files), limits=limits)
        for certificate in certificates.values():
            for key in certificate.all_keys():
                given = GivenKey(key=key, certificate=certificate)
                for name in (key.key_id, key.fingerprint):
                    ring._by_id.setdefault(name, []).append(given)
        return ring

    def named(self, issuer: bytes) -> tuple[GivenKey, ...]:
        """The keys with this key ID or fingerprint. A key ID may be that of several."""
        return tuple(self._by_id.get(issuer, ()))

    def judged(self, given: GivenKey) -> Judged:
        """The certificate of a key, verified when it is first asked for."""
        fingerprint = given.certificate.primary.fingerprint
        if fingerprint not in self._judged:
            self._judged[fingerprint] = Judged(given.certificate, self.limits)
        return self._judged[fingerprint]


@lru_cache(maxsize=4)
def key_ring(files: tuple[bytes, ...]) -> KeyRing:
    """As `KeyRing.read`; one object for equal input, since what is verified of a key is remembered with it."""
    return KeyRing.read(*files)


def _read_file(octets: bytes, limits: Limits) -> Iterator[Certificate]:
    if octets[8:12] == b"KBXf":
        raise FormatError("this is a keybox of GnuPG", expected="exported keys, as `gpg --export` writes them")
    if not armor.is_armored(octets):
        yield from _certificates(octets, limits)
        return
    blocks = armor.read_blocks(octets, limits)
    for block in blocks:
        if block.kind != armor.PUBLIC_KEY:
            raise FormatError("an armored block holds no public keys", got=block.kind, expected=armor.PUBLIC_KEY)
        yield from _certificates(block.octets, limits)


def _certificates(octets: bytes, limits: Limits) -> Iterator[Certificate]:
    current: Certificate | None = None
    signatures: list[bytes] | None = None
    """Where the signatures go that come now; `None`: to nobody, since their key is of a version that is not read."""
    is_begun = False
    for packet in read_packets(octets, limits):
        if packet.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY):
            raise FormatError("the file holds a secret key", expected="public keys only")
        if packet.tag == packets.PUBLIC_KEY:
            if current is not None:
                yield current
            is_begun = True
            key = _public_key(packet)
            current = None if key is None else Certificate(primary=key)
            signatures = None if current is None else current.direct
        elif packet.tag in _PASSED_OVER or packet.tag >= packets.FIRST_NONCRITICAL:
            continue
        elif not is_begun:
            raise FormatError("a file of keys does not begin with a key", got=f"packet type {packet.tag}")
        elif packet.tag == packets.SIGNATURE:
            if signatures is not None:
                signatures.append(packet.body)
        elif current is not None:
            signatures = _component(current, packet)
    if current is not None:
        yield current


def _component(certificate: Certificate, packet: Packet) -> list[bytes] | None:
    """Takes a user ID, an attribute or a subkey into a certificate; where its signatures go."""
    if packet.tag in (packets.USER_ID, packets.USER_ATTRIBUTE):
        return certificate.users.setdefault((packet.tag, packet.body), [])
    if packet.tag != packets.PUBLIC_SUBKEY:
        raise FormatError("a file of keys holds something else", got=f"packet type {packet.tag} at offset {packet.offset}")
    key = _public_key(packet)
    if key is None or key.version != certificate.primary.version:
        return None
    return certificate.subkeys.setdefault(key.fingerprint, Subkey(key=key, signatures=[])).signatures


def _public_key(packet: Packet) -> PublicKey | None:
    try:
        return read_public_key(packet.body)
    except FormatError as error:
        raise FormatError(f"the key at offset {packet.offset} cannot be read: {error}") from error
