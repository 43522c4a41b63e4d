"""Folders of a cabinet: data blocks to what they hold. MSZIP, LZX, and blocks that are stored as they are; not Quantum.

Sources: [MS-CAB], section 2.4 (CFDATA) and its checksum; [MS-MCI] for MSZIP, whose blocks go on with the last 32 KiB of what was unpacked.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from csv_gate.containers.budget import Budget
from csv_gate.containers.lzx import Lzx
from csv_gate.containers.member import View
from csv_gate.errors import ArtifactError, FormatError
from csv_gate.records import dataclass

BLOCK_BYTES: Final = 32768
_BLOCK: Final = struct.Struct("<IHH")
_METHODS: Final = ("stored", "MSZIP", "Quantum", "LZX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where the blocks of a folder are, and how they are packed."""

    start: int
    blocks: int
    method: int
    reserve: int
    """Octets behind the header of each block."""
    end: int
    """Of the cabinet."""


class Unpacking(Protocol):
    """Unpacks the blocks of one folder, one after the other.

    Raises FormatError for damaged data.
    """

    def frame(self, packed: bytes, size: int) -> bytes: ...


class Stored:
    """Blocks as they are."""

    def frame(self, packed: bytes, size: int) -> bytes:
        return packed[: size + 1]  # one more than there should be is told by who compares


class Mszip:
    """Each block is `CK` and a deflate stream (RFC 1951) of its own, over what was unpacked last."""

    def __init__(self) -> None:
        self._last = b""

    def frame(self, packed: bytes, size: int) -> bytes:
        if packed[:2] != b"CK":
            raise FormatError("a block of the cabinet does not begin as MSZIP does")
        try:
            unpacking = zlib.decompressobj(-15, zdict=self._last) if self._last else zlib.decompressobj(-15)
            made = unpacking.decompress(packed[2:], size + 1)
        except zlib.error as error:
            raise FormatError(f"a block of the cabinet is damaged: {error}") from error
        self._last = (self._last + made)[-BLOCK_BYTES:]
        return made


class FolderContent:
    """All that a folder holds, block by block, accounted for. What went wrong once goes wrong each time that more is asked for."""

    def __init__(self, data: View, folder: Folder, budget: Budget) -> None:
        self._blocks = _blocks(data, folder, budget)
        self._error: ArtifactError | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._error is not None:
            raise self._error
        try:
            return next(self._blocks)
        except ArtifactError as error:
            self._error = error
            raise


def _blocks(data: View, folder: Folder, budget: Budget) -> Iterator[bytes]:
    unpacking = _unpacking(folder.method)
    at, packed_bytes, given = folder.start, 0, 0
    for _ in range(folder.blocks):
        begins = at + _BLOCK.size + folder.reserve
        if begins > folder.end:
            raise FormatError("the cabinet ends before its data do")
        checksum, packed, size = _BLOCK.unpack_from(data, at)
        if begins + packed > folder.end:
            raise FormatError("the cabinet ends before its data do")
        if not 0 < size <= BLOCK_BYTES:  # zero: the block goes on in the next volume
            raise FormatError("a block of the cabinet unpacks to a size that no whole block has", got=f"{size} bytes")
        if checksum and checksum != checksum_of(data[at + 4 : at + 8], checksum_of(data[begins : begins + packed])):
            raise FormatError("a block of the cabinet is damaged: its checksum is wrong", got=f"offset {at:#x}")
        made = unpacking.frame(bytes(data[begins : begins + packed]), size)
        if len(made) != size:
            raise FormatError("a block of the cabinet unpacks to another size than it says")
        at = begins + packed
        packed_bytes, given = packed_bytes + packed, given + size
        budget.check_ratio(given, packed_bytes)
        budget.spend(size)
        yield made


def _unpacking(method: int) -> Unpacking:
    """Raises FormatError for a method that is not read."""
    match method & 0xF:
        case 0:
            return Stored()
        case 1:
            return Mszip()
        case 3:
            return Lzx(method >> 8 & 0x1F)
        case kind:
            name = _METHODS[kind] if kind < len(_METHODS) else f"method {kind}"
            raise FormatError(f"the cabinet is packed by {name}, which is not read")


def checksum_of(data: View, seed: int = 0) -> int:
    """The exclusive or of all 32-bit little-endian words; one to three octets that are left are a number with the first one highest."""
    whole = len(data) // 4 * 4
    rest = int.from_bytes(data[whole:], "big")
    value = int.from_bytes(data[:whole], "little")
    words = whole // 4
    while words > 1:
        half = (words + 1) // 2
        value = value >> 32 * half ^ value & (1 << 32 * half) - 1
        words = half
    return value ^ rest ^ seed
