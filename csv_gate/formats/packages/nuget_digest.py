"""What the signature of a NuGet package is over: a text with the digest of the package as it was without the signature.

Sources: NuGet/Home wiki, "Package signature technical details"; APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import Final

from csv_gate.errors import FormatError
from csv_gate.formats.packages.zip_members import CHUNK_BYTES, Listing
from csv_gate.formats.zip_directory import Entry
from csv_gate.lazy import regex

END: Final = struct.Struct("<4s4H2LH")
"""The end record (APPNOTE 4.3.16)."""
_CENTRAL_OFFSET_AT: Final = 42
"""Of the local header's offset within a record of the central directory (APPNOTE 4.3.12)."""
ALGORITHMS: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_HASH_LINE: Final = regex(r"([0-9.]+)-Hash:([A-Za-z0-9+/=]+)")


def signed_digest(text: bytes) -> tuple[str, bytes]:
    """The signed text: `Version:1`, an empty line, `OID-Hash:base64`, an empty line."""
    try:
        lines = text.decode("ascii").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError("the signed text is not ASCII") from error
    if lines[:2] != ["Version:1", ""]:
        raise FormatError("the signed text is not of version 1", got=repr(lines[:1]))
    found = [match for line in lines[2:] if (match := _HASH_LINE.fullmatch(line))]
    if len(found) != 1 or any(line and not _HASH_LINE.fullmatch(line) for line in lines[2:]):
        raise FormatError("the signed text does not hold exactly one digest")
    algorithm = ALGORITHMS.get(found[0][1])
    if algorithm is None:
        raise FormatError("the digest of the package is of a kind that NuGet does not use", got=found[0][1])
    try:
        value = base64.b64decode(found[0][2], validate=True)
    except binascii.Error as error:
        raise FormatError("the digest of the package is not base64") from error
    if len(value) != hashlib.new(algorithm).digest_size:
        raise FormatError("the digest of the package has a wrong length", got=f"{len(value)} bytes")
    return algorithm, value


def package_digest(listing: Listing, signature: Entry, algorithm: str) -> bytes:
    """The digest of the package as it was before `signature` was put in.

    Raises:
        FormatError: bytes belong to no member, so that what was signed cannot be told.
    """
    data, hasher = listing.data, hashlib.new(algorithm)
    ordered = sorted(listing.entries, key=lambda entry: entry.header_at)
    ends = [*(entry.header_at for entry in ordered[1:]), listing.directory.start]
    if ordered[0].header_at != 0:
        raise FormatError("bytes stand before the first member")
    removed = 0
    for entry, end in zip(ordered, ends, strict=True):
        start = listing.content_at(entry)
        if entry is signature:
            removed = end - entry.header_at
            if start + entry.packed != end:
                raise FormatError("bytes behind the signature file belong to no member")
            continue
        for at in range(entry.header_at, end, CHUNK_BYTES):
            hasher.update(data[at : min(at + CHUNK_BYTES, end)])
    for entry in listing.entries:
        if entry is not signature:
            hasher.update(_moved(data, entry, removed if entry.header_at > signature.header_at else 0))
    hasher.update(_shortened_end(listing, signature, removed))
    return hasher.digest()


def _moved(data: memoryview, entry: Entry, by: int) -> bytes:
    """A record of the central directory, with the local header `by` bytes nearer to the beginning."""
    record = bytearray(data[entry.record_at : entry.record_end])
    offset = int.from_bytes(record[_CENTRAL_OFFSET_AT : _CENTRAL_OFFSET_AT + 4], "little") - by
    if offset < 0:
        raise FormatError("a record of the directory points before the archive")
    record[_CENTRAL_OFFSET_AT : _CENTRAL_OFFSET_AT + 4] = offset.to_bytes(4, "little")
    return bytes(record)


def _shortened_end(listing: Listing, signature: Entry, removed: int) -> bytes:
    at = listing.directory.end
    magic, disk, start_disk, here, count, size, offset, comment = END.unpack_from(listing.data, at)
    size -= signature.record_end - signature.record_at
    if magic != b"PK\x05\x06" or here < 1 or count < 1 or size < 0 or offset < removed:
        raise FormatError("the end record does not fit the archive")
    end = END.pack(magic, disk, start_disk, here - 1, count - 1, size, offset - removed, comment)
    return end + bytes(listing.data[at + END.size :])
