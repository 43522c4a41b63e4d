"""One listed file, and what tells that it is still that file.

Both are tuples: a tree has a great many of them, and a tuple is made in a third of the time of a record.
"""

from __future__ import annotations

import os
from operator import attrgetter
from typing import NamedTuple


class FileIdentity(NamedTuple):
    """What tells that a file is still the one that was listed."""

    device: int
    inode: int
    size: int
    """Bytes."""
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        return tuple.__new__(cls, _told_by(status))


_told_by = attrgetter("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
"""The fields of `FileIdentity`, in its order."""


class Entry(NamedTuple):
    """One file to look at, or one place that could not be looked into."""

    path: str
    """As reports show it: the given path and what was found below it, `/` between folders."""
    scope: str
    """The path that patterns are matched with: below the run's base folder, else below the given folder."""
    location: str
    """What to open; differs from `path` for links."""
    identity: FileIdentity | None = None
    is_included: bool = True
    """False: no include pattern names it, but one may name something inside it, if it is a container."""
    gap: str | None = None
    """Why it cannot be read."""
    beside: tuple[Entry, ...] = ()
    """Files in the same folder that, by their names, hold detached signatures of this one. Patterns do not take them away."""
    is_alone: bool = False
    """It is named as a detached signature, and the file that it would sign is not beside it."""

    @property
    def size(self) -> int:
        return self.identity.size if self.identity else 0

    @property
    def is_folder(self) -> bool:
        """A folder that could not be listed: anything may be in it, for any target."""
        return self.path.endswith("/")
