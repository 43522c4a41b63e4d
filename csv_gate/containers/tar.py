"""tar: POSIX ustar and pax (IEEE Std 1003.1, pax, "ustar Interchange Format" and "pax Header Block"), GNU, and the older v7 form.

Read front to back, so a damaged header ends the archive. Links, folders, devices and pipes have no content and are no members; sparse
members are not read (their holes would have to be made up).
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import CHUNK_BYTES, Item, Member, View, slices
from csv_gate.containers.names import leads_out
from csv_gate.containers.streams import Reader
from csv_gate.errors import FormatError, LimitError
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field

BLOCK = 512
_MAX_EXTENSION_BYTES = 1024 * 1024
"""Of one extended header. Real ones have a few hundred bytes."""
_MAX_EXTENSIONS = 16
"""In front of one member."""
_HARD_LINK, _SYMBOLIC_LINK, _FOLDER = ord("1"), ord("2"), ord("5")
_NO_CONTENT = frozenset(b"12346")
_GNU_SPARSE = ord("S")
_EXTENSIONS = frozenset(b"xXgLK")
_LABEL = ord("V")
"""A volume's name. Every kind that is not known is read as a file, as POSIX asks."""


def open_tar(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of an uncompressed tar archive. See `Opener`."""
    del name
    return tar_members(Reader(budget.metered(slices(data, 0, len(data)))), budget)


@dataclass(slots=True)
class _Header:
    """One header with what extended headers before it said."""

    name: bytes
    size: int
    kind: int
    target: bytes
    is_sparse: bool = False


@dataclass(slots=True)
class _Extended:
    """What extended headers say of the next member, and of all that follow."""

    once: dict[str, bytes] = field(default_factory=dict)
    always: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        return self.once.get(key, self.always.get(key))


def tar_members(reader: Reader, budget: Budget) -> Iterator[Item]:
    """Members of the archive that the reader stands before; the caller has metered its pieces.

    Raises:
        FormatError: a header is damaged or the archive is cut short.
        LimitError: an extended header or a name is too long.
    """
    extended = _Extended()
    while (header := _next_header(reader, extended, budget)) is not None:
        padded = -(-header.size // BLOCK) * BLOCK
        name = header.name.decode("utf-8", "surrogateescape")
        if header.kind in _NO_CONTENT:
            if header.size:
                raise FormatError("a member that can have no content states a size", got=f"{header.size} bytes")
            yield from _link(header, name)
            continue
        begins = reader.position
        if header.kind == _FOLDER or (name.endswith("/") and not header.size):
            continue  # a folder's size, where it has one, is a quota and no content
        if header.kind != _LABEL:
            yield Member(name=name, chunks=_Body(reader, header, begins))
        done = reader.position - begins
        if reader.skip(padded - done) < padded - done:
            raise FormatError("the archive ends within a member")
    yield from _trailing(reader)


@dataclass(slots=True)
class _Body:
    """Reads one member, as long as the reader stands before it."""

    reader: Reader
    header: _Header
    begins: int

    def __call__(self) -> Iterator[bytes]:
        if self.header.is_sparse:
            raise FormatError("the member is sparse, which is not read")
        assert self.reader.position == self.begins, "a member was asked for after its turn"
        missing = self.header.size
        while missing:
            piece = self.reader.piece(min(missing, CHUNK_BYTES))
            if not piece:
                raise FormatError("the archive ends within a member")
            missing -= len(piece)
            yield piece


def _next_header(reader: Reader, extended: _Extended, budget: Budget) -> _Header | None:
    """The next header that is a member's; `None` at the end of the archive."""
    extended.once = {}
    for _ in range(_MAX_EXTENSIONS):
        block = reader.read(BLOCK)
        if not block:
            return None  # without the two blocks of zeros; what there was is whole
        if len(block) < BLOCK:
            raise FormatError("the archive ends within a header")
        if not any(block):
            return None
        if not _checksum_fits(block):
            raise FormatError("a header is damaged: its checksum is wrong", got=f"offset {reader.position - BLOCK:#x}")
        kind = block[156]
        if kind not in _EXTENSIONS:
            return _header(block, extended, budget)
        budget.spend(0)
        _extend(extended, kind, _extension(reader, _number(block[124:136])))
    raise LimitError("too many extended headers stand in front of a member", expected=f"at most {_MAX_EXTENSIONS}")


def _extension(reader: Reader, size: int) -> bytes:
    if size > _MAX_EXTENSION_BYTES:
        raise LimitError("an extended header is too long", got=f"{size} bytes", expected=f"at most {_MAX_EXTENSION_BYTES}")
    padded = -(-size // BLOCK) * BLOCK
    data = reader.read(padded)
    if len(data) < padded:
        raise FormatError("the archive ends within an extended header")
    return data[:size]


def _extend(extended: _Extended, kind: int, data: bytes) -> None:
    if kind == ord("L"):
        extended.once["path"] = data.split(b"\0", 1)[0]
    elif kind == ord("K"):
        extended.once["linkpath"] = data.split(b"\0", 1)[0]
    else:
        into = extended.always if kind == ord("g") else extended.once
        into.update(_records(data))


_KEPT = frozenset({"path", "linkpath", "size"})


def _records(data: bytes) -> Iterator[tuple[str, bytes]]:
    """pax: `LENGTH KEY=VALUE` and a line end, the length in decimal digits and of the whole record."""
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 12].partition(b" ")
        if not space or not length.isdigit() or not (end := at + int(length)) <= len(data) or data[end - 1 : end] != b"\n":
            if not any(data[at:]):
                return
            raise FormatError("a record of an extended header is damaged")
        key, equals, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not equals:
            raise FormatError("a record of an extended header is damaged")
        word = key.decode("utf-8", "replace")
        if word in _KEPT:
            yield word, value
        elif word.startswith("GNU.sparse."):
            yield "sparse", b"1"
        at = end


def _header(block: bytes, extended: _Extended, budget: Budget) -> _Header:
    kind = block[156]
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    if (stated := extended.get("path")) is not None:
        name = stated
    budget.check_name(len(name))
    size = _number(block[124:136])
    if (stated := extended.get("size")) is not None:
        if not stated.isdigit() or len(stated) > 20:
            raise FormatError("a size in an extended header is no number")
        size = int(stated)
    target = extended.get("linkpath")
    if kind == _GNU_SPARSE:
        # Its map may go on in further blocks, and readers that miss it lose their place.
        raise FormatError("the archive holds an old GNU sparse member, which is not read")
    is_sparse = extended.get("sparse") is not None
    return _Header(name, size, kind, _text(block[157:257]) if target is None else target, is_sparse)


def _link(header: _Header, name: str) -> Iterator[Problem]:
    """A link that leads out of the archive. One inside it names a member that is judged in its own place."""
    if header.kind not in (_HARD_LINK, _SYMBOLIC_LINK):
        return
    target = header.target.decode("utf-8", "surrogateescape")
    if leads_out(name, target, is_hard=header.kind == _HARD_LINK):
        shown = header.target[:200].decode("utf-8", "replace")
        detail = f"the link {name[:200]!r} leads out of the archive, to {shown!r}"
        yield Problem(code=ProblemCode.MEMBER_NAME_HOSTILE, detail=detail)


def _trailing(reader: Reader) -> Iterator[Problem]:
    """What stands behind the end: zeros fill the last record, anything else is seen only by readers told to go on."""
    begins, found = reader.position, 0
    while piece := reader.piece(CHUNK_BYTES):
        found += len(piece) if piece.strip(b"\0") else 0
    if found:
        detail = f"data follow the end of the archive ({found} bytes or less)"
        yield Problem(code=ProblemCode.CONTAINER_TRAILING_DATA, detail=detail, offset=begins)


def _checksum_fits(block: bytes) -> bool:
    """The sum of all bytes with the checksum's own as spaces; some old writers summed signed bytes."""
    try:
        stated = _number(block[148:156])
    except FormatError:
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    if stated == total:
        return True
    high = sum(1 for byte in block if byte >= 0x80) - sum(1 for byte in block[148:156] if byte >= 0x80)
    return stated == total - 256 * high


def _number(raw: bytes) -> int:
    """Octal digits, or base 256 where the first bit is set (GNU)."""
    if raw[0] & 0x80:
        value = int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
        if raw[0] & 0x40:
            raise FormatError("a number in a header is negative")
        return value
    digits = raw.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    try:
        value = int(digits, 8)
    except ValueError:
        raise FormatError("a number in a header is damaged") from None
    if value < 0:
        raise FormatError("a number in a header is negative")
    return value


def _text(raw: bytes) -> bytes:
    return raw.split(b"\0", 1)[0]
