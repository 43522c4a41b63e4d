"""Digests of a PE image: flat, Authenticode, first page, and the page-hash table.

Authenticode ("Windows Authenticode Portable Executable Signature Format", March 2008, "Calculating the PE Image Hash") omits
CheckSum, the directory entry of the certificate table, and the table. Everything else is hashed as it stands in the file, first
byte to last, bytes behind the table too. Hashing raw ranges in file order, and not section by section, gives the signer's digest
even where SizeOfHeaders reaches into the first section.

A page-hash table lists {u32 file offset, digest}: first the header page, then each section cut into pages, in the order of the section
table; a short page is filled with zeros; the last entry holds the end offset and a zero digest. The header page covers the header
bytes up to SizeOfHeaders *without* the omitted CheckSum and directory entry, followed by as many zeros as bring the covered *file
range* to one page: so 12 octets less than a page are hashed. This is what the first entry of the tables in Microsoft-signed files is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from csv_gate.formats.pe_layout import PeLayout
from csv_gate.model.facts import Digests

CHUNK_BYTES: Final = 256 * 1024
"""All hashers are fed one chunk while it is in the processor's cache. 16 KiB to 4 MiB measure alike; the GIL is released per call."""

ALGORITHMS: Final = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})


class PeContent:
    """A PE image as signatures are compared with it (`csv_gate.signatures.SignedContent`). Digests are taken once each."""

    def __init__(self, view: memoryview, layout: PeLayout, known: dict[str, bytes] | None = None) -> None:
        self._view = view
        self._layout = layout
        self._digests: dict[str, bytes] = dict(known or {})
        self._tables: dict[str, bytes | None] = {}

    def digest(self, algorithm: str) -> bytes | None:
        """Authenticode digest; `None`: unknown algorithm, or a file that Authenticode cannot lay out."""
        if algorithm not in ALGORITHMS or self._layout.not_authenticode is not None:
            return None
        if algorithm not in self._digests:
            hasher = _new(algorithm)
            for chunk, is_covered in _chunks(self._view, _omitted(self._layout)):
                if is_covered:
                    hasher.update(chunk)
            self._digests[algorithm] = hasher.digest()
        return self._digests[algorithm]

    def page_hash_table(self, algorithm: str) -> bytes | None:
        """The octets that a page-hash attribute of this file would hold; `None`: the file has no such table."""
        if algorithm not in ALGORITHMS:
            return None
        if algorithm not in self._tables:
            self._tables[algorithm] = _page_hash_table(self._view, self._layout, algorithm)
        return self._tables[algorithm]


def digest_pe(
    view: memoryview, layout: PeLayout, known_flat: bytes | None = None, *, takes_sha1: bool = True
) -> tuple[Digests, PeContent]:
    """All digests that rules are compared with, in one pass over the file. `known_flat` is its SHA-256, where that was taken already;
    `takes_sha1`: Authenticode by SHA-1 too."""
    flat = _new("sha256")
    if layout.not_authenticode is not None:
        flat_sha1 = _new("sha1")
        feed(view, (flat, flat_sha1))
        return Digests(sha256=flat.hexdigest(), sha1=flat_sha1.hexdigest()), PeContent(view, layout)
    covering = {algorithm: _new(algorithm) for algorithm in (("sha256", "sha1") if takes_sha1 else ("sha256",))}
    hashers = tuple(covering.values())
    for chunk, is_covered in _chunks(view, _omitted(layout)):
        if known_flat is None:
            flat.update(chunk)
        if is_covered:
            for hasher in hashers:
                hasher.update(chunk)
    known = {algorithm: hasher.digest() for algorithm, hasher in covering.items()}
    padded = {}
    if padding := _padding(layout):
        for algorithm, hasher in covering.items():
            hasher.update(padding)
            padded[algorithm] = hasher.hexdigest()
    page = first_page(view, layout)
    digests = Digests(
        sha256=flat.hexdigest() if known_flat is None else known_flat.hex(),
        authenticode_sha1=known["sha1"].hex() if takes_sha1 else None,
        authenticode_sha256=known["sha256"].hex(),
        page_sha1=None if page is None else _new("sha1", page).hexdigest(),
        page_sha256=None if page is None else _new("sha256", page).hexdigest(),
        padded_authenticode_sha1=padded.get("sha1"),
        padded_authenticode_sha256=padded.get("sha256"),
    )
    return digests, PeContent(view, layout, known)


def feed(view: memoryview, hashers: Sequence[hashlib._Hash]) -> None:
    """Feed a whole file to several hashers, chunk by chunk."""
    for at in range(0, len(view), CHUNK_BYTES):
        chunk = view[at : at + CHUNK_BYTES]
        for hasher in hashers:
            hasher.update(chunk)


def first_page(view: memoryview, layout: PeLayout) -> bytes | None:
    """The octets whose hash is the first entry of a page-hash table; `None` where headers are longer than a page.

    No genuine table is known for headers beyond one page, so there the first page is unknown.
    """
    if layout.not_authenticode is not None or layout.headers_size > layout.page_size:
        return None
    head = bytes(view[: layout.headers_size])
    covered = b"".join(head[start:end] for start, end in _gaps(_omitted(layout), layout.headers_size))
    return covered + bytes(layout.page_size - layout.headers_size)


def _new(algorithm: str, data: bytes = b"") -> hashlib._Hash:
    return hashlib.new(algorithm, data, usedforsecurity=False)


def _padding(layout: PeLayout) -> bytes:
    """The zeros that a signer appends to an unsigned file, so that the table starts at a multiple of 8."""
    return bytes(-layout.size % 8) if layout.table == (0, 0) else b""


def _omitted(layout: PeLayout) -> list[tuple[int, int]]:
    """Ranges that Authenticode leaves out, in file order, disjoint for every layout that it can lay out."""
    ranges = [(layout.checksum_offset, layout.checksum_offset + 4)]
    if layout.security_entry_offset is not None:
        ranges.append((layout.security_entry_offset, layout.security_entry_offset + 8))
    offset, length = layout.table
    if offset and length:
        ranges.append((offset, offset + length))
    return ranges


def _gaps(omitted: Iterable[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    """What is left of [0, end) without the omitted ranges."""
    at = 0
    for start, stop in omitted:
        if start < end:
            yield at, start
            at = stop
    yield at, max(at, end)


def _chunks(view: memoryview, omitted: Iterable[tuple[int, int]]) -> Iterator[tuple[memoryview, bool]]:
    """The whole file in order, cut so that each chunk is covered by Authenticode as a whole or not at all."""
    at = 0
    for start, stop in [*omitted, (len(view), len(view))]:
        for covered_at in range(at, start, CHUNK_BYTES):
            yield view[covered_at : min(covered_at + CHUNK_BYTES, start)], True
        for omitted_at in range(start, stop, CHUNK_BYTES):
            yield view[omitted_at : min(omitted_at + CHUNK_BYTES, stop)], False
        at = stop


def _page_hash_table(view: memoryview, layout: PeLayout, algorithm: str) -> bytes | None:
    page = first_page(view, layout)
    sections = [section for section in layout.sections if section.raw_size]
    # Overlapping sections would let a small file ask for endless work.
    if page is None or sum(section.raw_size for section in sections) > layout.size:
        return None
    rows = [bytes(4) + _new(algorithm, page).digest()]
    end = layout.headers_size
    for section in sections:
        end = section.raw_end
        for at in range(section.raw_offset, end, layout.page_size):
            stop = min(at + layout.page_size, end)
            hasher = _new(algorithm)
            hasher.update(view[at:stop])
            hasher.update(bytes(layout.page_size - (stop - at)))
            rows.append(at.to_bytes(4, "little") + hasher.digest())
    rows.append(end.to_bytes(4, "little") + bytes(_new(algorithm).digest_size))
    return b"".join(rows)
