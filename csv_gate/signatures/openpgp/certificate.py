"""A transferable public key judged by its own signatures: who it is, and what each of its keys may do when (RFC 9580, section 10.1).

The file of a certificate was given by the user; what is in it counts only where the primary key signed it. SHA-1 is taken here (most
keys older than 2015 have nothing else, and what is signed is the owner's own key), MD5 is not. Revocations count by whatever digest.
Third-party certifications are not looked at: that the key was given is the trust in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from csv_gate.errors import FormatError
from csv_gate.limits import Limits
from csv_gate.records import dataclass, field
from csv_gate.signatures.openpgp import signature_packet as types
from csv_gate.signatures.openpgp.algorithms import HASHES
from csv_gate.signatures.openpgp.hashing import digest_over
from csv_gate.signatures.openpgp.packets import USER_ID
from csv_gate.signatures.openpgp.public_key import PublicKey
from csv_gate.signatures.openpgp.signature_packet import Signature, read_signature

_CAN_SIGN: Final = 0x02
_MD5: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Subkey:
    key: PublicKey
    signatures: list[bytes]
    """Bodies of the signature packets behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A primary key with what belongs to it, as read and not yet verified."""

    primary: PublicKey
    direct: list[bytes] = field(default_factory=list)
    """Bodies of the signature packets over the primary key alone."""
    users: dict[tuple[int, bytes], list[bytes]] = field(default_factory=dict)
    """Packet type and body of a user ID or attribute -> its signatures."""
    subkeys: dict[bytes, Subkey] = field(default_factory=dict)
    """By fingerprint."""

    def all_keys(self) -> Iterable[PublicKey]:
        yield self.primary
        for subkey in self.subkeys.values():
            yield subkey.key

    def add(self, other: Certificate) -> None:
        """Take in another copy of the same certificate, so that a revocation in either counts."""
        self.direct.extend(other.direct)
        for user, signatures in other.users.items():
            self.users.setdefault(user, []).extend(signatures)
        for fingerprint, subkey in other.subkeys.items():
            if fingerprint in self.subkeys:
                self.subkeys[fingerprint].signatures.extend(subkey.signatures)
            else:
                self.subkeys[fingerprint] = subkey


class Judged:
    """The signatures of one certificate verified, once."""

    def __init__(self, certificate: Certificate, limits: Limits) -> None:
        self._primary = primary = certificate.primary
        self._left = limits.max_openpgp_self_signatures
        self.is_over_limit = False
        everywhere = [*certificate.direct, *(one for each in certificate.users.values() for one in each)]
        self._revocations = self._sound(everywhere, {types.KEY_REVOCATION}, (primary.hashed,))
        self._direct = self._sound(certificate.direct, {types.DIRECT_KEY}, (primary.hashed,))
        self._users: list[list[Signature]] = []
        names = []
        for (tag, body), signatures in certificate.users.items():
            live = self._live_certifications(tag, body, signatures)
            if live:
                self._users.append(live)
                if tag == USER_ID:
                    names.append(body.decode("utf-8", "replace")[: limits.max_text_characters])
        self.user_ids = tuple(names)
        self._subkeys = {
            fingerprint: (subkey.key, self._bindings(subkey), self._subkey_revocations(subkey))
            for fingerprint, subkey in certificate.subkeys.items()
        }
        self._is_revoked_by_other = self._has_foreign_revocation(everywhere)

    def why_unfit(self, key: PublicKey, at: int) -> str | None:
        """Why `key` may not sign at that instant (seconds since 1970); `None`: it may."""
        if self.is_over_limit:
            return "it has more signatures of its own than max_openpgp_self_signatures"
        primary = key.fingerprint == self._primary.fingerprint
        return self._why_primary_unfit(at, signs=primary) or (None if primary else self._why_subkey_unfit(key, at))

    def _why_primary_unfit(self, at: int, *, signs: bool) -> str | None:
        direct = _current(self._direct, at)
        users = [found for each in self._users if (found := _current(each, at)) is not None]
        if direct is None and not users:
            return "no signature of its own that counts says what it may be used for"
        if self._is_revoked_by_other:
            return "it names others who may revoke it, and there is a revocation that is not its own"
        if why := _why_revoked(self._revocations, at):
            return why
        newest_first = sorted(users, key=lambda one: one.created, reverse=True)
        ranked = [direct, *newest_first] if direct is not None else newest_first
        lifetime = next((one.said.key_expires_after for one in ranked if one.said.key_expires_after), 0)
        if why := _why_out_of_time(self._primary.created, lifetime, at):
            return why
        flags = next((one.said.key_flags for one in ranked if one.said.key_flags is not None), None)
        if signs and flags is not None and not flags & _CAN_SIGN:
            return "it is not meant for signing data"
        if signs and flags is None and self._primary.version == 6:
            return "it does not say that it is meant for signing data"
        return None

    def _why_subkey_unfit(self, key: PublicKey, at: int) -> str | None:
        found, bindings, revocations = self._subkeys[key.fingerprint]
        binding = _current(bindings, at)
        if binding is None:
            return "the subkey is not bound to its primary key"
        if why := _why_revoked(revocations, at):
            return f"of the subkey: {why}"
        if why := _why_out_of_time(found.created, binding.said.key_expires_after, at):
            return f"of the subkey: {why}"
        if not (binding.said.key_flags or 0) & _CAN_SIGN:
            return "the subkey is not meant for signing data"
        if not self._is_bound_back(found, binding):
            return "the subkey has not signed that it belongs to its primary key"
        return None

    def _is_bound_back(self, key: PublicKey, binding: Signature) -> bool:
        """A signing subkey signs its primary key too, or anyone could take it as their own (RFC 9580, section 5.2.1.9)."""
        parts = (self._primary.hashed, key.hashed)
        return any(
            is_made_by(key, signature, parts)
            for signature in _read(binding.said.embedded[:4])
            if signature.type == types.PRIMARY_BINDING and signature.hash != _MD5
        )

    def _live_certifications(self, tag: int, body: bytes, signatures: list[bytes]) -> list[Signature]:
        prefix = b"\xb4" if tag == USER_ID else b"\xd1"
        parts = (self._primary.hashed, prefix + len(body).to_bytes(4, "big") + body)
        found = self._sound(signatures, types.CERTIFICATIONS, parts)
        revoked = max((one.created for one in self._sound(signatures, {types.CERTIFICATION_REVOCATION}, parts)), default=-1)
        return [one for one in found if one.created > revoked]

    def _bindings(self, subkey: Subkey) -> list[Signature]:
        return self._sound(subkey.signatures, {types.SUBKEY_BINDING}, (self._primary.hashed, subkey.key.hashed))

    def _subkey_revocations(self, subkey: Subkey) -> list[Signature]:
        return self._sound(subkey.signatures, {types.SUBKEY_REVOCATION}, (self._primary.hashed, subkey.key.hashed))

    def _sound(self, bodies: Sequence[bytes], wanted: Iterable[int], parts: Sequence[bytes]) -> list[Signature]:
        """The signatures of these types that the primary key made over these parts."""
        is_revocation = not {types.KEY_REVOCATION, types.SUBKEY_REVOCATION, types.CERTIFICATION_REVOCATION}.isdisjoint(wanted)
        found: list[Signature] = []
        for signature in _read(bodies):
            if signature.type not in wanted or not self._may_be_own(signature):
                continue
            if not is_revocation and (signature.hash == _MD5 or signature.problem):
                continue
            self._left -= 1
            if self._left < 0:
                self.is_over_limit = True
                return found
            if is_made_by(self._primary, signature, parts) or (is_revocation and self._is_beyond(signature)):
                found.append(signature)
        return found

    def _is_beyond(self, signature: Signature) -> bool:
        """Whether nobody can tell here if the key made it: a revocation that may be one is taken as one."""
        return signature.hash not in HASHES or self._primary.loaded is None

    def _may_be_own(self, signature: Signature) -> bool:
        return signature.issuer is None or signature.issuer in (self._primary.fingerprint, self._primary.key_id)

    def _has_foreign_revocation(self, bodies: Sequence[bytes]) -> bool:
        if not any(one.said.has_revoker for one in (*self._direct, *(each for user in self._users for each in user))):
            return False
        return any(one.type == types.KEY_REVOCATION and not self._may_be_own(one) for one in _read(bodies))


def is_made_by(key: PublicKey, signature: Signature, parts: Sequence[bytes]) -> bool:
    """Whether `key` made a signature over keys and user IDs."""
    if (signature.version == 6) != (key.version == 6):
        return False
    digest = digest_over(signature, parts)
    known = HASHES.get(signature.hash)
    if digest is None or known is None:
        return False
    return key.verifies(signature.algorithm, signature.value, digest, known.name)


def _read(bodies: Iterable[bytes]) -> Iterable[Signature]:
    """Those that can be read: what nobody can read binds nothing."""
    for body in bodies:
        try:
            yield read_signature(body)
        except FormatError:
            continue


def _current(signatures: Sequence[Signature], at: int) -> Signature | None:
    """The newest that has not run out at that instant, as GnuPG chooses: a key prolonged later was good before, too."""
    live = [one for one in signatures if not one.said.expires_after or at < one.created + one.said.expires_after]
    return max(live, key=lambda one: one.created, default=None)


def _why_revoked(revocations: Iterable[Signature], at: int) -> str | None:
    for one in revocations:
        if not one.said.is_soft_revocation:
            return "it is revoked, for a reason that reaches back to what it signed before"
        if one.created <= at:
            return "it was revoked before"
    return None


def _why_out_of_time(created: int, lifetime: int, at: int) -> str | None:
    if at < created:
        return "it was made after the signature"
    if lifetime and at >= created + lifetime:
        return "it had expired"
    return None
