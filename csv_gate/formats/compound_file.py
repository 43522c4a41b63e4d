"""Compound files (OLE structured storage), read-only and bounded: directory, streams as ranges of the file, and what no stream holds.

Every sector may belong to one chain only, and every directory entry to one place of the tree; a file that says otherwise is refused, so
that no loop is ever followed. Nothing is copied: a stream is a list of (offset, length) in the file.

Source: [MS-CFB] Compound File Binary File Format.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.records import dataclass

MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")
STORAGE, STREAM, ROOT = 1, 2, 5
_END: Final = 0xFFFF_FFFE
_LAST_REGULAR: Final = 0xFFFF_FFFA
_NO_ENTRY: Final = 0xFFFF_FFFF
_ENTRY_BYTES: Final = 128
_HEADER_LINKS: Final = 109
"""Sectors of the allocation table that the header itself lists."""

Runs = list[tuple[int, int]]
"""(offset in the file, length), in the order of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One storage or stream. Names are attacker-controlled."""

    name: bytes
    """UTF-16LE without terminator."""
    kind: int
    class_id: bytes
    state: bytes
    created: bytes
    modified: bytes
    start: int
    size: int
    left: int
    right: int
    child: int

    @property
    def text(self) -> str:
        return self.name.decode("utf-16-le", "replace")


class CompoundFile:
    """An opened compound file.

    Raises (when made and by every method):
        FormatError: the file contradicts itself.
        LimitError: more sectors or entries than `limits` permits.
    """

    def __init__(self, view: memoryview, limits: Limits) -> None:
        if len(view) < 512 or bytes(view[:8]) != MAGIC:
            raise FormatError("this is no compound file")
        self.view = view
        self._limits = limits
        version, order, shift, mini_shift = struct.unpack_from("<HHHH", view, 26)
        if order != 0xFFFE or (version, shift) not in ((3, 9), (4, 12)) or mini_shift != 6:
            raise FormatError("the header of the compound file is not one of version 3 or 4")
        self.version = version
        self.sector_size: int = 1 << shift
        self._mini_cutoff: int = struct.unpack_from("<I", view, 56)[0]
        if self._mini_cutoff != 4096:
            raise FormatError("the compound file has another limit for small streams than 4096", got=str(self._mini_cutoff))
        self.sectors = max(0, -(-len(view) // self.sector_size) - 1)
        """Sectors of the file behind the header, the last one perhaps cut short."""
        if self.sectors > limits.max_compound_sectors:
            raise LimitError("the compound file has too many sectors", expected="limits.max_compound_sectors")
        self._used = bytearray(self.sectors)
        self._table = self._read_table()
        self.entries = self._read_directory()
        root = self.entries[0]
        self._mini_runs = self._sectors_of(root.start, root.size) if root.size else []
        self._mini_used = bytearray(len(self._mini_runs) * (self.sector_size >> 6))
        first, count = struct.unpack_from("<II", view, 60)
        self._mini_table = self._numbers(self._chain(first, count)) if count else array("I")

    # --- tables ---

    def _claim(self, sector: int) -> int:
        if sector >= self.sectors:
            raise FormatError("a sector outside of the compound file", got=str(sector))
        if self._used[sector]:
            raise FormatError("a sector of the compound file is used twice", got=str(sector))
        self._used[sector] = 1
        return sector

    def _numbers(self, sectors: list[int]) -> array[int]:
        table = array("I")
        for sector in sectors:
            at = (sector + 1) * self.sector_size
            table.frombytes(
                self.view[at : at + self.sector_size][: self.sector_size & ~3].tobytes().ljust(self.sector_size, b"\xff")
            )
        if sys.byteorder == "big":
            table.byteswap()
        return table

    def _read_table(self) -> array[int]:
        count: int = struct.unpack_from("<I", self.view, 44)[0]
        following, more = struct.unpack_from("<II", self.view, 68)
        if count > self.sectors or more > self.sectors:
            raise FormatError("the allocation table is larger than the compound file")
        listed = list(struct.unpack_from(f"<{_HEADER_LINKS}I", self.view, 76))
        for _ in range(more):
            block = self._numbers([self._claim(following)])
            listed.extend(block[:-1])
            following = block[-1]
        links = listed[:count]
        if len(links) < count:
            raise FormatError("the allocation table is not listed whole")
        return self._numbers([self._claim(sector) for sector in links])

    def _chain(self, start: int, most: int) -> list[int]:
        """The sectors of a chain, each claimed. `most`: how many it may have."""
        found: list[int] = []
        while start != _END:
            if len(found) >= most:
                raise FormatError("a chain of sectors is longer than its stream")
            found.append(self._claim(start))
            if start >= len(self._table):
                raise FormatError("a chain of sectors leaves the allocation table", got=str(start))
            start = self._table[start]
            if start > _LAST_REGULAR and start != _END:
                raise FormatError("a chain of sectors ends in nothing")
        return found

    def _sectors_of(self, start: int, size: int) -> list[int]:
        wanted = -(-size // self.sector_size)
        sectors = self._chain(start, min(wanted, self.sectors))
        if len(sectors) != wanted:
            raise FormatError("a stream has fewer sectors than its size asks for")
        return sectors

    # --- directory ---

    def _read_directory(self) -> list[Entry]:
        first: int = struct.unpack_from("<I", self.view, 48)[0]
        most = self._limits.max_compound_entries * _ENTRY_BYTES // self.sector_size
        entries: list[Entry] = []
        for sector in self._chain(first, min(most, self.sectors)):
            at = (sector + 1) * self.sector_size
            for offset in range(at, min(at + self.sector_size, len(self.view) - _ENTRY_BYTES + 1), _ENTRY_BYTES):
                entries.append(self._entry(offset))
        if not entries or entries[0].kind != ROOT:
            raise FormatError("the compound file has no root")
        return entries

    def _entry(self, at: int) -> Entry:
        raw = self.view[at : at + _ENTRY_BYTES].tobytes()
        size_of_name, kind = struct.unpack_from("<HB", raw, 64)
        left, right, child = struct.unpack_from("<III", raw, 68)
        start, low, high = struct.unpack_from("<III", raw, 116)
        if size_of_name > 64:
            raise FormatError("a name in the compound file is too long", got=str(size_of_name))
        return Entry(
            name=raw[: max(size_of_name - 2, 0)],
            kind=kind,
            class_id=raw[80:96],
            state=raw[96:100],
            created=raw[100:108],
            modified=raw[108:116],
            start=start,
            size=low | (high << 32 if self.version == 4 else 0),
            left=left,
            right=right,
            child=child,
        )

    def children(self) -> dict[int, list[int]]:
        """Storage -> its members, in no particular order, for the whole tree below the root (entry 0)."""
        tree: dict[int, list[int]] = {0: []}
        seen = {0}
        waiting = [(0, self.entries[0].child)]
        while waiting:
            storage, number = waiting.pop()
            if number == _NO_ENTRY:
                continue
            if number >= len(self.entries) or number in seen:
                raise FormatError("the directory of the compound file is no tree", got=str(number))
            seen.add(number)
            entry = self.entries[number]
            if entry.kind not in (STORAGE, STREAM):
                raise FormatError("an entry of the compound file is neither storage nor stream", got=str(entry.kind))
            tree[storage].append(number)
            waiting += [(storage, entry.left), (storage, entry.right)]
            if entry.kind == STORAGE:
                tree[number] = []
                waiting.append((number, entry.child))
        return tree

    # --- streams ---

    def runs(self, entry: Entry) -> Runs:
        """Where a stream stands in the file. Each stream may be asked for once: its sectors are then taken."""
        if entry.size == 0:
            return []
        if entry.size < self._mini_cutoff:
            return self._mini_stream(entry)
        spans = ((sector + 1) * self.sector_size for sector in self._sectors_of(entry.start, entry.size))
        return self._cut(spans, self.sector_size, entry.size)

    def _mini_stream(self, entry: Entry) -> Runs:
        wanted = -(-entry.size // 64)
        per_sector = self.sector_size >> 6
        offsets: list[int] = []
        at = entry.start
        while at != _END:
            if len(offsets) >= wanted or at >= len(self._mini_used) or at >= len(self._mini_table) or self._mini_used[at]:
                raise FormatError("a chain of small sectors is broken", got=str(at))
            self._mini_used[at] = 1
            offsets.append((self._mini_runs[at // per_sector] + 1) * self.sector_size + at % per_sector * 64)
            at = self._mini_table[at]
        if len(offsets) != wanted:
            raise FormatError("a small stream has fewer sectors than its size asks for")
        return self._cut(iter(offsets), 64, entry.size)

    def _cut(self, offsets: Iterator[int], unit: int, size: int) -> Runs:
        """Neighbours are joined; the last unit is cut to size."""
        found: Runs = []
        left = size
        for offset in offsets:
            length = min(unit, left)
            left -= length
            if offset + length > len(self.view):
                raise FormatError("a stream ends past the end of the compound file")
            if found and sum(found[-1]) == offset:
                found[-1] = (found[-1][0], found[-1][1] + length)
            else:
                found.append((offset, length))
        return found

    def read(self, runs: Runs, most: int) -> bytes:
        """The octets of a small stream.

        Raises:
            LimitError: it has more than `most` bytes.
        """
        if sum(length for _, length in runs) > most:
            raise LimitError("a stream of the compound file is too large", expected=f"at most {most} bytes")
        return b"".join(self.view[at : at + length].tobytes() for at, length in runs)

    # --- what nothing points at ---

    def appended_at(self) -> int:
        """The end of the last sector that something uses, once every stream has been asked for."""
        last: int = self._used.rfind(1)
        return min(len(self.view), (last + 2) * self.sector_size)

    def unreachable(self) -> list[int]:
        """Offsets of sectors before that end, and of the header's padding, which hold something and belong to nothing."""
        found: list[int] = [512] if any(self.view[512 : self.sector_size]) else []
        end = self._used.rfind(1)
        at = self._used.find(0)
        empty = bytes(self.sector_size)
        while 0 <= at < end:
            offset = (at + 1) * self.sector_size
            if self.view[offset : offset + self.sector_size] != empty:
                found.append(offset)
            at = self._used.find(0, at + 1)
        return found
