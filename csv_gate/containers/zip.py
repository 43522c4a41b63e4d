"""ZIP and what is built on it: nupkg, vsix, msix, appx, jar, whl. Members come in the order of the central directory.

Encrypted members and methods other than stored, deflate, bzip2, LZMA and Zstandard are not read: each is an error of its member. Patched
data, split archives and strong encryption of the directory are not read at all.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from functools import partial

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Item, Member, View, slices
from csv_gate.containers.streams import STREAMS, Decompressor, Deflate, pull
from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.formats.zip_directory import Directory, Entry, content_of, entries, find_directory
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode

_ENCRYPTED = 0x1 | 0x2000
_AES = 99
STORED, LZMA = 0, 14
_DESCRIPTOR_BYTES = 24
_APK_SIGNATURE = b"APK Sig Block 42"
"""Ends the block before the central directory in which Android keeps signatures."""
_EMPTY = frozenset({(STORED, b""), (8, b"\3\0")})
"""Methods, and what they make of nothing."""
MAX_PROBLEMS = 50


def open_zip(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a ZIP file. See `Opener`."""
    del name
    directory = find_directory(data)
    budget.spend_members(directory.count)
    yield from directory.problems
    listed: list[Entry] = []
    for item in entries(data, directory, budget.limits):
        if isinstance(item, Problem):
            yield item
        else:
            listed.append(item)
            if len(listed) > directory.count:  # it stated fewer
                budget.spend_members(len(listed))
    spans, told = [], 0
    starts: dict[int, int | ArtifactError] = {}
    for index, entry in enumerate(listed):
        try:
            start, contradiction = content_of(data, entry, directory)
        except FormatError as error:
            starts[index] = error
            continue
        starts[index] = start
        spans.append((entry.header_at, start + entry.packed, index))
        if contradiction is not None and (told := told + 1) <= MAX_PROBLEMS:
            yield Problem(
                code=ProblemCode.CONTAINER_INCONSISTENT,
                detail=f"the local header of {entry.name[:200]!r} has another {contradiction} than the directory",
                offset=entry.header_at,
            )
    yield from _layout(data, directory, listed, starts, sorted(spans))
    for index, entry in enumerate(listed):
        if entry.raw_name.endswith(b"/") and not entry.size:
            continue
        yield Member(name=entry.name, chunks=partial(_content, data, entry, starts[index], budget))


def _layout(
    data: View,
    directory: Directory,
    listed: list[Entry],
    starts: dict[int, int | ArtifactError],
    spans: list[tuple[int, int, int]],
) -> Iterator[Problem]:
    """Members that overlap are not read: that is how a small file lists one content many times. What lies between members is told."""
    end, owner, unlisted, first = directory.prefix, -1, 0, None
    overlapping = []
    for start, stop, index in [*spans, (directory.start, directory.start, -1)]:
        if start < end:
            overlapping += [index, owner]
        gap = start - end
        is_signature = index == -1 and bytes(data[max(0, start - 16) : start]) == _APK_SIGNATURE
        # A descriptor of 12 to 24 bytes may follow a member's content (APPNOTE 4.3.9).
        if gap > (_DESCRIPTOR_BYTES if owner >= 0 else 0) and not is_signature:
            unlisted, first = unlisted + gap, end if first is None else first
        if stop >= end:
            end, owner = stop, index
    for index in set(overlapping) - {-1}:
        starts[index] = FormatError("its content overlaps that of another member")
    if overlapping:
        names = sorted({listed[index].name[:100] for index in overlapping if index >= 0})
        yield Problem(
            code=ProblemCode.CONTAINER_MEMBERS_OVERLAP, detail=f"{len(names)} members overlap others, such as {names[0]!r}"
        )
    if unlisted:
        yield Problem(
            code=ProblemCode.CONTAINER_UNLISTED_DATA, detail=f"{unlisted} bytes between members belong to none", offset=first
        )


def _content(data: View, entry: Entry, start: int | ArtifactError, budget: Budget) -> Iterator[bytes]:
    """The content of one member, checked against size and CRC when it is read to its end."""
    if isinstance(start, ArtifactError):
        raise start
    if entry.flags & _ENCRYPTED or entry.method == _AES:
        raise FormatError("the member is encrypted")
    if entry.size > budget.limits.max_member_bytes:
        raise LimitError(
            "the member is too large (max_member_bytes)",
            got=f"{entry.size} bytes",
            expected=f"at most {budget.limits.max_member_bytes}",
        )
    if not entry.size and not entry.crc and (entry.method, bytes(data[start : start + min(entry.packed, 3)])) in _EMPTY:
        return
    budget.check_ratio(entry.size, entry.packed)
    size = crc = 0
    for chunk in budget.metered(_unpacked(data, entry, start, budget.limits)):
        size += len(chunk)
        if size > entry.size:
            raise FormatError("the member is longer than the directory says", expected=f"{entry.size} bytes")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.size:
        raise FormatError("the member is shorter than the directory says", got=f"{size} bytes", expected=f"{entry.size}")
    if crc != entry.crc:
        raise FormatError("the member's CRC is wrong: it is damaged")


def _unpacked(data: View, entry: Entry, start: int, limits: Limits) -> Iterator[bytes]:
    end = start + entry.packed
    if entry.method == STORED:
        yield from slices(data, start, end)
        return
    stream, start = _stream(data, entry, start, limits)
    source = slices(data, start, end)
    while not stream.eof:
        is_hungry = stream.needs_input
        piece = next(source, b"") if is_hungry else b""
        out = pull(stream, piece)
        if out:
            yield out
        elif is_hungry and not piece and not stream.eof:
            if entry.method == LZMA and not entry.flags & 0x2:
                return  # without an end marker, APPNOTE 4.4.4 bit 1: the size tells the end
            raise FormatError("the compressed data end too early")


def _stream(data: View, entry: Entry, start: int, limits: Limits) -> tuple[Decompressor, int]:
    """A decompressor, and where its data begin."""
    match entry.method:
        case 8:  # deflate
            return Deflate(-15), start
        case 12:  # bzip2
            return STREAMS["bzip2"](limits), start
        case 14:  # LZMA
            return _lzma(data, entry, start, limits)
        case 93:  # Zstandard
            return STREAMS["zstd"](limits), start
        case _:
            raise FormatError("the member is packed by a method that is not read", got=f"method {entry.method}")


def _lzma(data: View, entry: Entry, start: int, limits: Limits) -> tuple[Decompressor, int]:
    """APPNOTE 5.8.8: two bytes of version, two of the size of the properties, then those: lc/lp/pb and the dictionary's size."""
    properties = bytes(data[start : start + 9])
    if entry.packed < 9 or int.from_bytes(properties[2:4], "little") != 5 or properties[4] >= 9 * 5 * 5:
        raise FormatError("the LZMA properties are damaged")
    rest, lc = divmod(properties[4], 9)
    pb, lp = divmod(rest, 5)
    window = int.from_bytes(properties[5:9], "little")
    if window > limits.max_decompressor_bytes or lc + lp > 4:
        raise LimitError("decompressing needs too much memory (max_decompressor_bytes)", got=f"{window} bytes")
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(4096, window), "lc": lc, "lp": lp, "pb": pb}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), start + 9
