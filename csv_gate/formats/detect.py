"""What a file is, told from its first bytes and its size; of text, whose bytes do not say which host runs it, from its name too.

The answer is a word of `FORMATS`. Formats that the gate cannot judge yet are still named, so that a report can say what was seen.
Nothing is verified here: `pe` means that the bytes claim to be a PE image, `catalog` that they claim to be a security catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final

from csv_gate.formats.file_names import format_of_name
from csv_gate.lazy import regex

HEAD_BYTES: Final = 4096
"""What `detect_format` wants to see of a file, or all of it where the file is shorter."""

PE: Final = "pe"
CATALOG: Final = "catalog"
DOS_MZ: Final = "dos_mz"
POLICY_XML: Final = "policy_xml"
TEXT: Final = "text"
EMPTY: Final = "empty"
UNKNOWN: Final = "unknown"

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x7fELF", "elf"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"MSCF\0\0\0\0", "cab"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"!<arch>\ndebian-binary", "deb"),
    (0, b"!<arch>\n", "ar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"LZIP", "lzip"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x1f\x9d", "compress"),
    (0, b"070701", "cpio"),
    (0, b"070702", "cpio"),
    (0, b"070707", "cpio_old"),
    (0, b"MSWIM\0\0\0", "wim"),
    (0, b"ISc(", "installshield_cab"),
    (0, b"hsqs", "squashfs"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"conectix", "vhd"),
    (0, b"xar!", "xar"),
    (0, b"%PDF-", "pdf"),
    (0, b"\xca\xfe\xba\xbe", "macho_or_class"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\xfe\xed\xfa\xcf", "macho"),
    (0, b"\xfe\xed\xfa\xce", "macho"),
    (0, b"\0asm", "wasm"),
    (257, b"ustar", "tar"),
    (0, b"PKCX", "p7x"),
)
"""(offset, bytes, format). The first that fits counts."""
_MAGIC_BEHIND: Final = tuple(magic for magic in _MAGIC if magic[0])
_MAGIC_BY_START: Final = {
    start: tuple(magic for magic in _MAGIC if magic[0] or magic[1][:1] == start) for start in {magic[1][:1] for magic in _MAGIC}
}
"""Those that a file which begins with an octet may have, in the same order."""

_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
"""pkcs7-signedData, 1.2.840.113549.1.7.2 (RFC 5652, section 5.1)."""
_TRUST_LIST: Final = bytes.fromhex("06092b0601040182370a01")
"""szOID_CTL, 1.3.6.1.4.1.311.10.1: the content type of a security catalog."""
_CONTENT_TYPE_WINDOW: Final = 160
"""The content type follows the digest algorithms, of which real files have at most three."""


_BOMS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LEAST_BOM: Final = min(bom[:1] for bom, _ in _BOMS)
_CONTROL: Final = bytes({*range(0x20)} - {*range(0x09, 0x0E), 0x1B})
"""Octets that text in UTF-8 does not hold."""
_ROOT_ELEMENT: Final = regex(r"(?:\s|<\?.*?\?>|<!--.*?-->)*<(?:[\w.-]+:)?SiPolicy[\s>/]", re.S)


_NUSPEC: Final = b".nuspec"
"""The end of a name that is in no folder."""
_JAR_FOLDER: Final = b"META-INF/"
_JAR_FILE: Final = b".SF"
"""The end of a name in that folder. Names of signing files are compared without regard to case (JAR specification)."""
_ZIP_FLAVOURS: Final[tuple[tuple[tuple[bytes, ...], str], ...]] = (
    ((b"AppxBlockMap.xml",), "appx"),
    ((b"AppxSignature.p7x",), "appx"),
    ((b"extension.vsixmanifest",), "vsix"),
    ((b"AndroidManifest.xml", b"classes.dex"), "apk"),
    ((b"AndroidManifest.xml", b"resources.arsc"), "apk"),
    ((b"AppManifest.xaml",), "xap"),
    ((b"META-INF/MANIFEST.MF",), "jar"),
    ((_JAR_FILE,), "jar"),
    ((_NUSPEC,), "nupkg"),
    ((b".signature.p7s",), "nupkg"),
)
"""(member names in the central directory, format of the package). The first of which all are there counts."""
_MEMBER_LENGTHS: Final = Struct("<HHH")
"""Of a directory entry's name, extra field and comment (APPNOTE.TXT 4.3.12)."""
_END64_BYTES: Final = 56 + 20
"""The Zip64 end record and its locator."""
ZIP: Final = "zip"
ZIP_TAIL_BYTES: Final = 64 * 1024 + 22
"""An end record with the longest comment."""
MAX_DIRECTORY_BYTES: Final = 64 * 1024 * 1024
"""Of a list of members, in which the kind of package is looked for."""
TAR: Final = "tar"
LZMA: Final = "lzma"
_TAR_BLOCK: Final = 512


def detect_format(head: bytes, size: int, name: str | None = None) -> str:
    """The format of a file of `size` bytes that begins with `head` (its first `HEAD_BYTES`, or all of it).

    Where the PE header lies beyond `head` the answer is `pe`; `identify` looks at the whole file and may then say `dos_mz`. `name` (the
    file's name or path) only tells kinds of text apart; what the bytes show to be something else stays that.
    """
    found = _by_content(head, size)
    hint = format_of_name(name)
    if hint is None or found in (PE, DOS_MZ, EMPTY, POLICY_XML):
        return found
    return hint if found in (TEXT, UNKNOWN) or _text(head) == TEXT else found


def _by_content(head: bytes, size: int) -> str:
    if size == 0:
        return EMPTY
    start = head[:1]
    if head[:2] == b"MZ" and (found := _executable(head, size)):
        return TAR if found == DOS_MZ and is_tar(head) else found  # the name of an archive's first member may begin so
    for offset, magic, name in _MAGIC_BY_START.get(start, _MAGIC_BEHIND):
        if head.startswith(magic, offset):
            return name
    if start == b"\x5d" and is_lzma(head):
        return LZMA
    if start == b"\x30" and (found := _pkcs7(head)):
        return found
    return _text(head) or (TAR if is_tar(head) else UNKNOWN)


def name_by_end(format: str, tail: bytes) -> str:
    """What the last `ZIP_TAIL_BYTES` of a file make of what `detect_format` said: a ZIP file has its list of members there."""
    if format == UNKNOWN and ends_as_zip(tail):
        format = ZIP
    return name_zip(tail) if format == ZIP else format


def ends_as_zip(tail: bytes) -> bool:
    """Whether the last `ZIP_TAIL_BYTES` of a file end with a ZIP end record (APPNOTE.TXT 4.3.16). Readers find an archive from its end,
    so bytes before it hide it only from who looks at the beginning."""
    limit = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, limit)) >= 0:
        if at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            return True
        limit = at + 3
    return False


def is_tar(head: bytes) -> bool:
    """Whether a file begins with a tar header: the checksum over its 512 bytes, its own 8 taken as spaces, is right (POSIX pax, "ustar
    Interchange Format"). The form before POSIX has no other mark."""
    if len(head) < _TAR_BLOCK or not any(head[:100]):
        return False
    stated = head[148:156].strip(b" \0")
    if not stated or len(stated) > 7 or stated.strip(b"01234567"):
        return False
    block = head[:_TAR_BLOCK]
    return int(stated, 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


def is_lzma(head: bytes) -> bool:
    """Whether a file is in the older form of LZMA, which has no mark: properties, a dictionary of a size that encoders use, the size of the
    content or all ones, and a zero that begins the coded data (LZMA specification, "LZMA file format")."""
    if len(head) < 14 or head[0] != 0x5D or head[13]:
        return False
    window, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    lowest = window & -window
    return window >= 4096 and window in (lowest, lowest * 3) and (size == 0xFFFF_FFFF_FFFF_FFFF or size < 1 << 40)


def name_zip(tail: bytes) -> str:
    """Which kind of package a zip archive is, by the names in its directory as far as that is in its last `ZIP_TAIL_BYTES`."""
    start, end = directory_span(tail)
    return name_by_directory(tail[max(0, start) : end])


def name_by_directory(directory: bytes) -> str:
    """The same by the directory itself.

    Names in an archive that is stored as last member, and those in folders, are others' names: they name nothing.
    """
    names = set(_member_names(directory))
    for wanted, format in _ZIP_FLAVOURS:
        if all(_is_among(names, one) for one in wanted):
            return format
    return ZIP


def _is_among(names: set[bytes], wanted: bytes) -> bool:
    if wanted == _NUSPEC:
        return any(b"/" not in name and name.lower().endswith(wanted) for name in names)
    if wanted == _JAR_FILE or wanted.startswith(_JAR_FOLDER):
        upper = (name.upper() for name in names)
        return any(name.startswith(_JAR_FOLDER) and name.endswith(wanted) for name in upper)
    return wanted in names


def directory_span(tail: bytes) -> tuple[int, int]:
    """Where the central directory begins and ends, counted from the beginning of the tail, before which it may begin; of an archive that is
    cut short the whole tail."""
    end = tail.rfind(b"PK\x05\x06")
    while end >= 0 and end + 22 + int.from_bytes(tail[end + 20 : end + 22], "little") != len(tail):
        end = tail.rfind(b"PK\x05\x06", 0, end)
    if end < 0:
        return 0, len(tail)
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    longer = end - _END64_BYTES
    if longer >= 0 and tail[longer : longer + 4] == b"PK\x06\x06":
        size, end = int.from_bytes(tail[longer + 40 : longer + 48], "little"), longer
    return end - size, end


def _member_names(directory: bytes) -> Iterator[bytes]:
    at = directory.find(b"PK\x01\x02")
    while 0 <= at <= len(directory) - 46:
        name_size, extra_size, comment_size = _MEMBER_LENGTHS.unpack_from(directory, at + 28)
        yield directory[at + 46 : at + 46 + name_size]
        at = directory.find(b"PK\x01\x02", at + 46 + name_size + extra_size + comment_size)


def _executable(head: bytes, size: int) -> str | None:
    """PE format, "MS-DOS Stub": the u32 at 0x3c holds the file offset of the signature `PE\\0\\0`."""
    if len(head) < 64:
        return DOS_MZ if _holds_control(head) else None
    at = int.from_bytes(head[0x3C:0x40], "little")
    if at + 4 <= len(head):
        return PE if head[at : at + 4] == b"PE\0\0" else DOS_MZ
    if at + 4 <= size:
        return PE
    # The new header would lie past the end. A DOS program has its relocations where a new-style stub has its own fields.
    relocations_at = int.from_bytes(head[0x18:0x1A], "little")
    return PE if relocations_at >= 0x40 else DOS_MZ


def _pkcs7(head: bytes) -> str | None:
    at = head.find(_SIGNED_DATA, 0, 24)
    if at < 0:
        return None
    return CATALOG if head.find(_TRUST_LIST, at, at + _CONTENT_TYPE_WINDOW) >= 0 else "pkcs7"


def _holds_control(head: bytes) -> bool:
    # Taking them out and comparing lengths is several times quicker than searching for a set of octets; nearly every binary has a zero.
    return 0 in head or len(head.translate(None, _CONTROL)) != len(head)


def _text(head: bytes) -> str | None:
    encoding, body = "utf-8", head
    if head[:1] >= _LEAST_BOM:
        for bom, name in _BOMS:
            if head.startswith(bom):
                encoding, body = name, head[len(bom) :]
                break
    if encoding == "utf-8":
        if _holds_control(body):
            return None
        start = body.lstrip()[:1]
        if start != b"<" and start.isascii():
            return TEXT  # no element comes first; what is not ASCII may be white space
        if b"SiPolicy" not in body:  # the root element of a policy
            return TEXT
    text = body.decode(encoding, "replace")
    return POLICY_XML if _ROOT_ELEMENT.match(text) else TEXT
