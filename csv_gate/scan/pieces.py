"""The bytes of a listed file piece by piece through one buffer, for whoever only hashes them.

A whole file in memory costs a page fault for every four kilobytes; a buffer that is used again costs none, and what was read into it
is still in the processor's cache when it is hashed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO

from csv_gate.limits import KIB
from csv_gate.scan.reading import Entry, check_listed, check_unchanged, open_listed, unreadable

PIECE_BYTES = 256 * KIB
_PAGE_BYTES = 4096


def piece_buffer() -> memoryview:
    """A buffer for `read_pieces`. Not shared by processes: what is forked gets a copy."""
    # glibc begins large blocks 16 bytes into a page, and copying there takes three times as long on Zen 3 ("rep movsb" with FSRM).
    return memoryview(bytearray(PIECE_BYTES + _PAGE_BYTES - 16))[_PAGE_BYTES - 16 :]


def read_pieces(entry: Entry, buffer: memoryview) -> Iterator[memoryview]:
    """All bytes of a listed file in order, each piece until the next is asked for.

    Raises:
        ArtifactError: it cannot be opened or read, is not the file that was listed, or (at the end) changed while it was read.
    """
    descriptor = open_listed(entry)
    try:
        identity = check_listed(descriptor, entry)
        with FileIO(descriptor, closefd=False) as file:
            while size := file.readinto(buffer):
                yield buffer[:size]
        check_unchanged(descriptor, identity)
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(descriptor)
