"""What the signature of a packaged app is over: five digests, each behind a name of four letters, in place of one.

AXPC: the file up to the signature's local header. AXCD: the central directory and end records as they are without the signature. AXCT,
AXBM, AXCI: the unpacked content types, block map and code-integrity catalog, the last only where it is there.

The rule is not published; it was checked against packages that signtool made, and against osslsigncode and jsign.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.packages.zip_members import CHUNK_BYTES, Listing
from csv_gate.formats.zip_directory import Entry

SIGNATURE: Final = "AppxSignature.p7x"
BLOCK_MAP: Final = "AppxBlockMap.xml"
CONTENT_TYPES: Final = "[Content_Types].xml"
CODE_INTEGRITY: Final = "AppxMetadata/CodeIntegrity.cat"
DIGESTS: Final = frozenset({"sha256", "sha384", "sha512"})
"""Those that a block map can name; a signature must use the same."""
COVERED: Final[Mapping[bytes, str]] = MappingProxyType(
    {
        b"AXPC": "the files",
        b"AXCD": "the directory",
        b"AXCT": CONTENT_TYPES,
        b"AXBM": BLOCK_MAP,
        b"AXCI": CODE_INTEGRITY,
    }
)
"""What each digest is over."""
_MAGIC: Final = b"APPX"
_TAG_BYTES: Final = 4
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF


class AppContent:
    """A package as its signatures see it (`csv_gate.signatures.SignedContent`)."""

    def __init__(self, listing: Listing, signature: Entry) -> None:
        self._listing = listing
        self._signature = signature
        self._digests: dict[str, bytes | None] = {}
        self.trouble: ArtifactError | None = None
        """Why a digest could not be taken."""

    def digest(self, algorithm: str) -> bytes | None:
        """All digests as they stand in a signature; `None`: of a kind that no package is signed with, or see `trouble`."""
        if algorithm not in DIGESTS:
            return None
        if algorithm not in self._digests:
            try:
                self._digests[algorithm] = self._taken(algorithm)
            except ArtifactError as error:
                self.trouble = error
                self._digests[algorithm] = None
        return self._digests[algorithm]

    def page_hash_table(self, algorithm: str) -> bytes | None:
        """Packages have none."""
        del algorithm
        return None

    def _taken(self, algorithm: str) -> bytes:
        listing, signature = self._listing, self._signature
        parts = [_MAGIC]
        hasher = hashlib.new(algorithm)
        for at in range(0, signature.header_at, CHUNK_BYTES):
            hasher.update(listing.data[at : min(at + CHUNK_BYTES, signature.header_at)])
        parts += [b"AXPC", hasher.digest()]
        parts += [b"AXCD", hashlib.new(algorithm, unsigned_directory(listing, signature)).digest()]
        for tag, name in ((b"AXCT", CONTENT_TYPES), (b"AXBM", BLOCK_MAP), (b"AXCI", CODE_INTEGRITY)):
            found = listing.named(name)
            if not found and tag == b"AXCI":
                continue
            if len(found) != 1:
                raise FormatError(f"{name} does not stand in the package exactly once")
            hasher = hashlib.new(algorithm)
            for chunk in listing.chunks(found[0]):
                hasher.update(chunk)
            parts += [tag, hasher.digest()]
        return b"".join(parts)


def differing(signed: bytes, actual: bytes, algorithm: str) -> str:
    """Which of the digests differ, for people."""
    ours, theirs = _by_tag(actual, algorithm), _by_tag(signed, algorithm)
    if not theirs:
        return "the signature holds no digests of a package"
    told = [f"{what} ({tag.decode()})" for tag, what in COVERED.items() if ours.get(tag) != theirs.get(tag)]
    return f"not what was signed: {', '.join(told)}" if told else "the digests of the signature stand in another order"


def _by_tag(digests: bytes, algorithm: str) -> Mapping[bytes, bytes]:
    size = _TAG_BYTES + hashlib.new(algorithm).digest_size
    if digests[: len(_MAGIC)] != _MAGIC or (len(digests) - len(_MAGIC)) % size:
        return {}
    pieces = [digests[at : at + size] for at in range(len(_MAGIC), len(digests), size)]
    return {piece[:_TAG_BYTES]: piece[_TAG_BYTES:] for piece in pieces}


def unsigned_directory(listing: Listing, signature: Entry) -> bytes:
    """The central directory and all end records as they would be without the signature, which is the last member.

    Raises:
        FormatError: the end records are not one after the other to the end of the file, or do not fit the directory.
    """
    data, directory = listing.data, listing.directory
    records = b"".join(bytes(data[one.record_at : one.record_end]) for one in listing.entries if one is not signature)
    moved = directory.start - signature.header_at
    shorter = signature.record_end - signature.record_at
    at, ends = directory.end, b""
    if bytes(data[at : at + 4]) == b"PK\x06\x06" and at + _END64.size <= len(data):
        magic, length, made, needed, disk, start_disk, here, count, size, offset = _END64.unpack_from(data, at)
        locator_at = at + 12 + length
        if length < _END64.size - 12 or locator_at + _LOCATOR.size + _END.size > len(data):
            raise FormatError("the Zip64 end record has a wrong length")
        numbers = (here - 1, count - 1, size - shorter, offset - moved)
        if min(numbers) < 0:
            raise FormatError("the Zip64 end record does not fit the archive")
        ends += _END64.pack(magic, length, made, needed, disk, start_disk, *numbers)
        ends += bytes(data[at + _END64.size : locator_at])
        magic, disk, place, disks = _LOCATOR.unpack_from(data, locator_at)
        if magic != b"PK\x06\x07" or place < moved + shorter:
            raise FormatError("the locator of the Zip64 end record is not behind it")
        ends += _LOCATOR.pack(magic, disk, place - moved - shorter, disks)
        at = locator_at + _LOCATOR.size
    return records + ends + _short_end(bytes(data[at:]), moved, shorter)


def _short_end(record: bytes, moved: int, shorter: int) -> bytes:
    """Disk numbers are zeros in what is signed, even where the packaging tool wrote others; fields that are full stay so."""
    if len(record) < _END.size or record[:4] != b"PK\x05\x06":
        raise FormatError("the end record is not behind the directory")
    magic, _, _, here, count, size, offset, comment = _END.unpack_from(record)
    if len(record) != _END.size + comment:
        raise FormatError("bytes follow the end record")
    numbers = (
        here if here == _FULL16 else here - 1,
        count if count == _FULL16 else count - 1,
        size if size == _FULL32 else size - shorter,
        offset if offset == _FULL32 else offset - moved,
    )
    if min(numbers) < 0:
        raise FormatError("the end record does not fit the archive")
    return _END.pack(magic, 0, 0, *numbers, comment) + record[_END.size :]
