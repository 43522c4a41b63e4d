"""The database in an installer package: its strings and tables, as far as they say which file of a cabinet is installed under which name.

Tables are streams whose names are packed, column by column; texts are numbers into one pool of strings. Everything here is
attacker-controlled, and nothing is followed that leads in a circle.

Sources: "Windows Installer Database Tables" (File, Component, Directory and Media table, Microsoft Learn) for what the columns mean;
how streams and tables are stored is not documented by Microsoft and was checked against packages by several authors.
"""

from __future__ import annotations

import codecs
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.records import dataclass

TABLE_MARK: Final = "\u4840"
"""Begins the name of a stream that is a table."""
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_PAIRS, _SINGLES = 0x3800, 0x4800
_STRING, _NULLABLE, _STREAM = 0x0800, 0x1000, 0x0900
_LONG_STRINGS: Final = 0x8000_0000
_UTF8: Final = 65001
MAX_TEXT: Final = 8192
"""Bytes of one name, and of one path. A table names each of them as often as it likes."""
MAX_ROWS: Final = 262_144
Value = str | int


def stream_name(packed: str) -> str:
    """The name of a stream: two characters of `_ALPHABET` in one, or one alone; others stand for themselves."""
    out = []
    for character in packed:
        value = ord(character)
        if _PAIRS <= value < _SINGLES:
            out.append(_ALPHABET[value - _PAIRS & 0x3F] + _ALPHABET[value - _PAIRS >> 6])
        elif _SINGLES <= value < _SINGLES + 64:
            out.append(_ALPHABET[value - _SINGLES])
        else:
            out.append(character)
    return "".join(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    kind: int

    def width(self, text_bytes: int) -> int:
        if self.kind & ~_NULLABLE & 0xFFF == _STREAM or not self.kind & _STRING:
            return 2 if self.kind & 0xFF in (0, 1, 2) else 4
        return text_bytes


class Strings:
    """The pool: numbers to texts.

    Raises (when made):
        FormatError: the pool names more octets than there are.
    """

    def __init__(self, pool: bytes, data: bytes) -> None:
        words = array("H", pool[: len(pool) // 4 * 4])
        if len(words) < 2:
            raise FormatError("the package has no pool of strings")
        mark = words[0] | words[1] << 16
        self.reference_bytes = 3 if mark & _LONG_STRINGS else 2
        self._encoding = _encoding(mark & 0x7FFF_FFFF)
        self._data = data
        self._known: dict[int, str] = {}
        self._ends = array("L", [0])
        at, end = 2, 0
        while at < len(words):
            size, uses = words[at], words[at + 1]
            at += 2
            if size == 0 and uses and at < len(words):  # a long string: its size takes an entry of its own
                size = words[at] | words[at + 1] << 16
                at += 2
            end += size
            self._ends.append(end)
        if end > len(data):
            raise FormatError("the pool of strings of the package is longer than its data")

    def __getitem__(self, number: int) -> str:
        if number == 0:
            return ""
        if (known := self._known.get(number)) is not None:
            return known
        if number >= len(self._ends):
            raise FormatError("a table of the package names a string that is not there", got=str(number))
        raw = self._data[self._ends[number - 1] : self._ends[number]]
        if len(raw) > MAX_TEXT:
            raise FormatError("a name in the package is too long", got=f"{len(raw)} bytes", expected=f"at most {MAX_TEXT}")
        self._known[number] = text = raw.decode(self._encoding, "surrogateescape")
        return text


def _encoding(code_page: int) -> str:
    name = "utf-8" if code_page == _UTF8 else f"cp{code_page or 1252}"
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name


class Tables:
    """The tables of one package. `read` gives the octets of a stream by its name, `None` where there is no such stream.

    Raises (when made and by every method):
        ArtifactError: of `read`.
        FormatError: the tables contradict themselves.
    """

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        pool, data = read(TABLE_MARK + "_StringPool"), read(TABLE_MARK + "_StringData")
        if pool is None or data is None:
            raise FormatError("the package has no pool of strings")
        self._strings = Strings(pool, data)
        self._columns: dict[str, dict[int, _Column]] = {}
        shape = [
            _Column(name="Table", kind=_STRING),
            _Column(name="Number", kind=2),
            _Column(name="Name", kind=_STRING),
            _Column(name="Type", kind=2),
        ]
        for row in self._rows(read(TABLE_MARK + "_Columns") or b"", shape, {"Table", "Number", "Name", "Type"}):
            table, number, name, kind = str(row["Table"]), int(row["Number"]), str(row["Name"]), int(row["Type"])
            self._columns.setdefault(table, {})[number] = _Column(name=name, kind=kind & 0x7FFF)

    def rows(self, table: str, *columns: str) -> Iterator[dict[str, Value]]:
        """The rows of a table, with these columns; none where the package has no such table."""
        numbered = self._columns.get(table)
        stream = self._read(TABLE_MARK + table)
        if stream is None:
            return iter(())
        if numbered is None or not set(columns) <= {column.name for column in numbered.values()}:
            raise FormatError(f"the package does not say which columns its {table} table has")
        return self._rows(stream, [numbered[number] for number in sorted(numbered)], set(columns))

    def _rows(self, stream: bytes, columns: list[_Column], wanted: set[str]) -> Iterator[dict[str, Value]]:
        text_bytes = self._strings.reference_bytes
        widths = [column.width(text_bytes) for column in columns]
        count, rest = divmod(len(stream), sum(widths))
        if count > MAX_ROWS:
            raise LimitError("a table of the package has too many rows", got=str(count), expected=f"at most {MAX_ROWS}")
        if rest:
            raise FormatError("a table of the package has a row that is not whole")
        at, cells = 0, {}
        for column, width in zip(columns, widths, strict=True):
            if column.name in wanted:
                cells[column] = _numbers(stream[at : at + count * width], width)
            at += count * width
        for row in range(count):
            yield {
                column.name: self._strings[numbers[row]]
                if column.kind & _STRING
                else numbers[row] - (0x8000 if column.width(text_bytes) == 2 else 0x8000_0000)
                for column, numbers in cells.items()
            }


def _numbers(data: bytes, width: int) -> list[int]:
    if width == 3:
        return [low | high << 16 for low, high in struct.iter_unpack("<HB", data)]
    return [value for (value,) in struct.iter_unpack("<H" if width == 2 else "<I", data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFiles:
    """What the package says of its cabinets."""

    names: Mapping[str, Mapping[str, str]]
    """Cabinet stream -> name in the cabinet -> name under which it is installed."""
    cabinets: tuple[str, ...]
    """Streams that the Media table names, whether they are there or not."""


def installed_files(tables: Tables) -> InstalledFiles:
    """Which file of which cabinet is installed under which name: the file's own where no other of the cabinet has it, else with the
    folders that lead to it, else with its key."""
    media = sorted((int(row["LastSequence"]), str(row["Cabinet"])) for row in tables.rows("Media", "LastSequence", "Cabinet"))
    lasts = [last for last, _ in media]
    cabinets = [(last, cabinet[1:]) for last, cabinet in media if cabinet.startswith("#")]
    files: dict[str, dict[str, tuple[str, str]]] = {cabinet: {} for _, cabinet in cabinets}
    for row in tables.rows("File", "File", "Component_", "FileName", "Sequence"):
        sequence = int(row["Sequence"])
        at = bisect_left(lasts, sequence)
        cabinet = media[at][1] if at < len(media) else ""
        if cabinet.startswith("#"):
            files[cabinet[1:]][str(row["File"])] = (_long(str(row["FileName"])), str(row["Component_"]))
    folder_of = {str(row["Component"]): str(row["Directory_"]) for row in tables.rows("Component", "Component", "Directory_")}
    folders = _folders(tables)
    names = {
        cabinet: _distinct(
            {
                key: (name, "/".join(part for part in (folders.get(folder_of.get(component, ""), ""), name) if part))
                for key, (name, component) in listed.items()
            }
        )
        for cabinet, listed in files.items()
    }
    return InstalledFiles(names=names, cabinets=tuple(cabinet for _, cabinet in cabinets))


def _distinct(files: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Key -> the shortest of name, path, and key with name that no other file has, letter case aside."""
    uses: dict[str, int] = {}
    for name, path in files.values():
        for word in {name.casefold(), path.casefold()}:
            uses[word] = uses.get(word, 0) + 1
    return {
        key: next((one for one in (name, path) if uses[one.casefold()] == 1), f"{key}/{name}")
        for key, (name, path) in files.items()
    }


def _folders(tables: Tables) -> dict[str, str]:
    """Directory -> path below the folder that everything is installed under."""
    parents: dict[str, str] = {}
    own: dict[str, str] = {}
    for row in tables.rows("Directory", "Directory", "Directory_Parent", "DefaultDir"):
        key, parent = str(row["Directory"]), str(row["Directory_Parent"])
        parents[key] = "" if parent == key else parent
        target = _long(str(row["DefaultDir"]).partition(":")[0])
        own[key] = key if key.endswith("Folder") and parent == "TARGETDIR" else "" if target == "." else target
    found: dict[str, str] = {}
    for key in own:
        way: list[str] = []
        at = key
        while at in own and parents[at] and at not in found:
            way.append(at)
            at = parents[at]
            if len(way) > MAX_TEXT:
                raise FormatError("the folders of the package nest too deep, or lead in a circle")
        path = found.get(at, "")
        for folder in reversed(way):
            path = "/".join(part for part in (path, own[folder]) if part)
            if len(path) > MAX_TEXT:
                raise FormatError("the folders of the package nest too deep")
            found[folder] = path
    return found


def _long(name: str) -> str:
    """The long one of `short|long`."""
    return name.rpartition("|")[2]
