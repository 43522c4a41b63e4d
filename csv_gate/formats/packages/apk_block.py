"""The signing block of an APK: what stands in it, and the digest over the rest of the file.

Source: Android Open Source Project, "APK Signature Scheme v2" and "APK Signature Scheme v3". The block stands between the entries and the
central directory. The file without it is digested in pieces of 1 MiB: the entries, the directory, and the end record as if the directory
began where the block does.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Final

from csv_gate.errors import FormatError
from csv_gate.formats.zip_directory import Directory
from csv_gate.records import dataclass

MAGIC: Final = b"APK Sig Block 42"
V2: Final = 0x7109871A
V3: Final = 0xF05368C0
V31: Final = 0x1B93AD61
CHUNK_BYTES: Final = 1024 * 1024
MAX_BLOCK_BYTES: Final = 16 * 1024 * 1024
MAX_PAIRS: Final = 256
_DIRECTORY_OFFSET_AT: Final = 16
"""Of the directory's offset within the end record (APPNOTE 4.3.16)."""


@dataclass(frozen=True, slots=True)
class SigningBlock:
    """The block of a file."""

    start: int
    pairs: tuple[tuple[int, bytes], ...]
    """Id and value, in order."""

    def value(self, id: int) -> bytes | None:
        """The value of an id; the first where it stands twice, as Android reads it."""
        return next((value for one, value in self.pairs if one == id), None)


def find_block(data: memoryview, directory: Directory) -> SigningBlock | None:
    """The block before the central directory; `None`: there is none.

    Raises:
        FormatError: it does not add up.
    """
    end = directory.start
    if end < 32 or bytes(data[end - 16 : end]) != MAGIC:
        return None
    (size,) = struct.unpack_from("<Q", data, end - 24)
    start = end - size - 8
    if not 24 <= size <= MAX_BLOCK_BYTES or start < 0 or struct.unpack_from("<Q", data, start) != (size,):
        raise FormatError("the signing block has two sizes, or none that can be")
    pairs: list[tuple[int, bytes]] = []
    at, stop = start + 8, end - 24
    while at < stop:
        if stop - at < 12 or len(pairs) >= MAX_PAIRS:
            raise FormatError("the signing block is damaged")
        length, id = struct.unpack_from("<QI", data, at)
        if not 4 <= length <= stop - at - 8:
            raise FormatError("an entry of the signing block runs over its end")
        pairs.append((id, bytes(data[at + 12 : at + 8 + length])))
        at += 8 + length
    return SigningBlock(start, tuple(pairs))


def content_digest(data: memoryview, block: SigningBlock, directory: Directory, algorithm: str) -> bytes:
    """The digest over everything but the block.

    Raises:
        FormatError: the file does not end with the end record right behind the directory.
    """
    end = bytearray(data[directory.end :])
    if directory.prefix or end[:4] != b"PK\x05\x06":
        raise FormatError(
            "the archive is not laid out as Android asks: nothing before it, the end record right behind the directory"
        )
    end[_DIRECTORY_OFFSET_AT : _DIRECTORY_OFFSET_AT + 4] = block.start.to_bytes(4, "little")
    count, digests = 0, bytearray()
    for section in (data[: block.start], data[directory.start : directory.end], memoryview(end)):
        for at in range(0, len(section), CHUNK_BYTES):
            chunk = section[at : at + CHUNK_BYTES]
            hasher = hashlib.new(algorithm, b"\xa5" + len(chunk).to_bytes(4, "little"))
            hasher.update(chunk)
            digests += hasher.digest()
            count += 1
    return hashlib.new(algorithm, b"\x5a" + count.to_bytes(4, "little") + digests).digest()


class Fields:
    """Octets read one after the other, each preceded by its length in four bytes, little-endian."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._octets)

    def number(self) -> int:
        return int.from_bytes(self._take(4), "little")

    def octets(self) -> bytes:
        return self._take(self.number())

    def rest(self) -> bytes:
        return self._take(len(self._octets) - self._at)

    def each(self, most: int) -> Iterator[bytes]:
        """A sequence: its length, then elements with theirs."""
        inner = Fields(self.octets())
        count = 0
        while not inner.is_done:
            count += 1
            if count > most:
                raise FormatError("the signing block has too many elements")
            yield inner.octets()

    def _take(self, size: int) -> bytes:
        if size > len(self._octets) - self._at:
            raise FormatError("the signing block ends too early")
        self._at += size
        return self._octets[self._at - size : self._at]
