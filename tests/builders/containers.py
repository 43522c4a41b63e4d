"""Builds containers in memory: every kind that is opened, and for ZIP one keyword for every lie."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Files = Mapping[str, bytes] | Sequence[tuple[str, bytes]]


def pairs(files: Files) -> list[tuple[str, bytes]]:
    return list(files.items()) if isinstance(files, Mapping) else list(files)


@dataclass(frozen=True, kw_only=True)
class ZipEntry:
    """One member; what is left out tells the truth."""

    name: str
    data: bytes = b""
    method: int = 8
    flags: int = 0x800
    packed: bytes | None = None
    size: int | None = None
    crc: int | None = None
    local_name: str | None = None
    gap: bytes = b""
    """Bytes before the local header that belong to no member."""
    same_place_as: int | None = None
    """Index of another entry whose local header this one shares."""


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def raw_zip(
    *members: ZipEntry,
    prefix: bytes = b"",
    trailing: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    zip64: bool = False,
    offsets_count_prefix: bool = False,
) -> bytes:
    body, central = bytearray(), bytearray()
    places: list[int] = []
    for member in members:
        packed = member.packed if member.packed is not None else deflated(member.data) if member.method == 8 else member.data
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        size = len(member.data) if member.size is None else member.size
        name = member.name.encode("utf-8", "surrogateescape")
        local = name if member.local_name is None else member.local_name.encode()
        if member.same_place_as is None:
            body += member.gap
            place = len(body)
            body += struct.pack(
                "<4s5H3L2H", b"PK\3\4", 20, member.flags, member.method, 0, 0, crc, len(packed), size, len(local), 0
            )
            body += local + packed
        else:
            place = places[member.same_place_as]
        places.append(place)
        at = place + (len(prefix) if offsets_count_prefix else 0)
        extra = struct.pack("<2H3Q", 1, 24, size, len(packed), at) if zip64 else b""
        sizes = (0xFFFF_FFFF, 0xFFFF_FFFF) if zip64 else (len(packed), size)
        central += struct.pack("<4s6H", b"PK\1\2", 45, 45, member.flags, member.method, 0, 0) + struct.pack("<L", crc)
        central += struct.pack("<2L5H2L", *sizes, len(name), len(extra), 0, 0, 0, 0, 0xFFFF_FFFF if zip64 else at)
        central += name + extra
    start = len(body) + (len(prefix) if offsets_count_prefix else 0)
    stated = len(members) if count is None else count
    end = b""
    if zip64:
        at = start + len(central)
        end += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, stated, stated, len(central), start)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, len(comment))
    else:
        end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, stated, stated, len(central), start, len(comment))
    return prefix + bytes(body) + bytes(central) + end + comment + trailing


def zip_of(files: Files, *, method: int = 8) -> bytes:
    return raw_zip(*(ZipEntry(name=name, data=data, method=method) for name, data in pairs(files)))


def tar_of(files: Files, *, format: int = tarfile.PAX_FORMAT, links: Mapping[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in pairs(files):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, to in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            archive.addfile(info)
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "xz": lambda data: lzma.compress(data, preset=0),
    "bz2": bz2.compress,
    "zst": zstd,
}


def compressed_tar(ending: str) -> Callable[[Files], bytes]:
    return lambda files: COMPRESSIONS[ending](tar_of(files))


def ar_of(files: Files) -> bytes:
    out = b"!<arch>\n"
    for name, data in pairs(files):
        out += (
            b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data)) + data + b"\n" * (len(data) % 2)
        )
    return out


def deb_of(files: Files, *, compression: str = "xz", extra: Files = ()) -> bytes:
    pack = COMPRESSIONS[compression]
    parts = [
        ("debian-binary", b"2.0\n"),
        (f"control.tar.{compression}", pack(tar_of({"./control": b"Package: demo\n"}))),
        (f"data.tar.{compression}", pack(tar_of(files))),
    ]
    return ar_of([*parts, *pairs(extra)])


def nupkg(files: Files) -> bytes:
    return zip_of([("demo.nuspec", b"<package/>"), *pairs(files)])


def vsix(files: Files) -> bytes:
    return zip_of([("extension.vsixmanifest", b"<PackageManifest/>"), *pairs(files)])


def jar(files: Files) -> bytes:
    return zip_of([("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n\r\n"), *pairs(files)])


def msix(files: Files) -> bytes:
    return zip_of([*pairs(files), ("AppxManifest.xml", b"<Package/>"), ("AppxBlockMap.xml", b"<BlockMap/>")])


KINDS: dict[str, Callable[[Files], bytes]] = {
    "app.zip": zip_of,
    "stored.zip": lambda files: zip_of(files, method=0),
    "zip64.zip": lambda files: raw_zip(*(ZipEntry(name=n, data=d) for n, d in pairs(files)), zip64=True),
    "app.nupkg": nupkg,
    "app.vsix": vsix,
    "app.jar": jar,
    "app.msix": msix,
    "app-1.0-py3-none-any.whl": zip_of,
    "app.tar": tar_of,
    "gnu.tar": lambda files: tar_of(files, format=tarfile.GNU_FORMAT),
    "ustar.tar": lambda files: tar_of(files, format=tarfile.USTAR_FORMAT),
    **{f"app.tar.{ending}": compressed_tar(ending) for ending in COMPRESSIONS},
}
"""File name -> builder. Members have the paths that were given."""


def seven_zip_of(files: Files, *, password: str | None = None, filters: Sequence[dict[str, int]] | None = None) -> bytes:
    import py7zr

    out = io.BytesIO()
    chosen = None if filters is None else list(filters)
    with py7zr.SevenZipFile(out, "w", password=password, filters=chosen) as archive:
        for name, data in pairs(files):
            archive.writestr(data, name)
    return out.getvalue()
