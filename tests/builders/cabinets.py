"""Writes cabinets: a header, some octets in place of folders and files, and a signature behind them; or with files that can be read."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.builders import ca, cms, lzx
from tests.builders.containers import Files, pairs

BODY = b"folders, files and data" * 9


def cabinet(*, body: bytes = BODY, reserve: bytes | None = None, flags: int = 0, length: int | None = None) -> bytes:
    """An unsigned cabinet. `reserve`: the reserved area of the header; `length`: what the header says of the whole."""
    area = b"" if reserve is None else struct.pack("<HBB", len(reserve), 0, 0) + reserve
    flags |= 0 if reserve is None else 4
    size = 36 + len(area) + len(body)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, length or size, 0, 36 + len(area), 0, 3, 1, 1, 2, flags, 7, 0)
    return head + area + body


def signed(signer: ca.Identity, *, body: bytes = BODY, digest: str = "sha256", behind: bytes = b"", **options: Any) -> bytes:
    """A signed cabinet; `behind` follows the signature."""
    plain = cabinet(body=body, reserve=bytes(20))
    covered = plain[:4] + plain[8:34] + plain[56:]
    value = b"\xa2\x02\x80\x00"
    options = {"data_type": cms.FLAT_DATA, "value": value} | options
    block = cms.authenticode(signer, hashlib.new(digest, covered).digest(), digest=digest, **options)
    return plain[:40] + struct.pack("<III", 0x100000, len(plain), len(block)) + plain[52:] + block + behind


MSZIP, LZX = 1, 3


def blocks(data: bytes, method: int) -> list[tuple[bytes, int]]:
    """Octets and unpacked size of each data block of a folder."""
    pieces = [data[at : at + 32768] for at in range(0, len(data), 32768)]
    match method & 0xF:
        case 1:
            packed, last = [], b""
            for piece in pieces:
                packer = (
                    zlib.compressobj(9, zlib.DEFLATED, -15, zdict=last) if last else zlib.compressobj(9, zlib.DEFLATED, -15)
                )
                packed.append(b"CK" + packer.compress(piece) + packer.flush())
                last = piece
        case 3:
            packed = lzx.frames(data, window_bits=method >> 8)
        case _:
            packed = pieces
    return [(one, len(piece)) for one, piece in zip(packed, pieces, strict=True)]


def checksum(data: bytes, seed: int) -> int:
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        seed ^= word
    return seed ^ int.from_bytes(data[whole:], "big")


@dataclass(frozen=True, kw_only=True)
class CabFolder:
    """One folder of a cabinet. `blocks`: in place of what packing gives."""

    files: Files
    method: int = MSZIP
    blocks: Sequence[tuple[bytes, int]] | None = None


def cab_of(
    *folders: CabFolder,
    flags: int = 0,
    volumes: Sequence[str] = (),
    folder_numbers: Mapping[str, int] | None = None,
    starts: Mapping[str, int] | None = None,
    reserve: tuple[int, int, int] | None = None,
    with_checksums: bool = True,
    list_gap: bytes = b"",
) -> bytes:
    """A cabinet that holds something. `volumes`: names that `flags` speak of; `folder_numbers`, `starts`: lies about files."""
    area = b"" if reserve is None else struct.pack("<HBB", *reserve) + bytes(reserve[0])
    flags |= 0 if reserve is None else 4
    names = b"".join(name.encode() + b"\0disk\0" for name in volumes)
    _, folder_reserve, data_reserve = reserve or (0, 0, 0)
    listed, data_at, rows = b"", [], b""
    count = 0
    data = b""
    for number, folder in enumerate(folders):
        at = 0
        for name, content in pairs(folder.files):
            encoded = name.encode("utf-8", "surrogateescape")
            is_utf8 = not name.isascii()
            where = (folder_numbers or {}).get(name, number)
            start = (starts or {}).get(name, at)
            listed += struct.pack("<IIHHHH", len(content), start, where, 0, 0, 0x80 if is_utf8 else 0)
            listed += encoded.replace(b"/", b"\\") + b"\0"
            at += len(content)
            count += 1
        packed = blocks(b"".join(content for _, content in pairs(folder.files)), folder.method)
        packed = list(packed if folder.blocks is None else folder.blocks)
        data_at.append((len(data), len(packed), folder.method))
        for octets, size in packed:
            sizes = struct.pack("<HH", len(octets), size)
            value = checksum(sizes, checksum(octets, 0)) if with_checksums else 0
            data += struct.pack("<I", value) + sizes + bytes(data_reserve) + octets
    begins = 36 + len(area) + len(names)
    files_at = begins + len(folders) * (8 + folder_reserve) + len(list_gap)
    for at, how_many, method in data_at:
        rows += struct.pack("<IHH", files_at + len(listed) + at, how_many, method) + bytes(folder_reserve)
    size = files_at + len(listed) + len(data)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, files_at, 0, 3, 1, len(folders), count, flags, 7, 0)
    return head + area + names + rows + list_gap + listed + data


def cab(files: Files) -> bytes:
    return cab_of(CabFolder(files=files))


def lzx_cab(files: Files) -> bytes:
    return cab_of(CabFolder(files=files, method=LZX | 16 << 8))
