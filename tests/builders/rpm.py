"""Writes RPM packages that carry files: lead, two headers without regions, and a cpio archive."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Callable, Mapping, Sequence

from tests.builders.containers import COMPRESSIONS, Files, pairs

REGULAR, LINK, FOLDER = 0o100644, 0o120777, 0o040755
Value = str | Sequence[str] | Sequence[int]


def entry(
    name: str, data: bytes = b"", *, mode: int = REGULAR, links: int = 1, magic: bytes = b"070701", check: int = 0
) -> bytes:
    """One file of a cpio archive."""
    encoded = name.encode() + b"\0"
    numbers = (1, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), check)
    head = magic + b"".join(b"%08x" % number for number in numbers) + encoded
    return padded(head) + padded(data)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


TRAILER = entry("TRAILER!!!", mode=0)


def cpio_of(files: Files, *, summed: bool = False) -> bytes:
    magic = b"070702" if summed else b"070701"
    entries = [entry(name, data, magic=magic, check=sum(data) if summed else 0) for name, data in pairs(files)]
    return entry("folder", mode=FOLDER) + b"".join(entries) + TRAILER


def header_of(tags: Mapping[int, Value]) -> bytes:
    index, store = b"", b""
    for tag, value in sorted(tags.items()):
        if isinstance(value, str):
            kind, count, data = 6, 1, value.encode() + b"\0"
        elif value and isinstance(value[0], str):
            kind, count, data = 8, len(value), b"".join(str(one).encode() + b"\0" for one in value)
        else:
            store += bytes(-len(store) % 4)
            kind, count, data = 4, len(value), struct.pack(f">{len(value)}I", *value)
        index += struct.pack(">4I", tag, kind, len(store), count)
        store += data
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">2I", len(tags), len(store)) + index + store


def rpm_of(payload: bytes, tags: Mapping[int, Value] | None = None) -> bytes:
    lead = (b"\xed\xab\xee\xdb\3\0" + struct.pack(">HH", 0, 1) + b"demo").ljust(78, b"\0") + b"\0\5"
    signatures = header_of({1000: [0]})
    signatures += bytes(-len(signatures) % 8)
    return lead.ljust(96, b"\0") + signatures + header_of({1000: "demo", **(tags or {})}) + payload


PAYLOADS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": COMPRESSIONS["gz"],
    "bzip2": COMPRESSIONS["bz2"],
    "xz": COMPRESSIONS["xz"],
    "zstd": COMPRESSIONS["zst"],
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}
"""Compressor, as packages name it."""


def rpm(files: Files, *, compressor: str = "gzip") -> bytes:
    packed = PAYLOADS[compressor](cpio_of([(f"./{name}", data) for name, data in pairs(files)]))
    return rpm_of(packed, {1124: "cpio", 1125: compressor})


def stripped_rpm(files: Sequence[tuple[str, bytes, int]]) -> bytes:
    """A package whose archive names no file. Files are (path, content, inode); of those with one inode the last has the content."""
    last = {inode: number for number, (_, _, inode) in enumerate(files)}
    payload = b""
    for number, (_, data, inode) in enumerate(files):
        payload += padded(b"07070X%08x" % number) + padded(data if last[inode] == number else b"")
    return rpm_of(
        payload + TRAILER,
        {
            1028: [len(data) for _, data, _ in files],
            1030: [REGULAR for _ in files],
            1095: [1 for _ in files],
            1096: [inode for _, _, inode in files],
            1116: [number for number, _ in enumerate(files)],
            1117: [path.rpartition("/")[2] for path, _, _ in files],
            1118: [path.rpartition("/")[0] + "/" for path, _, _ in files],
            1125: "none",
        },
    )
