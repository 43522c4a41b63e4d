"""What an opener gives: members, and what is odd about the container."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from mmap import mmap
from typing import TYPE_CHECKING, Protocol

from csv_gate.model.problems import Problem
from csv_gate.records import dataclass, field

if TYPE_CHECKING:
    from csv_gate.containers.budget import Budget

INSIDE = "!/"
"""Between the path of a container and the name of its member."""

View = memoryview
"""The bytes of a container, attacker-controlled; over bytes in memory or over a read-only mapping."""
Content = bytes | mmap
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member with content. Folders, links and devices are none."""

    name: str
    """As the container has it, `/` between folders. Attacker-controlled: may be absolute, climb out, repeat, hold anything."""
    chunks: Callable[[], Iterator[bytes]]
    """Reads the content in pieces of at most `CHUNK_BYTES`, once, before the next member is asked for. Raises ArtifactError for what
    cannot be read; then the other members are still good where the format can tell."""
    inner_names: Mapping[str, str] = field(default_factory=dict)
    """If it is a container: names that its members have outside of it, where this container says so."""


Item = Member | Problem


class Opener(Protocol):
    """Opens one kind of container: its members in the container's own order, problems wherever they are met.

    `data` stays good until the iterator is done. `name` is the container's own last name. Bytes that are unpacked are accounted for with
    the budget. Raises ArtifactError where nothing more of the container can be read.
    """

    def __call__(self, data: View, name: str, budget: Budget) -> Iterator[Item]: ...


def slices(data: View, start: int, end: int) -> Iterator[bytes]:
    """A stretch of a view in pieces."""
    for at in range(start, end, CHUNK_BYTES):
        yield bytes(data[at : min(at + CHUNK_BYTES, end)])
