"""Which digest (`content_hash`) a file had, by its identity: path, device, inode, size, and the two times in nanoseconds.

Read only where the user trusts the file system (`trust-files`). Setting a file's times changes its ctime, which no program can set;
renaming, linking and overwriting do too. What an identity cannot tell are two writes within one tick of the clock, so an identity is
kept only if both times lay `SETTLED_NS` before the moment of looking (git's index calls the others "racily clean"), and it is
believed only while the clock stands later than it did then.

Only files whose facts are kept are known, which are PE images: what is known of another format would have to be read anyway.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from typing import Final, Protocol

from csv_gate.store.database import Database, Row

SETTLED_NS: Final = 60 * 1_000_000_000
"""A page that a program has mapped is written back, and its file's times set, within 35 seconds by Linux's defaults."""

Identity = tuple[int, int, int, int, int]
"""What the file system says of a file without its being opened: device, inode, size, and when its content and when anything of it was
last changed, in nanoseconds."""

_TOLD: Final = struct.Struct("<QQQqqq32s")
"""What an entry tells: an identity, the moment of looking, and the digest, which has 32 bytes by every content hash."""
_SUM_BYTES: Final = 16
_ENTRY: Final = struct.Struct(f"{_TOLD.format}{_SUM_BYTES}s")
"""That, and a checksum over the path and all of it. One column: very many are read, and each column costs."""
_SELECT: Final = "SELECT path, entry FROM files WHERE path"
_RUN: Final = 256
"""Files in one question."""
_checksum: Final = partial(blake2b, digest_size=_SUM_BYTES)
"""What tells that an entry is whole, and under its own path."""


class Listed(Protocol):
    """A file as a listing has it."""

    @property
    def location(self) -> str: ...
    @property
    def identity(self) -> Identity | None: ...


class KnownFiles:
    """The digests of files as they were when they were last read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folders = _Folders()

    def digests_of(self, files: Iterable[Listed]) -> dict[str, bytes]:
        """By location, the digests of those files that nothing has touched since."""
        asked = {self._path(file.location): file for file in files}
        found = {}
        now_ns = self._database.clock()
        for path, entry in self._rows(sorted(asked)):
            file = asked.get(path)
            if file is not None and (digest := _believed(path, entry, file.identity, now_ns)) is not None:
                found[file.location] = digest
        return found

    def _rows(self, paths: Sequence[bytes]) -> Iterator[Row]:
        """What is kept of the files with these sorted paths, and of some that lie between them.

        A row in its turn costs a quarter of what one by its path does, and files of a tree follow one another; but a few may be asked
        for of very many that are kept.
        """
        for start in range(0, len(paths), _RUN):
            run = paths[start : start + _RUN]
            most = 3 * len(run)
            rows = self._database.rows(f"{_SELECT} BETWEEN ? AND ? ORDER BY path LIMIT ?", (run[0], run[-1], most))
            yield from rows
            if len(rows) == most:
                rest = run[bisect_right(run, rows[-1][0]) :]
                yield from self._database.rows_by_key(f"{_SELECT} IN", rest).values()

    def now_ns(self) -> int:
        """The moment to hand to `keep`: taken before the file is opened."""
        return self._database.clock()

    def keep(self, location: str, identity: Identity, digest: bytes, looked_ns: int) -> None:
        """Remember the digest of a file whose identity was the same before and after reading; not of one that was just written."""
        _, inode, _, modified_ns, changed_ns = identity
        if not inode or not _is_settled(modified_ns, changed_ns, looked_ns):  # a listing on Windows has no inode numbers
            return
        try:
            told = _TOLD.pack(*identity, looked_ns, digest)
        except struct.error:
            return  # a time beyond the year 2262, or a file system that counts beyond 64 bits
        path = self._path(location)
        self._database.later("INSERT OR REPLACE INTO files VALUES (?, ?)", path, told + _checksum(path + told).digest())

    def _path(self, location: str) -> bytes:
        """The absolute path. No two become the same bytes, whatever characters they are made of."""
        folder, separator, name = location.rpartition(os.sep)
        return (self._folders[folder + separator] + name).encode("utf-8", "surrogatepass")


class _Folders(dict[str, str]):
    """The absolute paths of folders, worked out once for all files in one."""

    def __missing__(self, folder: str) -> str:
        absolute = os.path.join(os.path.abspath(folder), "")  # noqa: PTH100, PTH118, lexical, with a separator at the end
        self[folder] = absolute
        return absolute


def _believed(path: bytes, entry: bytes, identity: Identity | None, now_ns: int) -> bytes | None:
    """The digest in an entry, if the entry is whole, and nothing has touched the file since. Anybody may have written the entry."""
    try:
        device, inode, size, modified_ns, changed_ns, looked_ns, digest, checksum = _ENTRY.unpack(entry)
    except (struct.error, TypeError):
        return None
    if (device, inode, size, modified_ns, changed_ns) != identity or checksum != _checksum(path + entry[:-_SUM_BYTES]).digest():
        return None
    # Where the clock was set back since, a later write may bear any time.
    return digest if looked_ns <= now_ns and _is_settled(modified_ns, changed_ns, looked_ns) else None


def _is_settled(modified_ns: int, changed_ns: int, looked_ns: int) -> bool:
    settled_ns = looked_ns - SETTLED_NS
    return modified_ns <= settled_ns and changed_ns <= settled_ns
