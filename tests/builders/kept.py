"""Kept facts with a database of their own, and the clock that they go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from csv_gate.model.facts import Facts
from csv_gate.store.content_hash import SHA256
from csv_gate.store.database import MOST_BYTES, Database
from csv_gate.store.facts_cache import FactsCache

NOW = 1_800_000_000 * 10**9
"""Nanoseconds."""


class Clock:
    """Stands where it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Kept(FactsCache):
    def __init__(
        self, folder: Path, settings: bytes, *, clock: Callable[[], int] = time.time_ns, most_bytes: int = MOST_BYTES
    ) -> None:
        self.database = Database(folder, clock=clock, most_bytes=most_bytes)
        super().__init__(self.database, settings, SHA256)

    def keep_facts(self, facts: Facts) -> bool:
        """Under the file's SHA-256."""
        return self.keep(bytes.fromhex(facts.digests.sha256) if facts.digests else b"", facts)

    def found(self, digest: bytes) -> Facts | None:
        """The facts of a file with this digest, whole."""
        kept = self.facts(digest)
        return None if kept is None else kept.whole()

    @property
    def is_usable(self) -> bool:
        return self.database.is_usable

    def flush(self) -> None:
        self.database.flush()

    def close(self) -> None:
        self.database.close()
