"""Writes installer packages: a compound file with a pool of strings, the tables that name files, and an embedded cabinet."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.builders import compound
from tests.builders.cabinets import MSZIP, CabFolder, cab_of
from tests.builders.containers import Files, pairs

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
TEXT, SHORT, LONG = 0x0D48, 0x0502, 0x0104
PATCH = bytes.fromhex("86100c0000000000c000000000000046")

COLUMNS: dict[str, dict[str, int]] = {
    "File": {"File": TEXT, "Component_": TEXT, "FileName": TEXT, "FileSize": LONG, "Sequence": LONG},
    "Component": {"Component": TEXT, "Directory_": TEXT},
    "Directory": {"Directory": TEXT, "Directory_Parent": TEXT, "DefaultDir": TEXT},
    "Media": {"DiskId": SHORT, "LastSequence": LONG, "Cabinet": TEXT},
}


def packed_name(name: str, *, is_table: bool = False) -> str:
    out, at = "\u4840" if is_table else "", 0
    while at < len(name):
        first = ALPHABET.find(name[at])
        second = ALPHABET.find(name[at + 1]) if at + 1 < len(name) else -1
        if first < 0:
            out += name[at]
        elif second >= 0:
            out += chr(0x3800 + first + (second << 6))
            at += 1
        else:
            out += chr(0x4800 + first)
        at += 1
    return out


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One file: its key in the cabinet, where it is installed to, its name as the table has it, and what it holds."""

    key: str
    name: str
    content: bytes = b""
    folder: str = "INSTALLDIR"
    cabinet: str = "Files.cab"


FOLDERS = {
    "TARGETDIR": ("", "SourceDir"),
    "ProgramFilesFolder": ("TARGETDIR", "PFiles"),
    "INSTALLDIR": ("ProgramFilesFolder", "DEMOAP~1|Demo Application"),
    "SubDir": ("INSTALLDIR", "sub:source"),
    "Same": ("SubDir", "."),
}


def tables_of(
    files: Sequence[Installed],
    *,
    folders: Mapping[str, tuple[str, str]] = FOLDERS,
    columns: Mapping[str, Mapping[str, int]] = COLUMNS,
    long_strings: bool = False,
    code_page: int = 1252,
) -> dict[str, bytes]:
    """Streams of the tables, by their packed names."""
    cabinets = list(dict.fromkeys(file.cabinet for file in files))
    ordered = sorted(files, key=lambda file: cabinets.index(file.cabinet))
    rows: dict[str, list[list[str | int]]] = {
        "File": [[file.key, f"C_{file.key}", file.name, len(file.content), at + 1] for at, file in enumerate(ordered)],
        "Component": [[f"C_{file.key}", file.folder] for file in files],
        "Directory": [[key, parent, default] for key, (parent, default) in folders.items()],
        "Media": [
            [at + 1, max(n + 1 for n, file in enumerate(ordered) if file.cabinet == cabinet), f"#{cabinet}"]
            for at, cabinet in enumerate(cabinets)
        ],
    }
    schema: list[list[str | int]] = [
        [table, number, name, kind] for table, of in columns.items() for number, (name, kind) in enumerate(of.items(), 1)
    ]
    pool = [""]
    width = 3 if long_strings else 2

    def cell(value: str | int, kind: int) -> bytes:
        if isinstance(value, int):
            return struct.pack("<H", value ^ 0x8000) if kind & 0xFF == 2 else struct.pack("<I", value ^ 0x8000_0000)
        if value not in pool:
            pool.append(value)
        return pool.index(value).to_bytes(width, "little")

    def stream(table: list[list[str | int]], kinds: Sequence[int]) -> bytes:
        return b"".join(cell(row[at], kind) for at, kind in enumerate(kinds) for row in table)

    made = {packed_name(name, is_table=True): stream(rows[name], list(of.values())) for name, of in columns.items()}
    made[packed_name("_Tables", is_table=True)] = stream([[name] for name in columns], [TEXT])
    made[packed_name("_Columns", is_table=True)] = stream(schema, [TEXT, SHORT, TEXT, SHORT])
    encoded = [text.encode("utf-8" if code_page == 65001 else f"cp{code_page}") for text in pool[1:]]
    words = struct.pack("<I", code_page | (0x8000_0000 if long_strings else 0))
    for text in encoded:
        is_long = len(text) > 0xFFFF
        words += struct.pack("<HH", 0 if is_long else len(text), 1) + (struct.pack("<I", len(text)) if is_long else b"")
    made[packed_name("_StringPool", is_table=True)] = words
    made[packed_name("_StringData", is_table=True)] = b"".join(encoded)
    return made


def msi_of(
    *files: Installed,
    streams: Mapping[str, bytes] | None = None,
    without: Sequence[str] = (),
    method: int = MSZIP,
    class_id: bytes = compound.MSI,
    storages: Mapping[str, compound.Tree] | None = None,
    tables: Mapping[str, bytes] | None = None,
) -> bytes:
    """A package. `streams`: more of them, such as `Binary.NAME`; `without`: cabinets that the Media table names in vain."""
    cabinets: dict[str, dict[str, bytes]] = {}
    for file in files:
        cabinets.setdefault(file.cabinet, {})[file.key] = file.content
    packed = {name: cab_of(CabFolder(files=inner, method=method)) for name, inner in cabinets.items() if name not in without}
    content = {packed_name(name): data for name, data in {**packed, **(streams or {})}.items()}
    made = tables_of(files) if tables is None else tables
    return compound.compound({**made, **content, **(storages or {})}, class_id=class_id)


def msi(files: Files) -> bytes:
    """Each file under a key of its own; the path becomes the folders."""
    folders, listed = {"TARGETDIR": ("", "SourceDir")}, []
    for number, (path, content) in enumerate(pairs(files)):
        *parents, name = path.split("/")
        at = "TARGETDIR"
        for depth in range(len(parents)):
            key = "D_" + "_".join(parents[: depth + 1])
            folders[key], at = (at, parents[depth]), key
        listed.append(Installed(key=f"File{number}", name=f"F{number}~1|{name}", content=content, folder=at))
    return msi_of(*listed, tables=tables_of(listed, folders=folders))
