"""How much is kept, and taking all of it away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from csv_gate.errors import StoreError
from csv_gate.records import dataclass
from csv_gate.store.database import FILE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What is kept."""

    facts: int
    files: int
    """Those whose digest is known by their identity."""
    size_bytes: int


def _files(folder: Path) -> list[Path]:
    found = (folder / f"{FILE_NAME}{suffix}" for suffix in ("", "-wal", "-shm"))
    return [path for path in found if path.is_file()]


def stats(folder: Path) -> Stats | None:
    """What lies in the folder; nothing is made there. `None`: it cannot be read."""
    paths = _files(folder)
    if not paths:
        return Stats(facts=0, files=0, size_bytes=0)
    try:
        size_bytes = sum(path.stat().st_size for path in paths)
        with closing(sqlite3.connect(folder / FILE_NAME, timeout=2.0)) as connection:
            facts, files = (_rows_in(table, connection) for table in ("facts", "files"))
    except (OSError, sqlite3.Error):
        return None
    return Stats(facts=facts, files=files, size_bytes=size_bytes)


def _rows_in(table: str, connection: sqlite3.Connection) -> int:
    """How many there are; another version may have made the file without that table."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchall():
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def clean(folder: Path) -> int:
    """Take all of it away, and say how many bytes that were.

    Raises:
        StoreError: a file cannot be removed.
    """
    gone = 0
    for path in _files(folder):
        try:
            size_bytes = path.stat().st_size
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"kept facts cannot be removed: {error.strerror}", got=str(path)) from error
        gone += size_bytes
    return gone
