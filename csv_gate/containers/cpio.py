"""cpio archives in the form of SVR4, with and without checksums, and the form of RPM whose headers hold no more than a file's number.

Read front to back. Folders, links and devices are no members; of files that are one file under several names, the last has the content.
The older forms, in octal digits and binary, are not read.

Sources: cpio(5), "New ASCII Format" and "New CRC Format"; RPM's documentation, "RPM V4 Package format", for stripped headers.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from typing import Final

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import CHUNK_BYTES, Item, Member, View, slices
from csv_gate.containers.names import leads_out
from csv_gate.containers.streams import Reader
from csv_gate.errors import FormatError
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass

MAGIC_BYTES: Final = 6
PLAIN: Final = b"070701"
SUMMED: Final = b"070702"
STRIPPED: Final = b"07070X"
_FIELDS: Final = 13
_TRAILER: Final = b"TRAILER!!!"
_MAX_TARGET_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands before the content of one file."""

    name: bytes
    mode: int
    size: int
    checksum: int | None = None
    """The sum of all octets, where the archive has one."""


Stripped = Callable[[int], Header]
"""The file of that number, as the package lists it. Raises FormatError where there is none."""


def open_cpio(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of an archive that is not compressed. See `Opener`."""
    del name
    yield from cpio_members(Reader(budget.metered(slices(data, 0, len(data)))), budget)


def cpio_members(reader: Reader, budget: Budget, stripped: Stripped | None = None) -> Iterator[Item]:
    """Members of the archive that the reader stands before; the caller has metered its pieces. `stripped`: what headers without names
    stand for.

    Raises:
        FormatError: a header is damaged, the archive is cut short, or something follows it.
        LimitError: a name is too long.
    """
    while (header := _next_header(reader, budget, stripped)) is not None:
        begins = reader.position
        name = header.name.decode("utf-8", "surrogateescape")
        kind = stat.S_IFMT(header.mode)
        if kind == stat.S_IFLNK:
            yield from _link(name, reader.read(min(header.size, _MAX_TARGET_BYTES)))
        elif kind == stat.S_IFREG:
            yield Member(name=name, chunks=_Body(reader, header, begins))
        elif header.size:
            raise FormatError("a member that can have no content states a size", got=f"{header.size} bytes")
        _skip(reader, header.size - (reader.position - begins))
        _pad(reader)
    while piece := reader.piece(CHUNK_BYTES):
        if piece.strip(b"\0"):
            raise FormatError("something follows the end of the archive")


@dataclass(slots=True)
class _Body:
    """Reads one member, as long as the reader stands before it."""

    reader: Reader
    header: Header
    begins: int

    def __call__(self) -> Iterator[bytes]:
        assert self.reader.position == self.begins, "a member was asked for after its turn"
        missing, total = self.header.size, 0
        while missing:
            piece = self.reader.piece(min(missing, CHUNK_BYTES))
            if not piece:
                raise FormatError("the archive ends within a member")
            missing -= len(piece)
            if self.header.checksum is not None:
                total += sum(piece)
            yield piece
        if self.header.checksum is not None and total & 0xFFFF_FFFF != self.header.checksum:
            raise FormatError("the member's checksum is wrong: it is damaged")


def _next_header(reader: Reader, budget: Budget, stripped: Stripped | None) -> Header | None:
    """The next header of something with a name of its own; `None` at the end."""
    while True:
        magic = reader.read(MAGIC_BYTES)
        if magic == STRIPPED and stripped is not None:
            header = stripped(_hexadecimal(reader.read(8)))
            _pad(reader)
            return header
        if magic not in (PLAIN, SUMMED):
            raise FormatError("a header of the archive is damaged", got=f"offset {reader.position - len(magic):#x}")
        fields = reader.read(8 * _FIELDS)
        number = [_hexadecimal(fields[at : at + 8]) for at in range(0, 8 * _FIELDS, 8)]
        _, mode, _, _, links, _, size, *_, name_size, checksum = number
        budget.check_name(name_size)
        name = reader.read(name_size)
        if len(name) < name_size or not name.endswith(b"\0"):
            raise FormatError("a name in the archive does not end")
        _pad(reader)
        name = name[:-1].split(b"\0", 1)[0]
        if name == _TRAILER and not size:
            return None
        budget.spend(0)
        if stat.S_ISREG(mode) and links > 1 and not size:
            continue  # another name of a file that follows
        return Header(name=name, mode=mode, size=size, checksum=checksum if magic == SUMMED else None)


def _hexadecimal(digits: bytes) -> int:
    if len(digits) < 8 or digits.strip(b"0123456789abcdefABCDEF"):
        raise FormatError("a number in a header of the archive is damaged")
    return int(digits, 16)


def _pad(reader: Reader) -> None:
    reader.skip(-reader.position % 4)


def _skip(reader: Reader, size: int) -> None:
    if reader.skip(size) < size:
        raise FormatError("the archive ends within a member")


def _link(name: str, target: bytes) -> Iterator[Problem]:
    if leads_out(name, target.decode("utf-8", "surrogateescape")):
        detail = f"the link {name[:200]!r} leads out of the archive, to {target[:200].decode('utf-8', 'replace')!r}"
        yield Problem(code=ProblemCode.MEMBER_NAME_HOSTILE, detail=detail)
