"""The file in which things are kept between runs: SQLite with a write-ahead log, one file that any number of processes read and write.

Trouble with it (damaged, locked, full, read-only) costs the speed, not the run: nothing here raises for that.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from csv_gate.limits import MIB
from csv_gate.store.location import is_private

FILE_NAME: Final = "facts.sqlite"
MOST_BYTES: Final = 256 * MIB
"""Facts of some 150,000 signed files."""
MOST_ASKED: Final = 64
"""Keys in one question; each costs a third of what it costs alone."""
_WAIT_S: Final = 2.0
_BATCH: Final = 64
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, day INTEGER NOT NULL, sum BLOB NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, entry BLOB NOT NULL) WITHOUT ROWID;
"""
Row = tuple[Any, ...]
"""As SQLite has it: of any types, since anybody may have written it."""


class Database:
    """One process's door to it, opened when it is first used: what is not open yet may be carried over a fork."""

    def __init__(self, folder: Path, *, clock: Callable[[], int] = time.time_ns, most_bytes: int = MOST_BYTES) -> None:
        """`clock` gives nanoseconds since 1970. Raises nothing: what cannot be used stays empty."""
        self._folder = folder
        self.path = folder / FILE_NAME
        self.clock = clock
        self.trims = 0
        """How often this process took away what was not used for longest: what it kept before may be gone."""
        self._most_bytes = most_bytes
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._opened: sqlite3.Connection | None = None
        self._is_ended = False

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept there that can be reached. Asking opens and makes nothing."""
        return not os.path.exists(self.path)  # noqa: PTH110, where `Path.exists` raises, this is False

    @property
    def is_usable(self) -> bool:
        return self._connection is not None

    @property
    def _connection(self) -> sqlite3.Connection | None:
        if self._opened is None and not self._is_ended:
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if is_private(self._folder):
                    self._opened = _connect(self.path)
                else:
                    self._is_ended = True
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._opened

    def rows(self, statement: str, values: Sequence[object]) -> list[Row]:
        """What a question comes to; nothing where there is trouble."""
        connection = self._connection
        if connection is None:
            return []
        try:
            return connection.execute(statement, values).fetchall()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
            return []

    def rows_by_key(self, statement: str, keys: Sequence[bytes]) -> dict[bytes, Row]:
        """The rows of many keys, by the key, which must be their first column. `statement` ends before the list of keys."""
        found: dict[bytes, Row] = {}
        for start in range(0, len(keys), MOST_ASKED):
            some = keys[start : start + MOST_ASKED]
            for row in self.rows(f"{statement} ({','.join('?' * len(some))})", some):
                found[row[0]] = row
        return found

    def later(self, statement: str, *values: object) -> None:
        """Write this with others in one step."""
        if self._is_ended:
            return
        self._waiting.append((statement, values))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one step."""
        waiting, self._waiting = self._waiting, []
        if not waiting or (connection := self._connection) is None:
            return
        try:
            _write(connection, waiting)
            if size_of(connection) > self._most_bytes:
                trim(connection, self._most_bytes // 2)
                self.trims += 1
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what waits, and let go."""
        self.flush()
        self._end()

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        """What goes wrong ends the use of it in this process. A file that is damaged is taken away for the next."""
        self._end()
        if type(error) is sqlite3.DatabaseError:  # its subclasses are of other faults: locked, full, read-only
            discard(self.path)

    def _end(self) -> None:
        opened, self._opened, self._is_ended = self._opened, None, True
        if opened is not None:
            with suppress(sqlite3.Error):
                opened.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    with suppress(OSError):
        path.chmod(0o600)
    # Losing the last writes to a crash loses nothing that cannot be found out again.
    connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_SCHEMA}")
    return connection


def _write(connection: sqlite3.Connection, statements: Sequence[tuple[str, tuple[object, ...]]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement, values in statements:
            connection.execute(statement, values)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def size_of(connection: sqlite3.Connection) -> int:
    """Bytes of the file, its log apart."""
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
    # Of an earlier version. Not dropped before: one may be at work in the same file.
    connection.execute("DROP TABLE IF EXISTS identities")
    connection.execute("COMMIT")
    connection.execute("VACUUM")


def discard(path: Path) -> None:
    """Take a file away, with its log. Processes that have it open go on with what they opened."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()
