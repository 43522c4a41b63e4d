"""The records of a ZIP file (APPNOTE.TXT 6.3.10): where the central directory is, what it lists, and whether that holds together.

Readers differ in which record they trust: the end record or its Zip64 form, the number of entries or the directory's size, the central
or the local header. Here the directory is read to its end whatever the number says, and each contradiction is a problem.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_MAX_COMMENT = 0xFFFF
_SATURATED16, _SATURATED32 = 0xFFFF, 0xFFFF_FFFF
_UTF8_NAMES = 0x800
SIZES_FOLLOW = 0x8
"""General purpose bit 3: sizes and CRC stand in a descriptor behind the data, the local header may have zeros."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the central directory, with the place of its local header corrected for a prefix."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header_at: int
    record_at: int
    """Where its record in the directory begins."""
    record_end: int

    @property
    def name(self) -> str:
        """APPNOTE 4.4.4 bit 11 and appendix D. Without the bit much software writes UTF-8 all the same."""
        try:
            text = self.raw_name.decode("utf-8")
        except UnicodeDecodeError:
            text = (
                self.raw_name.decode("utf-8", "surrogateescape") if self.flags & _UTF8_NAMES else self.raw_name.decode("cp437")
            )
        return text.replace("\\", "/")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory is."""

    start: int
    end: int
    count: int
    """As the end record has it."""
    prefix: int
    """Bytes before the archive."""
    problems: tuple[Problem, ...]


def find_directory(data: memoryview) -> Directory:
    """Raises FormatError where there is no directory, or it is spread over several files."""
    problems: list[Problem] = []
    end_at, trailing = _find_end(data)
    if trailing:
        problems.append(
            Problem(
                code=ProblemCode.CONTAINER_TRAILING_DATA,
                detail=f"{trailing} bytes follow the end record",
                offset=len(data) - trailing,
            )
        )
    _, disk, start_disk, here, count, size, offset, _ = _END.unpack_from(data, end_at)
    directory_end = end_at
    if (found := _end64(data, end_at)) is not None:
        directory_end, disk, start_disk, here, count, size, offset, contradicts = _joined(
            found, (disk, start_disk, here, count, size, offset)
        )
        if contradicts:
            problems.append(_inconsistent("the end record and its Zip64 form contradict each other", end_at))
    if disk or start_disk or here != count:
        raise FormatError("the archive is spread over several files")
    start = directory_end - size
    if start < 0 or offset > start:
        raise FormatError("the central directory lies outside of the file", got=f"{size} bytes at offset {offset}")
    prefix = start - offset
    if prefix:
        problems.append(Problem(code=ProblemCode.CONTAINER_PREFIX, detail=f"{prefix} bytes stand before the archive", offset=0))
    return Directory(start, directory_end, count, prefix, tuple(problems))


def _find_end(data: memoryview) -> tuple[int, int]:
    """Offset of the end record, and how many bytes follow it and its comment. The one that fits the end of the file counts.

    Raises:
        FormatError: there is none, or there are two: a comment that holds a second archive's, of which readers take either.
    """
    tail_at = max(0, len(data) - _END.size - _MAX_COMMENT)
    tail = bytes(data[tail_at:])
    fit: int | None = None
    loose: tuple[int, int] | None = None
    limit = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, limit)) >= 0:
        if at + _END.size <= len(tail):
            trailing = len(tail) - at - _END.size - int.from_bytes(tail[at + 20 : at + 22], "little")
            if trailing == 0 and fit is not None:
                raise FormatError("two end records fit the end of the archive")
            if trailing == 0:
                fit = tail_at + at
            if trailing > 0 and loose is None:
                loose = tail_at + at, trailing
        limit = at + 3
    if fit is not None:
        return fit, 0
    if loose is None:
        raise FormatError("the archive has no end record: it is cut short or damaged")
    return loose


def _end64(data: memoryview, end_at: int) -> tuple[int, tuple[int, ...]] | None:
    """Offset and fields of the Zip64 end record, found just before its locator."""
    at = end_at - _END64_LOCATOR.size
    if at < 0 or bytes(data[at : at + 4]) != b"PK\x06\x07":
        return None
    _, _, stated, disks = _END64_LOCATOR.unpack_from(data, at)
    if disks > 1:
        raise FormatError("the archive is spread over several files")
    usual = at - _END64.size
    for place in (stated, usual):  # a prefix moves it away from where the locator says
        if 0 <= place <= usual and bytes(data[place : place + 4]) == b"PK\x06\x06":
            _, _, _, _, disk, start_disk, here, count, size, offset = _END64.unpack_from(data, place)
            return place, (disk, start_disk, here, count, size, offset)
    raise FormatError("the Zip64 end record is not where its locator says")


def _joined(found: tuple[int, tuple[int, ...]], short: tuple[int, ...]) -> tuple[int, int, int, int, int, int, int, bool]:
    """The Zip64 fields, and whether a field of the short record that is not saturated says something else."""
    place, long = found
    bounds = (_SATURATED16,) * 4 + (_SATURATED32,) * 2
    contradicts = any(s not in (b, v) for s, v, b in zip(short, long, bounds, strict=True))
    disk, start_disk, here, count, size, offset = long
    return place, disk, start_disk, here, count, size, offset, contradicts


def entries(data: memoryview, directory: Directory, limits: Limits) -> Iterator[Entry | Problem]:
    """All entries to the end of the directory; who asks bounds their number.

    Raises:
        FormatError: a record is damaged.
        LimitError: a name is too long.
    """
    at, number = directory.start, 0
    while at < directory.end:
        if bytes(data[at : at + 4]) == b"PK\x05\x05":  # a digital signature over the directory, APPNOTE 4.3.13
            at += 6 + int.from_bytes(data[at + 4 : at + 6], "little")
            continue
        if at + _CENTRAL.size > directory.end or bytes(data[at : at + 4]) != b"PK\x01\x02":
            raise FormatError("an entry of the central directory is damaged", got=f"offset {at:#x}")
        entry, at = _entry(data, at, directory, limits)
        number += 1
        yield entry
    if number != directory.count:
        yield _inconsistent(f"the end record counts {directory.count} entries, the directory has {number}", directory.start)


def _entry(data: memoryview, at: int, directory: Directory, limits: Limits) -> tuple[Entry, int]:
    fields = _CENTRAL.unpack_from(data, at)
    flags, method = fields[5], fields[6]
    crc, packed, size = fields[9], fields[10], fields[11]
    name_size, extra_size, comment_size, disk = fields[12], fields[13], fields[14], fields[15]
    header_at = fields[18]
    name_at = at + _CENTRAL.size
    next_at = name_at + name_size + extra_size + comment_size
    if next_at > directory.end:
        raise FormatError("an entry of the central directory runs over its end", got=f"offset {at:#x}")
    if name_size > limits.max_member_name_bytes:
        raise LimitError(
            "a member's name is too long (max_member_name_bytes)",
            got=f"{name_size} bytes",
            expected=f"at most {limits.max_member_name_bytes}",
        )
    extra = bytes(data[name_at + name_size : name_at + name_size + extra_size])
    size, packed, header_at, disk = _zip64(extra, size, packed, header_at, disk)
    if disk not in (0, _SATURATED16):
        raise FormatError("the archive is spread over several files")
    raw_name = bytes(data[name_at : name_at + name_size])
    return Entry(raw_name, flags, method, crc, packed, size, header_at + directory.prefix, at, next_at), next_at


def _zip64(extra: bytes, size: int, packed: int, header_at: int, disk: int) -> tuple[int, int, int, int]:
    """APPNOTE 4.5.3: the saturated ones among the fields, in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind != 1:
            at += 4 + length
            continue
        values = extra[at + 4 : at + 4 + length]
        taken = 0

        def long(value: int, width: int = 8, saturated: int = _SATURATED32) -> int:
            nonlocal taken
            if value != saturated or taken + width > len(values):  # noqa: B023, called within the loop's turn
                return value
            taken += width
            return int.from_bytes(values[taken - width : taken], "little")  # noqa: B023

        return long(size), long(packed), long(header_at), long(disk, 4, _SATURATED16)
    return size, packed, header_at, disk


def content_of(data: memoryview, entry: Entry, directory: Directory) -> tuple[int, str | None]:
    """Where the content begins, and how the local header contradicts the directory.

    Raises:
        FormatError: there is no local header, or the content does not fit before the directory.
    """
    at = entry.header_at
    if at + _LOCAL.size > directory.start or bytes(data[at : at + 4]) != b"PK\x03\x04":
        raise FormatError("there is no local header where the directory says", got=f"offset {at:#x}")
    _, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(data, at)
    name_at = at + _LOCAL.size
    start = name_at + name_size + extra_size
    if start + entry.packed > directory.start:
        raise FormatError("the content runs into the central directory")
    told = []
    if bytes(data[name_at : name_at + name_size]) != entry.raw_name:
        told.append("name")
    if method != entry.method:
        told.append("method")
    if (flags ^ entry.flags) & 0x2041:
        told.append("encryption")
    extra = bytes(data[name_at + name_size : start])
    size, packed, _, _ = _zip64(extra, size, packed, 0, 0)
    follow = bool(flags & SIZES_FOLLOW)
    if (size, packed, crc) != (entry.size, entry.packed, entry.crc) and not (follow and not (size or packed or crc)):
        told.append("sizes")
    return start, ", ".join(told) or None


def _inconsistent(detail: str, offset: int | None = None) -> Problem:
    return Problem(code=ProblemCode.CONTAINER_INCONSISTENT, detail=detail, offset=offset)
