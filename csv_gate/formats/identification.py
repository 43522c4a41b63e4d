"""What a file is, once more of it than its head may be looked at. The one place where that is decided, for files and for members."""

from __future__ import annotations

from collections.abc import Callable
from mmap import mmap
from typing import Final

from csv_gate.formats import detect
from csv_gate.lazy import regex
from csv_gate.limits import Limits

OLE: Final = "ole"
JSCRIPT: Final = "jscript"
JAVASCRIPT: Final = "javascript"
INSTALLERS: Final = {
    bytes.fromhex("8410 0c00 0000 0000 c000 0000 0000 0046"): "msi",
    bytes.fromhex("8610 0c00 0000 0000 c000 0000 0000 0046"): "msp",
    bytes.fromhex("8210 0c00 0000 0000 c000 0000 0000 0046"): "mst",
}
"""Class id of a compound file's root storage -> format (Windows Installer's own class ids, 000C1082 to 000C1086)."""
UNSETTLED: Final = frozenset({OLE, JSCRIPT, detect.ZIP, detect.UNKNOWN})
"""What `detect_format` says of a head where the rest of the file may say otherwise."""
Read = Callable[[int, int], bytes]
"""The octets of a file from one place to another, fewer where it ends."""

_WSH_OBJECTS: Final = regex(rb"\bW\0?S\0?c\0?r\0?i\0?p\0?t\b|\bA\0?c\0?t\0?i\0?v\0?e\0?X\0?O\0?b\0?j\0?e\0?c\0?t")
"""What a JScript must name to reach anything outside of itself under Windows Script Host; scripts for browsers and Node do not."""
_WSH_NAMES: Final = (b"WScript", b"ActiveXObject")
_VOLUME_AT: Final = 0x8001
_VOLUMES: Final = frozenset({b"CD001", b"BEA01"})
"""ISO 9660 (ECMA-119, 8.1.2) and UDF (ECMA-167, 2/9.1), which both begin after 16 sectors of 2048 bytes that belong to none of them."""
_APPLE_TRAILER_BYTES: Final = 512


def identify(data: bytes | mmap | memoryview, *, name: str | None, limits: Limits) -> str:
    """The format of a whole file, attacker-controlled."""
    with memoryview(data) as view:
        size = len(view)
        head = bytes(view[: detect.HEAD_BYTES])
        format = detect.detect_format(head, size, name)
        if format == detect.PE:
            at = int.from_bytes(head[0x3C:0x40], "little")
            return detect.DOS_MZ if at + 4 <= size and bytes(view[at : at + 4]) != b"PE\0\0" else format
        return settle(format, lambda start, stop: bytes(view[start:stop]), size, limits)


def settle(format: str, read: Read, size: int, limits: Limits) -> str:
    """The format of a file of `size` bytes, where `detect_format` may have said one of `UNSETTLED`. Only what decides is read.

    Raises whatever `read` does.
    """
    if format in (detect.ZIP, detect.UNKNOWN):
        format = _archive(format, read, size)
    if format == detect.UNKNOWN:
        return _disk_image(read, size)
    if format == OLE:
        from csv_gate.formats.compound_file import root_class

        return INSTALLERS.get(root_class(read), OLE)
    if format == JSCRIPT and not _is_for_script_host(read, size, limits):
        return JAVASCRIPT
    return format


def _archive(format: str, read: Read, size: int) -> str:
    """A ZIP file by its directory, of which the end of the file may hold a part only."""
    tail_at = max(0, size - detect.ZIP_TAIL_BYTES)
    tail = read(tail_at, size)
    found = detect.name_by_end(format, tail)
    if found == detect.UNKNOWN:
        return found
    start, end = detect.directory_span(tail)
    if start >= 0 or tail_at + start < 0:
        return found
    start, end = tail_at + start, tail_at + end
    return detect.name_by_directory(read(start, min(end, start + detect.MAX_DIRECTORY_BYTES)))


def _disk_image(read: Read, size: int) -> str:
    if read(_VOLUME_AT, min(size, _VOLUME_AT + 5)) in _VOLUMES:
        return "iso"
    if size >= _APPLE_TRAILER_BYTES and read(size - _APPLE_TRAILER_BYTES, size)[:4] == b"koly":
        return "dmg"
    return detect.UNKNOWN


def _is_for_script_host(read: Read, size: int, limits: Limits) -> bool:
    """Whether a `.js` file is for Windows Script Host: it is signed for it, or names its objects; a huge file may."""
    if size > limits.max_script_bytes:
        return True
    data = read(0, size)
    plain = data.replace(b"\0", b"")
    if b"// SIG // " in plain:
        return True
    # The pattern takes its time, and where it fits the bare names are found.
    return any(name in plain for name in _WSH_NAMES) and _WSH_OBJECTS.search(data) is not None
