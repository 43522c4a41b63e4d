"""The numbers of OpenPGP's hash and public-key algorithms, and which of them this project counts (RFC 9580, section 9)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from csv_gate.records import dataclass

RSA: Final = 1
RSA_SIGN_ONLY: Final = 3
DSA: Final = 17
ECDSA: Final = 19
EDDSA_LEGACY: Final = 22
ED25519: Final = 27
ED448: Final = 28
RSA_KINDS: Final = frozenset({RSA, RSA_SIGN_ONLY})
NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        RSA: "rsa",
        2: "rsa",
        RSA_SIGN_ONLY: "rsa",
        16: "elgamal",
        DSA: "dsa",
        18: "ecdh",
        ECDSA: "ecdsa",
        EDDSA_LEGACY: "eddsa",
        25: "x25519",
        26: "x448",
        ED25519: "ed25519",
        ED448: "ed448",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """One hash algorithm."""

    name: str
    """As `hashlib` names it."""
    size: int
    salt_size: int = 0
    """Of a version 6 signature, octets (RFC 9580, table 23)."""
    is_strong: bool = True
    """At least as strong as SHA-256. The others are computed, to tell what was signed, and never make a signature valid."""


HASHES: Final[Mapping[int, Hash]] = MappingProxyType(
    {
        1: Hash(name="md5", size=16, is_strong=False),
        2: Hash(name="sha1", size=20, is_strong=False),
        8: Hash(name="sha256", size=32, salt_size=16),
        9: Hash(name="sha384", size=48, salt_size=24),
        10: Hash(name="sha512", size=64, salt_size=32),
        11: Hash(name="sha224", size=28, salt_size=16, is_strong=False),
        12: Hash(name="sha3_256", size=32, salt_size=16),
        14: Hash(name="sha3_512", size=64, salt_size=32),
    }
)
OTHER_HASH_NAMES: Final[Mapping[int, str]] = MappingProxyType({3: "ripemd160"})


def hash_name(number: int) -> str:
    """A name for people, or the number."""
    known = HASHES.get(number)
    return known.name if known is not None else OTHER_HASH_NAMES.get(number, f"hash {number}")


def key_name(number: int) -> str:
    """A name for people, or the number."""
    return NAMES.get(number, f"algorithm {number}")
