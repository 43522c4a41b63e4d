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
from collections.abc import Iterable
from typing import Final, Protocol

from csv_gate.store.database import Database, Row
from csv_gate.store.facts_cache import checksum

SETTLED_NS: Final = 60 * 1_000_000_000
"""A page that a program has mapped is written back, and its file's times set, within 35 seconds by Linux's defaults."""


class Identity(Protocol):
    """What the file system says of a file without its being opened."""

    @property
    def device(self) -> int: ...
    @property
    def inode(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def modified_ns(self) -> int: ...
    @property
    def changed_ns(self) -> int: ...


class KnownFiles:
    """The digests of files as they were when they were last read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def digests_of(self, files: Iterable[tuple[str, Identity]]) -> dict[str, bytes]:
        """By path, the digests of those files that nothing has touched since."""
        # A listing on Windows has no inode numbers.
        asked = {_key(path, identity): (path, identity) for path, identity in files if identity.inode}
        rows = self._database.rows_by_key("SELECT key, looked_ns, digest, sum FROM identities WHERE key IN", list(asked))
        now = self._database.clock()
        found = {}
        for key, row in rows.items():
            path, identity = asked[key]
            if (digest := _believed(row, identity, now)) is not None:
                found[path] = digest
        return found

    def now_ns(self) -> int:
        """The moment to hand to `keep`: taken before the file is opened."""
        return self._database.clock()

    def keep(self, path: str, identity: Identity, digest: bytes, looked_ns: int) -> None:
        """Remember the digest of a file whose identity was the same before and after reading; not of one that was just written."""
        if not identity.inode or not _is_settled(identity, looked_ns):
            return
        key = _key(path, identity)
        row = (key, looked_ns, digest, checksum(key, _told(looked_ns, digest)))
        self._database.later("INSERT OR REPLACE INTO identities VALUES (?, ?, ?, ?)", *row)


def _believed(row: Row, identity: Identity, now_ns: int) -> bytes | None:
    key, looked_ns, digest, found = row
    if not isinstance(looked_ns, int) or not isinstance(digest, bytes):
        return None
    if found != checksum(key, _told(looked_ns, digest)):
        return None
    # Where the clock was set back since, a later write may bear any time.
    return digest if now_ns >= looked_ns and _is_settled(identity, looked_ns) else None


def _told(looked_ns: int, digest: bytes) -> bytes:
    return looked_ns.to_bytes(16, "big", signed=True) + digest


def _key(path: str, identity: Identity) -> bytes:
    told = (
        os.path.abspath(path),  # noqa: PTH100, lexical
        identity.device,
        identity.inode,
        identity.size,
        identity.modified_ns,
        identity.changed_ns,
    )
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).digest()


def _is_settled(identity: Identity, looked_ns: int) -> bool:
    return max(identity.modified_ns, identity.changed_ns) + SETTLED_NS <= looked_ns
