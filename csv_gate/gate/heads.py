"""What listed files are, by their heads; of many files in several processes."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from csv_gate.errors import ArtifactError
from csv_gate.formats import UNSETTLED, detect_format, settle
from csv_gate.formats.detect import PE
from csv_gate.gate import workers
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import TrustedFiles
from csv_gate.gate.workers import LIFE_SIGN_S, WorkerDiedError
from csv_gate.limits import Limits
from csv_gate.scan import Entry, open_parts, read_head

MIN_PARALLEL_FILES = 4000
"""Below this, forking costs more than it saves."""
PORTION_FILES = 1000


def format_of(entry: Entry, limits: Limits) -> str:
    """The format of a listed file, by its head and, where that does not settle it, by other parts.

    Raises:
        ArtifactError: it cannot be read.
    """
    head = read_head(entry)
    size = entry.size
    found = detect_format(head, size, entry.path)
    if found not in UNSETTLED:
        return found
    if len(head) == size:
        return settle(found, lambda start, stop: head[start:stop], size, limits)
    with open_parts(entry) as read:
        return settle(found, read, size, limits)


def formats_of(plan: Plan, entries: Sequence[Entry], trusted: TrustedFiles) -> Generator[str | None]:
    """The format of each listed file, in their order. `None`: it cannot be read; whoever judges it says why. Those that are `trusted` are
    not opened."""

    jobs = plan.jobs or workers.usable_processors()
    if jobs == 1 or workers.START_METHOD == "spawn" or len(entries) - len(trusted) < MIN_PARALLEL_FILES:
        for entry in entries:
            yield _seen(entry, plan.limits, trusted)
        return
    from csv_gate.gate.forked import ForkedWorkers

    def look(portion: range) -> list[str | None]:
        return [_seen(entries[place], plan.limits, trusted) for place in portion]

    portions = [range(start, min(start + PORTION_FILES, len(entries))) for start in range(0, len(entries), PORTION_FILES)]
    crew = ForkedWorkers(jobs, look, lambda: None)
    try:
        for portion in portions:
            crew.submit(portion)
        for portion in portions:
            try:
                found = crew.result(portion, lambda: None, LIFE_SIGN_S)
            except WorkerDiedError:
                found = look(portion)
            yield from found
    finally:
        crew.close()


def _seen(entry: Entry, limits: Limits, trusted: TrustedFiles) -> str | None:
    if entry.location in trusted:
        return PE
    try:
        return format_of(entry, limits)
    except ArtifactError:
        return None
