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
    identities: int
    """Files whose digest is known by their identity."""
    size_bytes: int


def _files(folder: Path) -> list[Path]:
    found = (folder / f"{FILE_NAME}{suffix}" for suffix in ("", "-wal", "-shm"))
    return [path for path in found if path.is_file()]


def stats(folder: Path) -> Stats | None:
    """What lies in the folder; nothing is made there. `None`: it cannot be read."""
    files = _files(folder)
    if not files:
        return Stats(facts=0, identities=0, size_bytes=0)
    try:
        size_bytes = sum(path.stat().st_size for path in files)
        with closing(sqlite3.connect(folder / FILE_NAME, timeout=2.0)) as connection:
            facts, identities = (
                int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("facts", "identities")
            )
    except (OSError, sqlite3.Error):
        return None
    return Stats(facts=facts, identities=identities, size_bytes=size_bytes)


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
