"""Decompression in bounded pieces: gzip, xz, bzip2, Zstandard and raw deflate behind one shape.

Several streams one behind the other are one content (RFC 1952 section 2.2; the xz format section 2; bzip2 and zstd tools). What follows
the last stream and is not zeros is an error: it is nothing that any tool gives back, and nobody has looked at it.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import CHUNK_BYTES, View, slices
from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.limits import Limits

_BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class Decompressor(Protocol):
    """One stream, as `bz2` and `lzma` of the standard library have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Deflate:
    """`zlib` in that shape. `wbits` as in `zlib.decompressobj`: 31 for gzip, -15 for raw deflate."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._pending = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._pending

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        given = self._pending + data
        out = self._inner.decompress(given, max(0, max_length))
        self._pending = self._inner.unconsumed_tail
        return out


def _gzip(limits: Limits) -> Decompressor:
    del limits  # a window of deflate has 32 KiB
    return Deflate(31)


def _xz(limits: Limits) -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.max_decompressor_bytes)


def _lzma(limits: Limits) -> Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=limits.max_decompressor_bytes)


def _bzip2(limits: Limits) -> Decompressor:
    del limits  # at most 900 KB a block
    return bz2.BZ2Decompressor()


def _zstd(limits: Limits) -> Decompressor:
    """Raises ArtifactError where no library for it is installed."""
    from csv_gate.containers.zstandard_stream import open_stream

    return open_stream(limits)


STREAMS: dict[str, Callable[[Limits], Decompressor]] = {
    "gzip": _gzip,
    "xz": _xz,
    "bzip2": _bzip2,
    "lzma": _lzma,
    "zstd": _zstd,
}
"""Format, as `detect_format` names it -> a new decompressor."""


def unpacked(data: View, format: str, budget: Budget) -> Iterator[bytes]:
    """All content of a compressed file, accounted for.

    Raises:
        FormatError: damaged, cut short, or followed by something else.
        LimitError: it unpacks to far more than its size, or needs too much memory.
    """
    source = slices(data, 0, len(data))
    pending = b""
    packed = given = 0
    is_first = True
    while True:
        while not (pending if is_first else pending.strip(b"\0")):  # zeros behind a stream are padding
            if not (pending := next(source, b"")):
                return
            packed += len(pending)
        stream = STREAMS[format](budget.limits)
        pending = pending if is_first else pending.lstrip(b"\0")
        while not stream.eof:
            piece, is_hungry = b"", stream.needs_input
            if is_hungry:
                piece, pending = pending, b""
                if not piece:
                    piece = next(source, b"")
                    packed += len(piece)
            out = pull(stream, piece)
            if is_hungry and not out and not piece and not stream.eof:
                raise FormatError("the compressed data end too early")
            given += len(out)
            budget.check_ratio(given, packed)
            budget.spend(len(out))
            if out:
                yield out
        pending, is_first = stream.unused_data, False


def pull(stream: Decompressor, piece: bytes) -> bytes:
    """The next piece of content.

    Raises:
        FormatError, LimitError: of the library, in our words.
    """
    try:
        return stream.decompress(piece, CHUNK_BYTES)
    except MemoryError as error:
        raise LimitError("decompressing needs too much memory (max_decompressor_bytes)") from error
    except ArtifactError:
        raise
    except _BROKEN as error:
        if isinstance(error, lzma.LZMAError) and "memory" in str(error).lower():
            raise LimitError("decompressing needs too much memory (max_decompressor_bytes)") from error
        raise FormatError(f"the compressed data are damaged: {error}") from error


class Reader:
    """Exact reads over pieces, for formats that are read front to back."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = View(b"")
        self.position = 0

    def piece(self, most: int) -> bytes:
        """At least one byte and at most `most`; empty at the end."""
        while not self._rest:
            if (chunk := next(self._chunks, None)) is None:
                return b""
            self._rest = View(chunk)
        found = bytes(self._rest[:most])
        self._rest = self._rest[len(found) :]
        self.position += len(found)
        return found

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer at the end only. `size` must be bounded by the caller."""
        parts = []
        while size and (found := self.piece(size)):
            parts.append(found)
            size -= len(found)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """How many bytes of `size` were there."""
        skipped = 0
        while skipped < size and (found := self.piece(size - skipped)):
            skipped += len(found)
        return skipped

    def push_back(self, data: bytes) -> None:
        """Read these again."""
        self._rest = View(data + bytes(self._rest))
        self.position -= len(data)
