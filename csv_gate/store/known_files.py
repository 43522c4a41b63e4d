"""Which digest (`content_hash`) a file had, by its identity: path, device, inode, size, and the two times in nanoseconds.

Read only where the user trusts the file system (`trust-files`). Setting a file's times changes its ctime, which no program can set;
renaming, linking and overwriting do too. What an identity cannot tell are two writes within one tick of the clock, so an identity is
kept only if both times lay `SETTLED_NS` before the moment of looking (git's index calls the others "racily clean"), and it is
believed only while the clock stands later than it did then.

Only files whose facts are kept are known, which are PE images: what is known of another format would have to be read anyway.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from csv_gate.store.database import Database, Row

SETTLED_NS: Final = 60 * 1_000_000_000
"""A page that a program has mapped is written back, and its file's times set, within 35 seconds by Linux's defaults."""

Identity = tuple[int, int, int, int, int]
"""What the file system says of a file without its being opened: device, inode, size, and when its content and when anything of it was
last changed, in nanoseconds."""

_TOLD: Final = struct.Struct("<QQQqqq32s")
"""What a row tells: an identity, the moment of looking, and the digest, which has 32 bytes by every content hash."""
_KEY_BYTES: Final = 16
"""Of a folder. Whoever made two folders of one key would still have to make files of one identity."""
_SUM_BYTES: Final = 16
_SPARE_ROWS: Final = 64
_SELECT: Final = "SELECT name, told, sum FROM files WHERE folder = ? AND name"


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
        self._kept_in: tuple[str, bytes] | None = None
        """The folder of the file that was last kept, and its key: files come folder by folder."""

    def digests_of(self, files: Iterable[Listed]) -> dict[str, bytes]:
        """By location, the digests of those files that nothing has touched since."""
        folders: defaultdict[str, dict[bytes, Listed]] = defaultdict(dict)
        for file in files:
            folder, separator, name = file.location.rpartition(os.sep)
            folders[folder + separator][_encoded(name)] = file
        now_ns = self._database.clock()
        found = {}
        for folder, asked in folders.items():
            key = _folder_key(folder)
            for name_bytes, told, checksum in self._rows(key, asked):
                if (known := asked.get(name_bytes)) is None:
                    continue
                digest = _believed(key + name_bytes, told, checksum, known.identity, now_ns)
                if digest is not None:
                    found[known.location] = digest
        return found

    def _rows(self, folder_key: bytes, asked: Mapping[bytes, Listed]) -> list[Row]:
        """What is kept of the files of one folder that are asked for, and of some that are not.

        A row in its turn costs a third of what one by its name does, but a few files may be asked for of very many that are kept.
        """
        most = 2 * len(asked) + _SPARE_ROWS
        values = (folder_key, min(asked), max(asked), most)
        rows = self._database.rows(f"{_SELECT} BETWEEN ? AND ? ORDER BY name LIMIT ?", values)
        if len(rows) == most:
            last = rows[-1][0]
            beyond = [name for name in asked if name > last]
            rows += self._database.rows_by_key(f"{_SELECT} IN", beyond, within=(folder_key,)).values()
        return rows

    def now_ns(self) -> int:
        """The moment to hand to `keep`: taken before the file is opened."""
        return self._database.clock()

    def keep(self, path: str, identity: Identity, digest: bytes, looked_ns: int) -> None:
        """Remember the digest of a file whose identity was the same before and after reading; not of one that was just written."""
        _, inode, _, modified_ns, changed_ns = identity
        # A listing on Windows has no inode numbers.
        if not inode or not _is_settled(modified_ns, changed_ns, looked_ns):
            return
        folder, separator, name = path.rpartition(os.sep)
        if self._kept_in is None or self._kept_in[0] != folder + separator:
            self._kept_in = folder + separator, _folder_key(folder + separator)
        key, name_bytes = self._kept_in[1], _encoded(name)
        try:
            told = _TOLD.pack(*identity, looked_ns, digest)
        except struct.error:
            return  # a time beyond the year 2262, or a file system that counts beyond 64 bits
        row = (key, name_bytes, told, _checksum(key + name_bytes + told))
        self._database.later("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", *row)


def _believed(key: bytes, told: bytes, checksum: object, identity: Identity | None, now_ns: int) -> bytes | None:
    """The digest in a row, if the row is whole and under its own key, and nothing has touched the file since."""
    try:
        device, inode, size, modified_ns, changed_ns, looked_ns, digest = _TOLD.unpack(told)
    except (struct.error, TypeError):
        return None
    if (device, inode, size, modified_ns, changed_ns) != identity or checksum != _checksum(key + told):
        return None
    # Where the clock was set back since, a later write may bear any time.
    is_certain = looked_ns <= now_ns and _is_settled(modified_ns, changed_ns, looked_ns)
    return bytes(digest) if is_certain else None


def _is_settled(modified_ns: int, changed_ns: int, looked_ns: int) -> bool:
    settled_ns = looked_ns - SETTLED_NS
    return modified_ns <= settled_ns and changed_ns <= settled_ns


def _checksum(row: bytes) -> bytes:
    return hashlib.blake2b(row, digest_size=_SUM_BYTES).digest()


def _folder_key(folder: str) -> bytes:
    absolute = os.path.abspath(folder)  # noqa: PTH100, lexical
    return hashlib.blake2b(_encoded(absolute), digest_size=_KEY_BYTES).digest()


def _encoded(text: str) -> bytes:
    """Of a path, whatever it is made of: no two are the same bytes."""
    return text.encode("utf-8", "surrogatepass")
