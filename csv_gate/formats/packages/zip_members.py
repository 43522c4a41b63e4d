"""The members of a package that is a ZIP file, each read whole: what signatures of packages are compared with.

Stored and deflated members only, which is what packages hold (OPC, ECMA-376 part 2 annex C; JAR and NuGet likewise). All readings of one
package share one account of bytes, so that a package cannot be made expensive.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from csv_gate.errors import FormatError, LimitError
from csv_gate.formats.zip_directory import Directory, Entry, content_of, entries, find_directory
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field

CHUNK_BYTES = 256 * 1024
STORED, DEFLATED = 0, 8
_ENCRYPTED = 0x1 | 0x40 | 0x2000


@dataclass(slots=True)
class _Account:
    """Bytes that may still be unpacked."""

    left: int

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise LimitError("the package unpacks to too much to verify its signature (max_package_bytes, max_container_ratio)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A package's directory. Names are attacker-controlled."""

    data: memoryview
    directory: Directory
    entries: tuple[Entry, ...]
    """In the order of the directory, folders among them."""
    problems: tuple[Problem, ...]
    """Of the archive: bytes before or behind it, records that contradict each other, names that stand twice."""
    limits: Limits
    _account: _Account = field(repr=False)

    def named(self, name: str) -> tuple[Entry, ...]:
        """All entries of that exact name."""
        return tuple(entry for entry in self.entries if entry.name == name)

    def content_at(self, entry: Entry) -> int:
        """Where the stored bytes of an entry begin.

        Raises:
            FormatError: its local header is missing, or says something else than the directory.
        """
        start, contradiction = content_of(self.data, entry, self.directory)
        if contradiction is not None:
            raise FormatError(f"the local header of {entry.name[:200]!r} has another {contradiction} than the directory")
        return start

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The unpacked content in pieces, checked against size and CRC when it is read to its end.

        Raises:
            FormatError: damaged, encrypted, or packed by another method.
            LimitError: it unpacks to far more than its size, or the package as a whole to too much.
        """
        start = self.content_at(entry)
        if entry.flags & _ENCRYPTED:
            raise FormatError(f"the member {entry.name[:200]!r} is encrypted")
        if entry.method not in (STORED, DEFLATED):
            raise FormatError(f"the member {entry.name[:200]!r} is packed by method {entry.method}, which no package uses")
        limits = self.limits
        if entry.size > max(limits.container_ratio_floor_bytes, limits.max_container_ratio * max(entry.packed, 1)):
            raise LimitError(f"the member {entry.name[:200]!r} unpacks to far more than its size (max_container_ratio)")
        size = crc = 0
        for chunk in _unpacked(self.data[start : start + entry.packed], entry):
            self._account.spend(len(chunk))
            size += len(chunk)
            if size > entry.size:
                raise FormatError(f"the member {entry.name[:200]!r} is longer than the directory says")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size != entry.size or crc != entry.crc:
            raise FormatError(f"the member {entry.name[:200]!r} is damaged: its size or CRC is wrong")

    def read(self, entry: Entry, *, max_bytes: int) -> bytes:
        """The whole content. Raises as `chunks`, and LimitError where it is larger than `max_bytes`."""
        if entry.size > max_bytes:
            raise LimitError(
                f"the member {entry.name[:200]!r} is too large", got=f"{entry.size} bytes", expected=f"at most {max_bytes}"
            )
        return b"".join(self.chunks(entry))


def read_listing(data: memoryview, limits: Limits) -> Listing:
    """The directory of a package.

    Raises:
        FormatError: it is damaged.
        LimitError: it has too many members, or a name is too long.
    """
    directory = find_directory(data)
    found: list[Entry] = []
    problems = list(directory.problems)
    seen: set[str] = set()
    for item in entries(data, directory, limits):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        found.append(item)
        if len(found) > limits.max_container_members:
            raise LimitError("the package has too many members (max_container_members)")
        if item.name in seen:
            detail = f"the member {item.name[:200]!r} stands there twice"
            problems.append(Problem(code=ProblemCode.MEMBER_NAME_REPEATED, detail=detail, offset=item.header_at))
        seen.add(item.name)
    return Listing(
        data=data,
        directory=directory,
        entries=tuple(found),
        problems=tuple(problems),
        limits=limits,
        _account=_Account(_allowance(len(data), limits)),
    )


def _allowance(size: int, limits: Limits) -> int:
    """How much a package of that size may unpack to, all readings of its members together."""
    return min(limits.max_package_bytes, max(4 * limits.container_ratio_floor_bytes, limits.max_container_ratio * size))


def _unpacked(packed: memoryview, entry: Entry) -> Iterator[bytes]:
    if entry.method == STORED:
        for at in range(0, len(packed), CHUNK_BYTES):
            yield bytes(packed[at : at + CHUNK_BYTES])
        return
    inflater = zlib.decompressobj(-15)
    try:
        for at in range(0, len(packed), CHUNK_BYTES):
            piece = inflater.decompress(packed[at : at + CHUNK_BYTES], CHUNK_BYTES)
            while piece:
                yield piece
                piece = inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
            if inflater.eof:
                break
    except zlib.error as error:
        raise FormatError(f"the member {entry.name[:200]!r} is damaged: {error}") from error
    if not inflater.eof:
        raise FormatError(f"the compressed data of {entry.name[:200]!r} end too early")
