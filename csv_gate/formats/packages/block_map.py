"""The block map of a packaged app: a digest for every 64 KiB of every file, by which Windows reads a package piece by piece.

Each file is listed with its size, the size of its local header, and the digests of its blocks as they are unpacked. Not compared: the
packed sizes of blocks, which let a reader find them without reading what stands before, and digests of whole files, which later maps
may add.

Source: Windows app docs, "App package block map schema reference".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from csv_gate.errors import FormatError, LimitError
from csv_gate.formats.packages.xml_elements import elements
from csv_gate.formats.packages.zip_members import Listing
from csv_gate.formats.zip_directory import Entry
from csv_gate.records import dataclass

BLOCK_BYTES: Final = 64 * 1024
_METHODS: Final = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}


@dataclass(frozen=True, slots=True)
class MappedFile:
    """One file as the map lists it. Attacker-controlled."""

    name: str
    """With `/` between folders."""
    size: int
    header_bytes: int | None
    """Of its local header, name and extra fields included."""
    blocks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BlockMap:
    algorithm: str
    files: tuple[MappedFile, ...]


def read_block_map(data: bytes) -> BlockMap:
    """Read a block map.

    Raises:
        FormatError: it is no block map, or lists a file twice.
        LimitError: it is too large a document.
    """
    files: dict[str, MappedFile] = {}
    blocks: list[bytes] = []
    algorithm: str | None = None
    root: tuple[str, ...] = ()
    for tag in elements(data):
        root = tag.path
        if tag.path == ("BlockMap", "File", "Block"):
            blocks.append(_digest(tag.attributes.get("Hash", "")))
        elif tag.path == ("BlockMap", "File"):
            name = tag.attributes.get("Name", "").replace("\\", "/")
            size, header = _number(tag.attributes.get("Size")), _number(tag.attributes.get("LfhSize"))
            if not name or size is None:
                raise FormatError("the block map lists a file without a name or a size", got=repr(name[:200]))
            if name.lower() in files:
                raise FormatError("the block map lists a file twice", got=repr(name[:200]))
            files[name.lower()] = MappedFile(name, size, header, tuple(blocks))
            blocks.clear()
        elif tag.path == ("BlockMap",):
            algorithm = _METHODS.get(tag.attributes.get("HashMethod", ""))
    if root != ("BlockMap",) or algorithm is None:
        raise FormatError("the block map names no digest that is known")
    return BlockMap(algorithm, tuple(files.values()))


def _digest(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("a digest in the block map is not base64", got=repr(text[:80])) from error


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None


def part_name(entry: Entry) -> str:
    """The name of a member as the map has it: names in the archive are those of OPC parts, where other characters are percent-encoded."""
    return unquote(entry.name, errors="surrogateescape")


def differences(listing: Listing, block_map: BlockMap, exempt: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """How the package and its map differ: (what, whether it is a member that the map does not list). Reads every listed file once.

    `exempt`: members that need not be listed.

    Raises:
        LimitError: the package unpacks to too much.
    """
    waiting = {one.name.lower(): one for one in block_map.files}
    for entry in listing.entries:
        name = part_name(entry)
        if entry.raw_name.endswith(b"/") and not entry.size:
            continue
        mapped = waiting.pop(name.lower(), None)
        if mapped is not None:
            try:
                why = _difference(listing, entry, mapped, block_map.algorithm)
            except LimitError:
                raise
            except FormatError as error:
                why = str(error)
            if why is not None:
                yield f"{name[:200]!r} is not what the block map says: {why}", False
        elif entry.name not in exempt:
            yield f"{name[:200]!r} is not in the block map", True
    for mapped in waiting.values():
        yield f"{mapped.name[:200]!r} is in the block map, but not in the package", False


def _difference(listing: Listing, entry: Entry, mapped: MappedFile, algorithm: str) -> str | None:
    if entry.size != mapped.size:
        return f"it has {entry.size} bytes, not {mapped.size}"
    header_bytes = listing.content_at(entry) - entry.header_at
    if mapped.header_bytes is not None and mapped.header_bytes != header_bytes:
        return f"its local header has {header_bytes} bytes, not {mapped.header_bytes}"
    number = 0
    for number, block in enumerate(_blocks(listing, entry), 1):
        if number > len(mapped.blocks) or hashlib.new(algorithm, block).digest() != mapped.blocks[number - 1]:
            return f"block {number} has another digest"
    return None if number == len(mapped.blocks) else f"{len(mapped.blocks)} blocks are listed, it has {number}"


def _blocks(listing: Listing, entry: Entry) -> Iterator[bytes]:
    """The content in blocks, the last one shorter."""
    rest = b""
    for chunk in listing.chunks(entry):
        rest = rest + chunk if rest else chunk
        whole = len(rest) - len(rest) % BLOCK_BYTES
        for at in range(0, whole, BLOCK_BYTES):
            yield rest[at : at + BLOCK_BYTES]
        rest = rest[whole:]
    if rest:
        yield rest
