"""The bytes of a listed file piece by piece through one buffer, for whoever only hashes them.

A whole file in memory costs a page fault for every four kilobytes; a buffer that is used again costs none, and what was read into it
is still in the processor's cache when it is hashed.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Generator
from io import FileIO

from csv_gate.limits import KIB
from csv_gate.scan.reading import Entry, check_listed, check_unchanged, open_listed, unreadable

PIECE_BYTES = 256 * KIB
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
"""Python's default is memory that a forked process would write into as well."""


def piece_buffer() -> memoryview:
    """A buffer for `read_pieces`, at the start of a page: an allocator begins large blocks 16 bytes into one, and copying to there takes
    three times as long on some processors (AMD Zen 3)."""
    return memoryview(mmap.mmap(-1, PIECE_BYTES, **_PRIVATE))


def _read_into(descriptor: int, buffer: memoryview) -> int:
    if hasattr(os, "readv"):
        return os.readv(descriptor, [buffer])
    with FileIO(descriptor, closefd=False) as file:  # Windows
        return file.readinto(buffer) or 0


def read_pieces(entry: Entry, buffer: memoryview) -> Generator[memoryview]:
    """All bytes of a listed file in order, each piece until the next is asked for.

    Raises:
        ArtifactError: it cannot be opened or read, is not the file that was listed, or (at the end) changed while it was read.
    """
    descriptor = open_listed(entry)
    try:
        identity = check_listed(descriptor, entry)
        while size := _read_into(descriptor, buffer):
            yield buffer[:size]
        check_unchanged(descriptor, identity)
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(descriptor)
