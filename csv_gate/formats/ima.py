"""Signatures for Linux' integrity measurement (IMA) in a file: the octets of the extended attribute `security.ima`.

Layout (kernel, `struct signature_v2_hdr` of security/integrity/integrity.h, numbers of include/uapi/linux/hash_info.h): type 0x03
(EVM_IMA_XATTR_DIGSIG), version 2, hash algorithm, four octets of the key's identifier, length of the signature as 16 bits, the signature.
Nothing is verified: the key is in the keyring of the target.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.model.facts import KeyFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode

_HEADER: Final = struct.Struct(">BBB4sH")
_PREFIX: Final = b"\x03\x02"
_MAX_HASH: Final = 32
_HASHES: Final = {
    1: "md5",
    2: "sha1",
    4: "sha256",
    5: "sha384",
    6: "sha512",
    7: "sha224",
    17: "sm3",
    18: "streebog256",
    19: "streebog512",
    20: "sha3-256",
    21: "sha3-384",
    22: "sha3-512",
}
"""Numbers of the kernel's `enum hash_algo`."""


def is_ima(octets: bytes) -> bool:
    """Whether octets begin as such a signature does."""
    return octets[:2] == _PREFIX and len(octets) >= _HEADER.size and octets[2] < _MAX_HASH


def read_ima(octets: bytes, *, place: str) -> SignatureFacts:
    """What a signature says of itself; `octets` begin as `is_ima` asks. Never valid, since its key cannot be given."""
    _, _, hash, key_id, size = _HEADER.unpack_from(octets)
    detail = f"key not given: {key_id.hex()} is in the keyring of the target"
    problems = [Problem(code=ProblemCode.DETACHED_KEY_MISSING, detail=detail)]
    if len(octets) != _HEADER.size + size:
        detail = f"{len(octets) - _HEADER.size} bytes of signature where the header says {size}"
        problems.append(Problem(code=ProblemCode.DETACHED_UNREADABLE, detail=detail))
    name = _HASHES.get(hash)
    if name in ("md5", "sha1"):
        problems.append(Problem(code=ProblemCode.WEAK_DIGEST, detail=f"signed with {name}"))
    return SignatureFacts(
        source=SignatureSource.DETACHED,
        place=place,
        digest_algorithm=name or f"hash {hash}",
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=tuple(problems),
        scheme=SignatureScheme.IMA,
        key=KeyFacts(key_id=key_id.hex(), is_given=False),
    )
