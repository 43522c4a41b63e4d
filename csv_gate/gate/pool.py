"""Judge many files, in this process or in several, always in the order of the list: the result does not depend on how many.

Work is handed out in portions of consecutive files; what comes back is text and sums. A worker that dies (a file cut short while it was
mapped, memory that ran out) costs the files it had in hand their verdict, not the run: each of them is tried again alone, and the one
that kills its worker again becomes `undecided`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate

from csv_gate.gate import workers
from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import Judged, gathered
from csv_gate.gate.portions import Work, judged, portions, size_of
from csv_gate.gate.workers import LIFE_SIGN_S, WorkerDiedError, Workers
from csv_gate.limits import MIB
from csv_gate.records import replace

MIN_PARALLEL_BYTES = 48 * MIB
"""Below this, starting processes costs more than they save."""
IN_HAND = 4
"""Portions per process that may wait for their turn in the result."""


def job_count(work: Work) -> int:
    """How many processes: what was asked for, else as many as the amount of work pays for."""
    asked = work.plan.jobs
    if asked is not None:
        return max(1, min(asked, len(work.entries)))
    if not any(cost >= MIN_PARALLEL_BYTES for cost in accumulate(map(work.cost, work.entries))):
        return 1
    return min(workers.usable_processors(), len(work.entries))


def judge_all(work: Work, heartbeat: Callable[[int, int], None]) -> Iterator[Judged]:
    """Portion by portion, in order. `heartbeat(files, bytes)` is told what was finished."""
    jobs = job_count(work)
    if jobs > 1:
        yield from _parallel(work, jobs, heartbeat)
        return
    judge = work.judge()
    try:
        for portion in portions(work):
            yield judged(judge, work, portion)
            heartbeat(len(portion), size_of(work, portion))
    finally:
        judge.facts.close()


def _parallel(work: Work, jobs: int, heartbeat: Callable[[int, int], None]) -> Iterator[Judged]:
    crew = _workers(work, jobs)
    waiting: deque[range] = deque()
    ahead = portions(work)
    try:
        while True:
            while len(waiting) < jobs * IN_HAND and (portion := next(ahead, None)) is not None:
                crew.submit(portion)
                waiting.append(portion)
            if not waiting:
                break
            portion = waiting.popleft()
            try:
                yield crew.result(portion, lambda: heartbeat(0, 0), LIFE_SIGN_S)
            except WorkerDiedError:
                yield from _one_by_one(work, portion)
            heartbeat(len(portion), size_of(work, portion))
    finally:
        crew.close()


def _one_by_one(work: Work, portion: range) -> Iterator[Judged]:
    """Each file in a worker of its own, so that one that kills its worker is known by name."""
    for place in portion:
        one = range(place, place + 1)
        crew = _workers(work, 1)
        try:
            crew.submit(one)
            yield crew.result(one, lambda: None, LIFE_SIGN_S)
        except WorkerDiedError:
            judge = Judge(replace(work.plan, kept_facts=None), work.catalogs)
            yield gathered([judge.lost(work.entries[place])], judge.lines)
        finally:
            crew.close()


def _workers(work: Work, jobs: int) -> Workers[Judged]:
    if workers.START_METHOD == "spawn":
        from csv_gate.gate.spawned import SpawnedWorkers

        return SpawnedWorkers(jobs, work)
    from csv_gate.gate.forked import ForkedWorkers

    judge = work.judge()
    if not judge.facts.were_kept:
        import csv_gate.formats.pe  # noqa: F401, else each worker would import it for itself
    return ForkedWorkers(jobs, lambda portion: judged(judge, work, portion), judge.facts.close)
