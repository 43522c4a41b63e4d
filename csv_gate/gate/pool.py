"""Judge many files, in this process or in several, always in the order of the list: the result does not depend on how many.

Work is handed out in portions of consecutive files, sized in bytes; what comes back is text and sums. A worker
that dies (a file cut short while it was mapped, memory that ran out) costs the files it had in hand their verdict, not the run: each of
them is tried again alone, and the one that kills its worker again becomes `undecided`.
"""

from __future__ import annotations

import copyreg
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import Judged, gathered
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import TrustedFiles
from csv_gate.limits import KIB, MIB
from csv_gate.records import dataclass, field, replace
from csv_gate.scan import Entry

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

PORTION_BYTES = 32 * MIB
"""Handing one out and taking in what it came to costs this process half a millisecond."""
FILE_COST_BYTES = 256 * KIB
"""What opening and judging a file costs beside its bytes, in bytes hashed."""
TRUSTED_COST_BYTES = 128 * KIB
"""What judging costs where the file need not be opened."""
MIN_PARALLEL_BYTES = 48 * MIB
"""Below this, starting processes costs more than they save."""
START_METHOD = "fork" if sys.platform == "linux" else "spawn"
LIFE_SIGN_S = 1.0
IN_HAND = 4
"""Portions per process that may wait for their turn in the result."""


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


def usable_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def job_count(work: Work) -> int:
    """How many processes: what was asked for, else as many as the amount of work pays for."""
    asked = work.plan.jobs
    if asked is not None:
        return max(1, min(asked, len(work.entries)))
    if sum(map(work.cost, work.entries)) < MIN_PARALLEL_BYTES:
        return 1
    return min(usable_processors(), len(work.entries))


def judge_all(work: Work, heartbeat: Callable[[int, int], None]) -> Iterator[Judged]:
    """Portion by portion, in order. `heartbeat(files, bytes)` is told what was finished."""
    jobs = job_count(work)
    if jobs > 1:
        yield from _parallel(work, jobs, heartbeat)
        return
    judge = work.judge()
    try:
        for portion in portions(work):
            yield _judged(judge, work, portion)
            heartbeat(len(portion), _size(work, portion))
    finally:
        judge.close()


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


def _size(work: Work, portion: range) -> int:
    return sum(work.entries[place].size for place in portion)


def _judged(judge: Judge, work: Work, portion: range) -> Judged:
    judge.look_ahead(work.entries[place] for place in portion)
    return gathered((row for place in portion for row in judge.rows(work.entries[place])), judge.lines)


def _parallel(work: Work, jobs: int, heartbeat: Callable[[int, int], None]) -> Iterator[Judged]:
    from concurrent.futures.process import BrokenProcessPool  # half of a small run's start-up, and small runs need none

    pool = _pool(work, jobs)
    waiting: deque[tuple[range, Future[Judged]]] = deque()
    ahead = portions(work)
    try:
        while True:
            while len(waiting) < jobs * IN_HAND and (portion := next(ahead, None)) is not None:
                waiting.append((portion, pool.submit(_work, portion)))
            if not waiting:
                break
            portion, future = waiting.popleft()
            try:
                done = _awaited(future, heartbeat)
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                yield from _one_by_one(work, portion)
                pool = _pool(work, jobs)
                waiting = deque((other, pool.submit(_work, other)) for other, _ in waiting)
            else:
                yield done
            heartbeat(len(portion), _size(work, portion))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _awaited(future: Future[Judged], heartbeat: Callable[[int, int], None]) -> Judged:
    """Wait for a portion, and let the observer know now and then that the run lives."""
    while True:
        try:
            return future.result(timeout=LIFE_SIGN_S)
        except TimeoutError:
            if future.done():
                raise
            heartbeat(0, 0)


def _one_by_one(work: Work, portion: range) -> Iterator[Judged]:
    """Each file in a worker of its own, so that one that kills its worker is known by name."""
    from concurrent.futures.process import BrokenProcessPool

    for place in portion:
        with _pool(work, 1) as pool:
            try:
                yield pool.submit(_work, range(place, place + 1)).result()
            except BrokenProcessPool:
                judge = Judge(replace(work.plan, kept_facts=None), work.catalogs)
                yield gathered([judge.lost(work.entries[place])], judge.lines)


def _pool(work: Work, jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking spares each worker the imports, the list of files and the compiling; elsewhere it is not to be had or not safe.
    method, judge = START_METHOD, None
    if method == "fork":
        judge = work.judge()
        if not judge.may_know_files:
            import csv_gate.formats.pe  # noqa: F401, else each worker would import it for itself
    else:
        # Plans and catalogs hold read-only views of dicts, which do not pickle by themselves.
        copyreg.pickle(MappingProxyType, lambda view: (MappingProxyType, (dict(view),)))
    return ProcessPoolExecutor(jobs, multiprocessing.get_context(method), _start, (work, judge))


_of_worker: tuple[Judge, Work] | None = None
"""In a worker process."""


def _start(work: Work, judge: Judge | None) -> None:
    import gc
    import signal

    global _of_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
    gc.freeze()  # what the parent made stays, and stays shared: looking through it for garbage would copy its pages
    _of_worker = judge or work.judge(), work


def _work(portion: range) -> Judged:
    assert _of_worker is not None
    judge, work = _of_worker
    try:
        return _judged(judge, work, portion)
    finally:
        judge.flush()  # a worker is not told when it ends
