"""Builds PE images in memory: one keyword for every property, and for every lie about a size or an offset."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from tests.builders.version_resource import resource_tree

FILE_ALIGNMENT = 512
SECTION_ALIGNMENT = 4096
X64, X86, ARM64, IA64 = 0x8664, 0x14C, 0xAA64, 0x200
NATIVE, GUI, CONSOLE, EFI = 1, 2, 3, 10


def certificate(
    data: bytes, *, revision: int = 0x0200, kind: int = 0x0002, length: int | None = None, rounded: bool = True
) -> bytes:
    """One WIN_CERTIFICATE, rounded up to a multiple of 8 with zeros."""
    entry = struct.pack("<IHH", 8 + len(data) if length is None else length, revision, kind) + data
    return entry + bytes(-len(entry) % 8) if rounded else entry


def pe(
    *,
    plus: bool = True,
    machine: int = X64,
    subsystem: int = CONSOLE,
    is_dll: bool = False,
    dll_characteristics: int = 0x8160,
    code: bytes = b"\xc3" * 600,
    sections: Sequence[bytes] = (),
    imports: Sequence[str] = (),
    versions: Mapping[int, bytes] | None = None,
    resources: bytes | None = None,
    is_dotnet: bool = False,
    overlay: bytes = b"",
    table: bytes = b"",
    after_table: bytes = b"",
    pe_offset: int = 128,
    directory_count: int = 16,
    optional_size: int | None = None,
    magic: int | None = None,
    headers_size: int | None = None,
    section_alignment: int = SECTION_ALIGNMENT,
    section_count: int | None = None,
    first_raw_offset: int | None = None,
    table_offset: int | None = None,
    table_size: int | None = None,
    checksum: int | None = 0,
    import_rva: int | None = None,
) -> bytes:
    """A PE image. `versions` maps languages to version resources, `resources` is a raw `.rsrc`; `checksum=None` sets the right one.

    Every other keyword says what a field holds; where it is left out the field tells the truth.
    """
    bodies = [code, *sections]
    directories = [(0, 0)] * 16

    def next_rva() -> int:
        used = sum(-(-max(1, len(body)) // SECTION_ALIGNMENT) for body in bodies)
        return SECTION_ALIGNMENT * (1 + used)

    if imports:
        rva = next_rva()
        directories[1] = (rva, 20 * (len(imports) + 1))
        bodies.append(_import_section(imports, rva))
    if import_rva is not None:
        directories[1] = (import_rva, 40)
    if versions is not None or resources is not None:
        rva = next_rva()
        tree = resources if resources is not None else resource_tree(versions or {}, rva)
        directories[2] = (rva, len(tree))
        bodies.append(tree)
    if is_dotnet:
        directories[14] = (SECTION_ALIGNMENT, 72)

    fixed = 112 if plus else 96
    optional_size = fixed + 8 * min(directory_count, 16) if optional_size is None else optional_size
    count = len(bodies) if section_count is None else section_count
    head_end = pe_offset + 24 + optional_size + 40 * len(bodies)
    raw_start = _round(head_end, FILE_ALIGNMENT)
    shown_headers = raw_start if headers_size is None else headers_size
    raw, rows, rva = b"", b"", SECTION_ALIGNMENT
    for number, body in enumerate(bodies):
        padded = body + bytes(-len(body) % FILE_ALIGNMENT)
        at = raw_start + len(raw) if first_raw_offset is None or number else first_raw_offset
        rows += struct.pack("<8sIIIIIIHHI", b".s%d" % number, len(body), rva, len(padded), at, 0, 0, 0, 0, 0x60000020)
        raw += padded
        rva += _round(max(1, len(body)), SECTION_ALIGNMENT)
    image = raw_start + len(raw) + len(overlay)
    if table:
        overlay += bytes(-image % 8)
        real_offset, real_size = raw_start + len(raw) + len(overlay), len(table)
    else:
        real_offset = real_size = 0
    directories[4] = (
        real_offset if table_offset is None else table_offset,
        real_size if table_size is None else table_size,
    )

    optional = bytearray(max(optional_size, fixed))
    struct.pack_into("<H", optional, 0, (0x20B if plus else 0x10B) if magic is None else magic)
    struct.pack_into("<II", optional, 32, section_alignment, FILE_ALIGNMENT)
    struct.pack_into("<HH", optional, 48, 6, 0)
    struct.pack_into("<II", optional, 56, rva, shown_headers)
    struct.pack_into("<I", optional, 64, checksum or 0)
    struct.pack_into("<HH", optional, 68, subsystem, dll_characteristics)
    struct.pack_into("<I", optional, fixed - 4, directory_count)
    for index, pair in enumerate(directories[: max(0, optional_size - fixed) // 8]):
        struct.pack_into("<II", optional, fixed + 8 * index, *pair)
    characteristics = 0x0022 | (0x2000 if is_dll else 0)
    coff = struct.pack("<HHIIIHH", machine, count, 0, 0, 0, optional_size, characteristics)
    dos = bytearray(max(64, pe_offset))
    dos[:2] = b"MZ"
    struct.pack_into("<H", dos, 0x18, 0x40)
    head = bytes(dos[:pe_offset]) + b"PE\0\0" + coff + bytes(optional[:optional_size]) + rows
    head = head[:0x3C] + struct.pack("<I", pe_offset) + head[0x40:]
    data = head + bytes(raw_start - len(head)) + raw + overlay + table + after_table
    return with_checksum(data) if checksum is None else data


def with_checksum(data: bytes) -> bytes:
    """The same image with the CheckSum that ImageHlp would compute, word by word."""
    at = struct.unpack_from("<I", data, 0x3C)[0] + 24 + 64
    zeroed = data[:at] + bytes(4) + data[at + 4 :]
    total = 0
    for (word,) in struct.iter_unpack("<H", zeroed + bytes(len(zeroed) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return data[:at] + struct.pack("<I", total + len(data)) + data[at + 4 :]


def checksum_offset(data: bytes) -> int:
    return int(struct.unpack_from("<I", data, 0x3C)[0]) + 24 + 64


def security_entry_offset(data: bytes) -> int:
    optional = int(struct.unpack_from("<I", data, 0x3C)[0]) + 24
    return optional + (128 if data[optional : optional + 2] == b"\x0b\x01" else 144)


def _round(size: int, alignment: int) -> int:
    return size + -size % alignment


def _import_section(modules: Sequence[str], rva: int) -> bytes:
    names_at = 20 * (len(modules) + 1)
    rows, names = b"", b""
    for module in modules:
        rows += struct.pack("<IIIII", 0, 0, 0, rva + names_at + len(names), rva)
        names += module.encode() + b"\0"
    return rows + bytes(20) + names
