"""Facts of files that were read before, found again by the SHA-256 of the bytes.

An entry's key is made of the file's digest and of all that extraction depends on besides: the extractor's version, limits, roots,
keys and catalogs. So a changed file, another catalog or another release never meets an old entry. Each entry carries a checksum over key
and text; what does not fit is as good as not there. Trouble with the store itself (damaged, locked, full, read-only) costs the
speed, not the run.

A second table says which digest a file had by its identity: path, device, inode, size, and the two times in nanoseconds. It is read
only where the user trusts the file system (`trust-files`). Setting a file's times changes its ctime, which no program can set;
renaming, linking and overwriting do too. What an identity cannot tell are two writes within one tick of the clock, so an identity is
kept only if both times lay `SETTLED_NS` before the moment of looking (git's index calls the others "racily clean"), and it is
believed only while the clock stands later than it did then.

SQLite with a write-ahead log: one file for any number of entries, which any number of processes may read and write.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from csv_gate.formats.settings import ExtractionSettings
from csv_gate.limits import MIB
from csv_gate.model.facts import FACTS_VERSION, Facts
from csv_gate.store.facts_text import UNREADABLE, FactsReader, FactsWriter, unwritten
from csv_gate.store.location import is_private

FILE_NAME: Final = "facts.sqlite"
MOST_BYTES: Final = 256 * MIB
"""Facts of some 150,000 signed files."""
SETTLED_NS: Final = 60 * 1_000_000_000
"""A page that a program has mapped is written back, and its file's times set, within 35 seconds by Linux's defaults."""
_DAY_NS: Final = 86_400 * 1_000_000_000
_WAIT_S: Final = 2.0
_BATCH: Final = 64
_SUM_BYTES: Final = 16
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, day INTEGER NOT NULL, sum BLOB NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (key BLOB PRIMARY KEY, looked_ns INTEGER NOT NULL, sha256 BLOB NOT NULL, sum BLOB NOT NULL);
"""


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


def settings_key(settings: ExtractionSettings, tool_version: str) -> bytes:
    """All that facts depend on besides the bytes of the file."""
    catalogs = [(catalog.path, catalog.sha256) for catalog in settings.catalogs.catalogs]
    roots = settings.roots
    given = [hashlib.sha256(der).hexdigest() for der in roots.given]
    everything = (
        FACTS_VERSION,
        tool_version,
        repr(settings.limits),
        settings.takes_sha1,
        settings.verify_all_checksums,
        roots.includes_known,
        given,
        [hashlib.sha256(keys).hexdigest() for keys in settings.openpgp_keys],
        catalogs,
    )
    return hashlib.sha256(repr(everything).encode("utf-8", "surrogateescape")).digest()


KEPT_FORMAT: Final = "pe"


class FactsCache:
    """One process's door to the kept facts. Not to be carried over a fork."""

    def __init__(
        self,
        folder: Path,
        settings: bytes,
        *,
        clock: Callable[[], int] = time.time_ns,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`settings` is a `settings_key`; `clock` gives nanoseconds since 1970. Raises nothing: a store that cannot be used stays empty."""
        self._settings = settings
        self._clock = clock
        self._most_bytes = most_bytes
        self._day = clock() // _DAY_NS
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._reader = FactsReader(self._find_part)
        self._writer = FactsWriter(self._keep_part)
        self.path = folder / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        with self._spared():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if is_private(folder) and not unwritten():
                self._connection = _connect(self.path)

    @property
    def is_usable(self) -> bool:
        return self._connection is not None

    # --- by content ---------------------------------------------------------------------------------------------------

    def facts(self, sha256: bytes) -> Facts | None:
        """The facts of a file with this digest, as they were extracted; `None`: not known."""
        key = self._key(sha256)
        row = self._one("SELECT day, sum, body FROM facts WHERE key = ?", key)
        if row is None:
            return None
        day, checksum, body = row
        try:
            if checksum != _sum(key, body.encode("ascii")):
                raise ValueError("damaged")
            facts = self._reader.facts(body)
            if facts.digests is None or facts.digests.sha256 != sha256.hex():
                raise ValueError("another file's facts")
        except UNREADABLE:
            self._later("DELETE FROM facts WHERE key = ?", key)
            return None
        if day != self._day:
            self._later("UPDATE facts SET day = ? WHERE key = ?", self._day, key)
        return facts

    def keep(self, facts: Facts) -> None:
        """Keep what extraction came to. Facts without digests are of no file.

        Of PE images only: what other files are depends on their names too, and the key holds content alone.
        """
        if self._connection is None or facts.digests is None or facts.format != KEPT_FORMAT:
            return
        key = self._key(bytes.fromhex(facts.digests.sha256))
        try:
            body = self._writer.text(facts)
            checksum = _sum(key, body.encode("ascii"))
        except UNREADABLE:
            return
        self._later("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", key, self._day, checksum, body)

    # --- by file identity ---------------------------------------------------------------------------------------------

    def sha256_of(self, path: str, identity: Identity) -> bytes | None:
        """The digest that this very file had when it was last read, if nothing has touched it since; `None`: read it."""
        if not identity.inode:
            return None  # a listing on Windows has no inode numbers
        key = _file_key(path, identity)
        row = self._one("SELECT looked_ns, sha256, sum FROM files WHERE key = ?", key)
        if row is None:
            return None
        looked_ns, sha256, checksum = row
        if not isinstance(looked_ns, int) or not isinstance(sha256, bytes):
            return None
        if checksum != _sum(key, looked_ns.to_bytes(16, "big", signed=True) + sha256):
            return None
        # Where the clock was set back since, a later write may bear any time.
        return sha256 if self._clock() >= looked_ns and _is_settled(identity, looked_ns) else None

    def now_ns(self) -> int:
        """The moment to hand to `keep_identity`: taken before the file is opened."""
        return self._clock()

    def keep_identity(self, path: str, identity: Identity, sha256: bytes, looked_ns: int) -> None:
        """Remember the digest of a file whose identity was the same before and after reading; not of one that was just written."""
        if not identity.inode or not _is_settled(identity, looked_ns):
            return
        key = _file_key(path, identity)
        checksum = _sum(key, looked_ns.to_bytes(16, "big", signed=True) + sha256)
        self._later("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", key, looked_ns, sha256, checksum)

    # --- the store ----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what waits, in one step."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        with self._spared() as connection:
            if connection is None:
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in waiting:
                    connection.execute(statement, values)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            if size_of(connection) > self._most_bytes:
                trim(connection, self._most_bytes // 2)
                self._writer = FactsWriter(self._keep_part)

    def close(self) -> None:
        """Write what waits, and let go."""
        self.flush()
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _key(self, sha256: bytes) -> bytes:
        return hashlib.sha256(self._settings + sha256).digest()

    def _later(self, statement: str, *values: object) -> None:
        if self._connection is None:
            return
        self._waiting.append((statement, values))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def _keep_part(self, name: str, text: str) -> None:
        self._later("INSERT OR IGNORE INTO parts VALUES (?, ?)", name, text)

    def _find_part(self, name: str) -> str:
        row = self._one("SELECT body FROM parts WHERE name = ?", name)
        if row is None:
            raise LookupError(name)
        return str(row[0])

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        if self._connection is None:
            return None
        try:
            row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
            return None
        return row

    @contextmanager
    def _spared(self) -> Iterator[sqlite3.Connection | None]:
        try:
            yield self._connection
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        """What goes wrong with the store ends its use in this process. One that is damaged is taken away for the next."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if type(error) is sqlite3.DatabaseError:  # its subclasses are of other faults: locked, full, read-only
            discard(self.path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    with suppress(OSError):
        path.chmod(0o600)
    # Losing the last writes to a crash loses nothing that cannot be found out again.
    connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_SCHEMA}")
    return connection


def _sum(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=key, digest_size=_SUM_BYTES).digest()


def _file_key(path: str, identity: Identity) -> bytes:
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


def size_of(connection: sqlite3.Connection) -> int:
    """Bytes of the store, its log apart."""
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(page_bytes)


def trim(connection: sqlite3.Connection, keep_bytes: int) -> None:
    """Let go of what was not used for longest, until about `keep_bytes` are left. Parts go all at once, and the entries with them."""
    connection.execute("BEGIN IMMEDIATE")
    parts = connection.execute("SELECT coalesce(sum(length(body)), 0) FROM parts").fetchone()[0]
    left = keep_bytes - parts if parts < keep_bytes // 2 else 0
    if not left:
        connection.execute("DELETE FROM facts")
        connection.execute("DELETE FROM parts")
    for rowid, length in connection.execute(
        "SELECT rowid, length(body) + 256 FROM facts ORDER BY day DESC, rowid DESC"
    ).fetchall():
        left -= length
        if left < 0:
            connection.execute("DELETE FROM facts WHERE rowid = ?", (rowid,))
    connection.execute("DELETE FROM files")
    connection.execute("COMMIT")
    connection.execute("VACUUM")


def discard(path: Path) -> None:
    """Take a store away, with its log. Processes that have it open go on with what they opened."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()
