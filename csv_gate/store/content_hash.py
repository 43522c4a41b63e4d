"""The hash by which bytes are found again: SHA-256, or BLAKE3 where the extra `fast` is installed.

Either one keeps the facts of a file from being another's: nobody can make two files with one digest, at a security level of 128 bits
(FIPS 180-4; "BLAKE3: one function, fast everywhere", section 5.2). BLAKE3 reads some three times faster on processors with AVX2, and a run
whose facts are all kept does little but this. Its digest is a name in the store and nothing else: what a result says of a file, its
SHA-256 among it, are facts, taken when the file was read for the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from mmap import mmap
from typing import TYPE_CHECKING, Protocol

from csv_gate.records import dataclass

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class Hasher(Protocol):
    """As the classes of `hashlib`."""

    def update(self, data: Buffer, /) -> object: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ContentHash:
    name: str
    new: Callable[[], Hasher]

    def digest(self, content: bytes | mmap) -> bytes:
        hasher = self.new()
        hasher.update(content)
        return hasher.digest()

    @property
    def is_sha256(self) -> bool:
        """Whether its digest is a fact of the file, too."""
        return self.name == "sha256"


def content_hash() -> ContentHash:
    """The fastest there is."""
    try:
        from blake3 import blake3
    except ImportError:
        return SHA256
    return ContentHash("blake3", blake3)


SHA256 = ContentHash("sha256", hashlib.sha256)
