"""Writes compound files of version 3: streams of any size in the root and in storages, and Windows Installer signatures over them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from tests.builders import ca, cms, der
from tests.builders.scripts import SIP_INFO

MSI = bytes.fromhex("84100c0000000000c000000000000046")
SIGNATURE, METADATA = "\x05DigitalSignature", "\x05MsiDigitalSignatureEx"
END, FREE, TABLE, NOTHING = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
INTERFACE = bytes.fromhex("f1100c0000000000c000000000000046")
Tree = Mapping[str, "bytes | Tree"]
SECTOR = 512


def _order(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\0\0"


def covered(tree: Tree, class_id: bytes = MSI, *, is_root: bool = True) -> bytes:
    """What is hashed of the streams."""
    parts = b""
    for name in sorted(tree, key=_order):
        value = tree[name]
        if is_root and name in (SIGNATURE, METADATA):
            continue
        parts += value if isinstance(value, bytes) else covered(value, bytes(16), is_root=False)
    return parts + class_id


def described(tree: Tree, class_id: bytes = MSI, name: str | None = None) -> bytes:
    """What is hashed of names, sizes and times, which are zero here."""
    parts = (b"" if name is None else name.encode("utf-16-le")) + class_id + bytes(4) + (b"" if name is None else bytes(16))
    for inner in sorted(tree, key=_order):
        value = tree[inner]
        if name is None and inner in (SIGNATURE, METADATA):
            continue
        if isinstance(value, bytes):
            parts += inner.encode("utf-16-le") + struct.pack("<I", len(value)) + bytes(20)
        else:
            parts += described(value, bytes(16), inner)
    return parts


def signed(tree: Tree, signer: ca.Identity, *, digest: str = "sha256", with_metadata: bool = False, **options: Any) -> bytes:
    """A signed installer package."""
    content = covered(tree)
    whole = dict(tree)
    if with_metadata:
        metadata = hashlib.new(digest, described(tree)).digest()
        whole[METADATA] = metadata
        content = metadata + content
    value = der.seq(der.integer(1), der.octets(INTERFACE), *(der.integer(0) for _ in range(5)))
    options = {"data_type": SIP_INFO, "value": value} | options
    whole[SIGNATURE] = cms.authenticode(signer, hashlib.new(digest, content).digest(), digest=digest, **options)
    return compound(whole)


class _Writer:
    def __init__(self) -> None:
        self.sectors: list[bytes] = []
        self.table: list[int] = []
        self.mini = b""
        self.mini_table: list[int] = []

    def chain(self, data: bytes) -> int:
        """Store in whole sectors; the first of them."""
        if not data:
            return END
        first = len(self.sectors)
        pieces = [data[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(data), SECTOR)]
        self.sectors += pieces
        self.table += [*range(first + 1, first + len(pieces)), END]
        return first

    def small(self, data: bytes) -> int:
        if not data:
            return END
        first = len(self.mini_table)
        count = -(-len(data) // 64)
        self.mini += data.ljust(count * 64, b"\0")
        self.mini_table += [*range(first + 1, first + count), END]
        return first


def compound(tree: Tree, *, class_id: bytes = MSI, loose: bytes = b"") -> bytes:
    """`loose`: octets of one sector that belongs to nothing."""
    writer = _Writer()
    entries: list[bytes | None] = [None]
    child = _members(writer, entries, tree)
    if loose:
        writer.sectors.append(loose.ljust(SECTOR, b"\0"))
        writer.table.append(FREE)
    start = writer.chain(writer.mini)
    entries[0] = _entry("Root Entry", 5, start, len(writer.mini), child, NOTHING, class_id)
    directory = b"".join(entry for entry in entries if entry is not None)
    directory = directory.ljust(-(-len(directory) // SECTOR) * SECTOR, b"\0")
    directory_at = writer.chain(directory)
    mini_table = struct.pack(f"<{len(writer.mini_table)}I", *writer.mini_table)
    mini_table = mini_table.ljust(-(-len(mini_table) // SECTOR) * SECTOR, b"\xff")
    mini_count = len(mini_table) // SECTOR
    mini_at = writer.chain(mini_table)
    count = 1
    while count * 128 < len(writer.sectors) + count:
        count += 1
    table_at = len(writer.sectors)
    table = [*writer.table, *([TABLE] * count)]
    packed = struct.pack(f"<{len(table)}I", *table).ljust(count * SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, count, directory_at, 0, 4096, mini_at, mini_count, END, 0, 0)[:36]
    links = [*range(table_at, table_at + count)]
    header += struct.pack("<109I", *links, *([FREE] * (109 - count)))
    assert len(header) == SECTOR
    return header + b"".join(writer.sectors) + packed


def _members(writer: _Writer, entries: list[bytes | None], tree: Tree) -> int:
    """Siblings in a chain to the right; the number of the first."""
    numbers: list[int] = []
    made: list[tuple[str, int, int, int, int]] = []
    for name, value in tree.items():
        numbers.append(len(entries))
        entries.append(None)
        if isinstance(value, bytes):
            start = writer.chain(value) if len(value) >= 4096 else writer.small(value)
            made.append((name, 2, start, len(value), NOTHING))
        else:
            made.append((name, 1, 0, 0, _members(writer, entries, value)))
    for at, (name, kind, start, size, child) in enumerate(made):
        right = numbers[at + 1] if at + 1 < len(numbers) else NOTHING
        entries[numbers[at]] = _entry(name, kind, start, size, child, right)
    return numbers[0] if numbers else NOTHING


def _entry(name: str, kind: int, start: int, size: int, child: int, right: int, class_id: bytes = bytes(16)) -> bytes:
    encoded = name.encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, NOTHING, right, child)
    return head + class_id + bytes(20) + struct.pack("<IQ", start, size)
