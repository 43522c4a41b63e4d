"""7-Zip archives, by the optional library `py7zr`. It gives contents and asks for none, so all of an archive is unpacked to an unnamed
temporary file first, within the budget.

What it would do on its own is bounded here: memory that a coder asks for, the number of entries of a header. Encrypted archives and coders
that it does not know are not read. Entries that it passes over (it takes Unix sockets for nothing, other tools for files) make the archive
unreadable.

Source: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import CHUNK_BYTES, Item, Member, View
from csv_gate.errors import ArtifactError, FormatError, LimitError

if TYPE_CHECKING:
    from csv_gate.limits import Limits

_LZMA, _LZMA2, _PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"
_MAX_HEADER_BYTES: Final = 16 * 1024 * 1024
"""Of a header, unpacked. It has some 100 bytes for each member."""
_MAX_FOLDERS: Final = 65_536
_MAX_ENTRIES: Final = 262_144
"""Each costs the library 200 bytes."""


def open_seven_zip(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a 7z archive, in the order in which they are unpacked. See `Opener`."""
    del name
    unpacked: list[tuple[str, int, int]] = []
    with tempfile.TemporaryFile(prefix="csv-gate-") as file:
        _unpack(data, file, unpacked, budget)
        file.flush()
        for path, start, end in unpacked:
            yield Member(name=path, chunks=partial(_pieces, file, start, end))


def _pieces(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    left = end - start
    while left:
        piece = file.read(min(left, CHUNK_BYTES))
        left -= len(piece)
        yield piece


def _unpack(data: View, file: IO[bytes], unpacked: list[tuple[str, int, int]], budget: Budget) -> None:
    """Raises ArtifactError where anything of the archive cannot be read: its members are packed together."""
    try:
        import py7zr
        from py7zr import archiveinfo
    except ImportError as error:
        raise FormatError(
            "7-Zip archives are opened with a library that is not installed", help='pip install "csv-gate[7z]"'
        ) from error
    # The library's own bounds let a header of one megabyte ask for gigabytes; nothing else in this process uses it.
    archiveinfo.MAX_NUMFILES = _MAX_ENTRIES
    archiveinfo.MAX_NUMFOLDERS = _MAX_FOLDERS
    archiveinfo.MAX_HEADER_SIZE = _MAX_HEADER_BYTES
    try:
        with py7zr.SevenZipFile(io.BufferedReader(_Octets(data))) as archive:
            if archive.needs_password():
                raise FormatError("the archive is encrypted")
            _check_coders(archive, budget.limits)
            _check_entries(archive, budget)
            archive.extractall(factory=_writers(file, unpacked, budget))
    except ArtifactError:
        raise
    except MemoryError as error:
        raise LimitError("unpacking the archive takes too much memory") from error
    except Exception as error:  # a foreign parser on hostile octets: whatever it trips over, the archive is not read
        if budget.exhausted is not None:
            raise budget.exhausted from error
        raise FormatError(
            f"the 7-Zip archive is damaged, or packed in a way that is not read: {type(error).__name__}"
        ) from error


def _check_coders(archive: Any, limits: Limits) -> None:
    """The memory that decoders will ask for stands in the properties of each coder."""
    streams = archive.header.main_streams
    for folder in streams.unpackinfo.folders if streams is not None else ():
        for coder in folder.coders:
            method, properties = bytes(coder["method"]), bytes(coder["properties"] or b"")
            window = 0
            if method in (_LZMA, _PPMD):
                window = int.from_bytes(properties[1:5], "little")
            elif method == _LZMA2 and properties:
                bits = properties[0]
                window = 0xFFFF_FFFF if bits >= 40 else (2 | bits & 1) << (bits // 2 + 11)
            if window > limits.max_decompressor_bytes:
                raise LimitError("decompressing needs too much memory (max_decompressor_bytes)", got=f"{window} bytes")


def _check_entries(archive: Any, budget: Budget) -> None:
    budget.spend_members(len(archive.files))
    for entry in archive.files:
        budget.check_name(len(entry.filename.encode("utf-8", "surrogatepass")))
        if (entry.is_directory or entry.is_socket) and not entry.emptystream:
            raise FormatError("an entry that claims to be a folder or a socket has content", got=repr(entry.filename[:100]))
        if not entry.emptystream and entry.uncompressed > budget.limits.max_member_bytes:
            raise LimitError("the member is too large (max_member_bytes)", got=f"{entry.uncompressed} bytes")


def _writers(file: IO[bytes], unpacked: list[tuple[str, int, int]], budget: Budget) -> Any:
    from py7zr import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        """One member, at the end of the file."""

        def __init__(self, index: int) -> None:
            self._index = index

        def write(self, piece: bytes | bytearray) -> int:
            budget.spend(len(piece))
            path, start, end = unpacked[self._index]
            file.seek(end)
            file.write(piece)
            unpacked[self._index] = (path, start, end + len(piece))
            return len(piece)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            pass

        def size(self) -> int:
            _, start, end = unpacked[self._index]
            return end - start

    class Writers(WriterFactory):
        def create(self, filename: str) -> Py7zIO:
            end = file.seek(0, io.SEEK_END)
            unpacked.append((filename, end, end))
            return Writer(len(unpacked) - 1)

    return Writers()


class _Octets(io.RawIOBase):
    """A view as a file."""

    def __init__(self, data: View) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
