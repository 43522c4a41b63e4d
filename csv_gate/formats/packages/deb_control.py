"""The control file of a Debian package, deb-control(5): what the package says of itself. Nothing of it is judged."""

from __future__ import annotations

import lzma
import zlib
from typing import Final

from csv_gate.limits import Limits
from csv_gate.model.facts import PackageFacts

_MOST: Final = 4 << 20
"""Unpacked bytes of the control archive that are looked at. Control files come first, and have a few kilobytes."""
_MOST_PACKED: Final = 1 << 20
_BLOCK: Final = 512
_NAMES: Final = frozenset({b"./control", b"control"})
_REGULAR: Final = frozenset({b"0", b"\0"})


def read_control(name: str, content: memoryview, limits: Limits) -> PackageFacts:
    """Name, version, architecture and maintainer; nothing where the archive cannot be read here (zstd, damage). Never raises.

    `name` is that of the archive, whose extension tells how it is packed.
    """
    fields = _fields(_control_file(_unpacked(name, content)))
    most = limits.max_text_characters

    def text(key: str) -> str | None:
        found = fields.get(key)
        return None if found is None else found[:most]

    return PackageFacts(
        name=text("package"), version=text("version"), publisher=text("maintainer"), architecture=text("architecture")
    )


def _unpacked(name: str, content: memoryview) -> bytes:
    packed = bytes(content[:_MOST_PACKED])
    try:
        if name.endswith(".gz"):
            return zlib.decompressobj(wbits=31).decompress(packed, _MOST)
        if name.endswith(".xz"):
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=80 << 20).decompress(packed, _MOST)
    except (zlib.error, lzma.LZMAError):
        return b""
    return packed if name.endswith(".tar") else b""


def _control_file(archive: bytes) -> bytes:
    """The control file of a tar archive (POSIX, ustar)."""
    at = 0
    while at + _BLOCK <= len(archive):
        header = archive[at : at + _BLOCK]
        digits = header[124:136].strip(b" \0")
        if not header[0] or not digits or digits.strip(b"01234567"):
            return b""
        size = int(digits, 8)
        start = at + _BLOCK
        if header[:100].rstrip(b"\0") in _NAMES and header[156:157] in _REGULAR:
            return archive[start : start + size]
        at = start + size + -size % _BLOCK
    return b""


def _fields(text: bytes) -> dict[str, str]:
    """Fields by their names in lower case. Of one that is there twice nothing is told: dpkg refuses such a file."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for line in text.decode("utf-8", "replace").split("\n"):
        key, colon, value = line.partition(":")
        if not colon or line[:1] in (" ", "\t", "#"):
            continue
        name = key.lower()
        if name in found:
            twice.add(name)
        found[name] = value.strip()
    return {name: value for name, value in found.items() if name not in twice}
