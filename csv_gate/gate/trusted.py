"""The files that need not be opened: those that are what they were when they were last read, as far as the file system tells.

Only where the run was told to trust it; see `csv_gate.store.known_files`. Asked once for all listed files, before the first look at
them, since a file's format is known with its facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from csv_gate.gate.plan import Plan
from csv_gate.scan import Entry

TrustedFiles = Mapping[str, bytes]
"""Location -> digest by which the facts are kept. All of them are PE images, whose facts are kept."""
NO_FILES: TrustedFiles = MappingProxyType({})


def trusted_files(plan: Plan, entries: Iterable[Entry]) -> TrustedFiles:
    """Those of the listed files."""
    # What a second implementation says is not kept.
    if plan.kept_facts is None or not plan.trusts_files or plan.is_cross_checked:
        return NO_FILES
    from csv_gate.store.database import Database  # with sqlite3, which runs without it can spare
    from csv_gate.store.known_files import KnownFiles

    database = Database(plan.kept_facts)
    if database.is_new:
        return NO_FILES
    try:
        return KnownFiles(database).digests_of([entry for entry in entries if entry.gap is None])
    finally:
        database.close()
