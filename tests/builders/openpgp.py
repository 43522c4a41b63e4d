"""OpenPGP keys and signatures made here, one keyword per property; the keys are made from fixed seeds (RFC 9580)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MADE: Final = 1_600_000_000
"""When keys are made, seconds since 1970."""
DAY: Final = 86_400
SIGNED: Final = MADE + 100 * DAY
HASHES: Final = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224", 12: "sha3_256"}
_OBJECTS: Final = {"sha1": hashes.SHA1(), "md5": hashes.MD5(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}
SALTS: Final = {8: 16, 9: 24, 10: 32}
P256: Final = bytes.fromhex("2a8648ce3d030107")
ED25519_OID: Final = bytes.fromhex("2b06010401da470f01")

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def packet(tag: int, body: bytes, *, is_old: bool = False) -> bytes:
    if is_old:
        return bytes([0x80 | tag << 2 | 2]) + len(body).to_bytes(4, "big") + body
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def mpi(number: int) -> bytes:
    return number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")


def armored(octets: bytes, kind: str = "SIGNATURE", *, checksum: bool = True, broken: bool = False) -> bytes:
    lines = [f"-----BEGIN PGP {kind}-----", "Comment: made by a test", ""]
    text = base64.b64encode(octets).decode()
    lines += [text[at : at + 64] for at in range(0, len(text), 64)]
    if checksum:
        crc = 0xB704CE
        for octet in octets:
            crc ^= octet << 16
            for _ in range(8):
                crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
        lines.append("=" + base64.b64encode((crc ^ broken).to_bytes(4, "big")[1:]).decode())
    return "\n".join([*lines, f"-----END PGP {kind}-----", ""]).encode()


@dataclass(frozen=True, kw_only=True)
class Key:
    private: Private
    algorithm: int
    version: int = 4
    created: int = MADE

    @property
    def body(self) -> bytes:
        material = self._material()
        sized = len(material).to_bytes(4, "big") if self.version == 6 else b""
        return bytes([self.version]) + self.created.to_bytes(4, "big") + bytes([self.algorithm]) + sized + material

    def _material(self) -> bytes:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            return mpi(numbers.n) + mpi(numbers.e)
        if isinstance(public, ec.EllipticCurvePublicKey):
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return bytes([len(P256)]) + P256 + mpi(int.from_bytes(point, "big"))
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        if self.algorithm == 22:
            return bytes([len(ED25519_OID)]) + ED25519_OID + mpi(int.from_bytes(b"\x40" + raw, "big"))
        return raw

    @property
    def hashed(self) -> bytes:
        size = 2 if self.version == 4 else 4
        return (b"\x99" if self.version == 4 else b"\x9b") + len(self.body).to_bytes(size, "big") + self.body

    @property
    def fingerprint(self) -> bytes:
        return hashlib.new("sha1" if self.version == 4 else "sha256", self.hashed).digest()

    @property
    def key_id(self) -> bytes:
        return self.fingerprint[-8:] if self.version == 4 else self.fingerprint[:8]

    def value(self, digest: bytes, name: str) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            raw = self.private.sign(digest)
            if self.algorithm == 27:
                return raw
            return mpi(int.from_bytes(raw[:32], "big")) + mpi(int.from_bytes(raw[32:], "big"))
        chosen = Prehashed(_OBJECTS[name])
        if isinstance(self.private, rsa.RSAPrivateKey):
            return mpi(int.from_bytes(self.private.sign(digest, padding.PKCS1v15(), chosen), "big"))
        r, s = decode_dss_signature(self.private.sign(digest, ec.ECDSA(chosen)))
        return mpi(r) + mpi(s)


@lru_cache(maxsize=8)
def ed(number: int = 0, *, version: int = 4, algorithm: int = 22, created: int = MADE) -> Key:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)
    return Key(private=private, algorithm=algorithm, version=version, created=created)


@lru_cache(maxsize=4)
def p256(number: int = 0) -> Key:
    return Key(private=ec.derive_private_key(number + 0x1234567, ec.SECP256R1()), algorithm=19)


@lru_cache(maxsize=2)
def rsa_key(bits: int = 2048) -> Key:
    return Key(private=rsa.generate_private_key(65537, bits), algorithm=1)


def subpacket(type: int, body: bytes, *, is_critical: bool = False) -> bytes:
    return bytes([len(body) + 1, type | (0x80 if is_critical else 0)]) + body


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


@dataclass(frozen=True, kw_only=True)
class Sign:
    """How to sign. The content is what stands between salt and trailer."""

    key: Key
    type: int = 0x00
    hash: int = 8
    created: int | None = SIGNED
    version: int = 4
    subpackets: bytes = b""
    """Further hashed ones."""
    unhashed: bytes = b""
    names_fingerprint: bool = True
    names_id: bool = True
    """In version 4, in the part that is not signed; GnuPG and rpm look for it there."""
    left16: bytes | None = None

    def body(self, content: bytes) -> bytes:
        name = HASHES[self.hash]
        if self.version == 3:
            trailer = bytes([self.type]) + number(self.created or 0)
            digest = hashlib.new(name, content + trailer).digest()
            head = bytes([3, 5]) + trailer + self.key.key_id + bytes([self.key.algorithm, self.hash])
            return head + (self.left16 or digest[:2]) + self.key.value(digest, name)
        size = 2 if self.version == 4 else 4
        hashed = b"" if self.created is None else subpacket(2, number(self.created))
        if self.names_fingerprint:
            hashed += subpacket(33, bytes([self.version]) + self.key.fingerprint)
        hashed += self.subpackets
        unhashed = self.unhashed + (subpacket(16, self.key.key_id) if self.names_id and self.version == 4 else b"")
        head = bytes([self.version, self.type, self.key.algorithm, self.hash]) + len(hashed).to_bytes(size, "big") + hashed
        salt = bytes(range(SALTS[self.hash])) if self.version == 6 else b""
        trailer = head + bytes([self.version, 0xFF]) + number(len(head))
        digest = hashlib.new(name, salt + content + trailer).digest()
        salted = bytes([len(salt)]) + salt if self.version == 6 else b""
        tail = len(unhashed).to_bytes(size, "big") + unhashed + (self.left16 or digest[:2]) + salted
        return head + tail + self.key.value(digest, name)

    def packet(self, content: bytes) -> bytes:
        return packet(2, self.body(content))


def detached(content: bytes, key: Key, **how: object) -> bytes:
    """A signature packet over content."""
    return replace(Sign(key=key, version=key.version), **how).packet(content)  # type: ignore[arg-type]


def user_hashed(user: str) -> bytes:
    return b"\xb4" + number(len(user.encode())) + user.encode()


def certificate(
    key: Key,
    *,
    user: str | None = "Someone <someone@example.invalid>",
    flags: int | None = 0x03,
    lives: int = 0,
    hash: int = 8,
    self_made: int | None = None,
    further: bytes = b"",
    direct: bytes = b"",
    behind_user: bytes = b"",
) -> bytes:
    """A transferable public key: the key, a user ID with its self-signature, and `further` packets (subkeys)."""
    said = b"" if flags is None else subpacket(27, bytes([flags]))
    said += subpacket(9, number(lives)) if lives else b""
    octets = packet(6, key.body) + direct
    how = Sign(key=key, version=key.version, hash=hash, created=self_made or key.created, subpackets=said)
    if user is not None:
        certification = replace(how, type=0x13).packet(key.hashed + user_hashed(user))
        octets += packet(13, user.encode()) + certification + behind_user
    return octets + further


def direct(key: Key, *, flags: int | None = None, lives: int = 0, further: bytes = b"", created: int = MADE) -> bytes:
    """A direct-key signature, as version 6 has them."""
    said = (b"" if flags is None else subpacket(27, bytes([flags]))) + (subpacket(9, number(lives)) if lives else b"") + further
    return Sign(key=key, version=key.version, type=0x1F, created=created, subpackets=said).packet(key.hashed)


def revocation(
    key: Key, *, reason: int | None = None, created: int = MADE + DAY, by: Key | None = None, hash: int = 8
) -> bytes:
    """Of a primary key. Reason 0 and 2 reach back, 1 and 3 do not."""
    said = b"" if reason is None else subpacket(29, bytes([reason]))
    maker = by or key
    return Sign(key=maker, version=key.version, type=0x20, created=created, subpackets=said, hash=hash).packet(key.hashed)


def subkey(
    primary: Key, key: Key, *, flags: int = 0x02, lives: int = 0, is_bound_back: bool = True, back: Key | None = None
) -> bytes:
    """A subkey with its binding, and in that the subkey's own signature over the primary key."""
    content = primary.hashed + key.hashed
    said = subpacket(27, bytes([flags])) + (subpacket(9, number(lives)) if lives else b"")
    unhashed = b""
    if is_bound_back:
        embedded = Sign(key=back or key, version=key.version, type=0x19, created=MADE).body(content)
        unhashed = b"\xff" + number(len(embedded) + 1) + bytes([32]) + embedded
    binding = Sign(key=primary, version=primary.version, type=0x18, created=MADE, subpackets=said, unhashed=unhashed)
    return packet(14, key.body) + binding.packet(content)


def clear_signed(text: str, key: Key, *, before: str = "", behind: str = "", checksum: bool = True, type: int = 0x01) -> bytes:
    """The text escaped, with its signature below."""
    lines = text.split("\n")
    hashed = "\r\n".join(line.rstrip(" \t\r") for line in lines).encode()
    shown = "\n".join("- " + line if line.startswith("-") else line for line in lines)
    below = armored(detached(hashed, key, type=type), checksum=checksum).decode()
    return f"{before}-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{shown}\n{below}{behind}".encode()
