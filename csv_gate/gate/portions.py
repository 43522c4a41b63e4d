"""A run's files in portions, each about as much work as the next, and what one comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import Judged, gathered
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import TrustedFiles
from csv_gate.limits import KIB, MIB
from csv_gate.records import dataclass, field
from csv_gate.scan import Entry

PORTION_BYTES = 32 * MIB
"""Handing one out and taking in what it came to costs this process half a millisecond."""
FILE_COST_BYTES = 256 * KIB
"""What opening and judging a file costs beside its bytes, in bytes hashed."""
TRUSTED_COST_BYTES = 128 * KIB
"""What judging costs where the file need not be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every process is given. Must pickle."""

    plan: Plan
    catalogs: Catalogs
    entries: Sequence[Entry]
    trusted: TrustedFiles = field(default_factory=dict)

    def judge(self) -> Judge:
        return Judge(self.plan, self.catalogs, self.trusted)

    def cost(self, entry: Entry) -> int:
        return TRUSTED_COST_BYTES if entry.location in self.trusted else entry.size + FILE_COST_BYTES


def portions(work: Work) -> Iterator[range]:
    """Places of consecutive files, each portion about as much work as the next."""
    start = size = 0
    for place, entry in enumerate(work.entries):
        size += work.cost(entry)
        if size >= PORTION_BYTES:
            yield range(start, place + 1)
            start, size = place + 1, 0
    if start < len(work.entries):
        yield range(start, len(work.entries))


def size_of(work: Work, portion: range) -> int:
    """Bytes."""
    return sum(work.entries[place].size for place in portion)


def judged(judge: Judge, work: Work, portion: range) -> Judged:
    """What a portion comes to."""
    entries = work.entries[portion.start : portion.stop]
    judge.facts.look_ahead(entries)
    return gathered(judge.rows(entries), judge.lines)
