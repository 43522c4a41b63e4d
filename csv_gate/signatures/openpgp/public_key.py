"""Public-key packets and what is verified with them (RFC 9580, sections 5.5.2, 5.5.4, 5.5.5 and 5.2.2).

Keys of version 4 and 6. A key of an algorithm or with parameters that this module does not know verifies nothing and says why.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from csv_gate.errors import FormatError
from csv_gate.records import dataclass
from csv_gate.signatures.openpgp import algorithms
from csv_gate.signatures.openpgp.packets import Fields

_PREHASHED: Final[dict[str, hashes.HashAlgorithm]] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_512": hashes.SHA3_512(),
}
_CURVES: Final[dict[bytes, type[ec.EllipticCurve]]] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("2b81040022"): ec.SECP384R1,
    bytes.fromhex("2b81040023"): ec.SECP521R1,
    bytes.fromhex("2b2403030208010107"): ec.BrainpoolP256R1,
    bytes.fromhex("2b240303020801010b"): ec.BrainpoolP384R1,
    bytes.fromhex("2b240303020801010d"): ec.BrainpoolP512R1,
}
"""DER contents of the curve's object identifier -> curve (RFC 9580, section 9.2)."""
_ED25519_LEGACY: Final = bytes.fromhex("2b06010401da470f01")
WEAK_BITS: Final = 2048
"""RSA and DSA keys below count as weak."""

Loaded = rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """One primary key or subkey."""

    version: int
    created: int
    """Seconds since 1970."""
    algorithm: int
    body: bytes
    """Of its packet: what signatures over the key hash."""
    fingerprint: bytes
    key_id: bytes
    bits: int | None
    loaded: Loaded | None
    """`None`: nothing is verified with such a key."""

    @property
    def hashed(self) -> bytes:
        """The key as a signature over it sees it (RFC 9580, section 5.2.4)."""
        return _hashed(self.version, self.body)

    @property
    def is_weak(self) -> bool:
        return isinstance(self.loaded, rsa.RSAPublicKey | dsa.DSAPublicKey) and (self.bits or 0) < WEAK_BITS

    def verifies(self, algorithm: int, value: bytes, digest: bytes, hash_name: str) -> bool:
        """Whether `value`, the algorithm-specific part of a signature packet, was made by this key over `digest`. Never raises."""
        if _family(algorithm) != _family(self.algorithm):
            return False
        try:
            self._verify(value, digest, Prehashed(_PREHASHED[hash_name]))
        except (FormatError, InvalidSignature, UnsupportedAlgorithm, ValueError, OverflowError):
            return False
        return True

    def _verify(self, value: bytes, digest: bytes, prehashed: Prehashed) -> None:
        fields = Fields(value)
        match self.loaded:
            case rsa.RSAPublicKey() as key:
                number = fields.mpi()
                fields.end()
                key.verify(number.to_bytes((key.key_size + 7) // 8, "big"), digest, padding.PKCS1v15(), prehashed)
            case dsa.DSAPublicKey() as key:
                dss = encode_dss_signature(fields.mpi(), fields.mpi())
                fields.end()
                key.verify(dss, digest, prehashed)
            case ec.EllipticCurvePublicKey() as key:
                dss = encode_dss_signature(fields.mpi(), fields.mpi())
                fields.end()
                key.verify(dss, digest, ec.ECDSA(prehashed))
            case ed25519.Ed25519PublicKey() as key:
                key.verify(_ed25519_value(fields, self.algorithm), digest)
            case ed448.Ed448PublicKey() as key:
                octets = fields.take(114)
                fields.end()
                key.verify(octets, digest)
            case None:
                raise FormatError("a key of an unknown algorithm")


def _ed25519_value(fields: Fields, algorithm: int) -> bytes:
    if algorithm == algorithms.EDDSA_LEGACY:
        octets = fields.mpi().to_bytes(32, "big") + fields.mpi().to_bytes(32, "big")
    else:
        octets = fields.take(64)
    fields.end()
    return octets


def _family(algorithm: int) -> int:
    return algorithms.RSA if algorithm in algorithms.RSA_KINDS else algorithm


def _hashed(version: int, body: bytes) -> bytes:
    if version == 4:
        return b"\x99" + len(body).to_bytes(2, "big") + body
    return b"\x9b" + len(body).to_bytes(4, "big") + body


def read_public_key(body: bytes) -> PublicKey | None:
    """A key of version 4 or 6; `None`: of another version (3 has a fingerprint by MD5, 5 was never standardised).

    Raises:
        FormatError: the packet breaks its format.
    """
    fields = Fields(body)
    version = fields.number(1)
    if version not in (4, 6):
        return None
    created, algorithm = fields.number(4), fields.number(1)
    if version == 6:
        if fields.number(4) != fields.rest:
            raise FormatError("a key packet of version 6 states another size than it has")
    elif len(body) > 0xFFFF:
        raise FormatError("a key packet of version 4 is too large", got=f"{len(body)} bytes")
    loaded, bits = _material(algorithm, fields)
    hashed = _hashed(version, body)
    if version == 4:
        fingerprint = hashlib.sha1(hashed, usedforsecurity=False).digest()
        key_id = fingerprint[-8:]
    else:
        fingerprint = hashlib.sha256(hashed).digest()
        key_id = fingerprint[:8]
    return PublicKey(
        version=version,
        created=created,
        algorithm=algorithm,
        body=body,
        fingerprint=fingerprint,
        key_id=key_id,
        bits=bits,
        loaded=loaded,
    )


def _material(algorithm: int, fields: Fields) -> tuple[Loaded | None, int | None]:
    """The key itself and its size. Raises FormatError where fields are missing or too many."""
    try:
        match algorithm:
            case algorithms.RSA | algorithms.RSA_SIGN_ONLY:
                modulus, exponent = fields.mpi(), fields.mpi()
                fields.end()
                return rsa.RSAPublicNumbers(exponent, modulus).public_key(), modulus.bit_length()
            case algorithms.DSA:
                p, q, g, y = (fields.mpi() for _ in range(4))
                fields.end()
                return dsa.DSAPublicNumbers(y, dsa.DSAParameterNumbers(p, q, g)).public_key(), p.bit_length()
            case algorithms.ECDSA:
                return _curve_key(fields)
            case algorithms.EDDSA_LEGACY:
                return _legacy_ed25519(fields)
            case algorithms.ED25519:
                octets = fields.take(32)
                fields.end()
                return ed25519.Ed25519PublicKey.from_public_bytes(octets), 256
            case algorithms.ED448:
                octets = fields.take(57)
                fields.end()
                return ed448.Ed448PublicKey.from_public_bytes(octets), 448
            case _:
                return None, None
    except (UnsupportedAlgorithm, ValueError):
        return None, None


def _curve_key(fields: Fields) -> tuple[Loaded | None, int | None]:
    curve = _CURVES.get(fields.take(fields.number(1)))
    point = fields.mpi()
    fields.end()
    if curve is None:
        return None, None
    octets = point.to_bytes((point.bit_length() + 7) // 8, "big")
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve(), octets)
    return key, key.key_size


def _legacy_ed25519(fields: Fields) -> tuple[Loaded | None, int | None]:
    oid = fields.take(fields.number(1))
    point = fields.mpi()
    fields.end()
    octets = point.to_bytes((point.bit_length() + 7) // 8, "big")
    if oid != _ED25519_LEGACY or len(octets) != 33 or octets[0] != 0x40:
        return None, None
    return ed25519.Ed25519PublicKey.from_public_bytes(octets[1:]), 256
