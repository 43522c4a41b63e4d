"""A compressed file: the members of a tar archive in it, else the one file that it is.

`app.tar.gz` reads as one container, `app.tar.gz!/lib/app.dll`, as people and tools see it.
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import CHUNK_BYTES, Item, Member, Opener, View
from csv_gate.containers.streams import Reader, unpacked
from csv_gate.containers.tar import BLOCK, tar_members
from csv_gate.formats import is_tar

_ENDINGS = (".gz", ".xz", ".bz2", ".zst", ".lzma")
UNNAMED = "content"
"""The one member where the container's name does not tell its name."""


def compressed(format: str) -> Opener:
    """The opener of files of that compression."""

    def open_compressed(data: View, name: str, budget: Budget) -> Iterator[Item]:
        """See `Opener`."""
        reader = Reader(unpacked(data, format, budget))
        head = reader.read(BLOCK)
        reader.push_back(head)
        if is_tar(head):
            yield from tar_members(reader, budget)
        else:
            yield Member(name=member_name(name), chunks=lambda: _pieces(reader))

    return open_compressed


def member_name(name: str) -> str:
    """The name that unpacking gives: `app.dll.gz` holds `app.dll`. A name kept inside the file is not used, as no tool does by default."""
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), None)
    return name[: -len(ending)] if ending and len(name) > len(ending) else UNNAMED


def _pieces(reader: Reader) -> Iterator[bytes]:
    while piece := reader.piece(CHUNK_BYTES):
        yield piece
