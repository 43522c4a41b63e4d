"""Kept facts with a database of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from csv_gate.store.database import MOST_BYTES, Database
from csv_gate.store.facts_cache import FactsCache


class Kept(FactsCache):
    def __init__(
        self, folder: Path, settings: bytes, *, clock: Callable[[], int] = time.time_ns, most_bytes: int = MOST_BYTES
    ) -> None:
        self.database = Database(folder, clock=clock, most_bytes=most_bytes)
        super().__init__(self.database, settings)

    @property
    def is_usable(self) -> bool:
        return self.database.is_usable

    def flush(self) -> None:
        self.database.flush()

    def close(self) -> None:
        self.database.close()
