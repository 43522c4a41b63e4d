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
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import Judged, gathered
from csv_gate.gate.plan import Plan
from csv_gate.limits import KIB, MIB
from csv_gate.scan import Entry

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

PORTION_BYTES = 8 * MIB
PORTION_FILES = 32
FILE_COST_BYTES = 64 * KIB
"""What opening and judging a file costs beside its bytes, in bytes hashed."""
MIN_PARALLEL_BYTES = 48 * MIB
"""Below this, starting processes costs more than they save."""
START_METHOD = "fork" if sys.platform == "linux" else "spawn"
LIFE_SIGN_S = 1.0
IN_HAND = 4
"""Portions per process that may wait for their turn in the result."""


def usable_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cost(entry: Entry) -> int:
    return entry.size + FILE_COST_BYTES


def job_count(asked: int | None, entries: Sequence[Entry]) -> int:
    """How many processes: what was asked for, else as many as the amount of work pays for."""
    if asked is not None:
        return max(1, min(asked, len(entries)))
    if sum(map(cost, entries)) < MIN_PARALLEL_BYTES:
        return 1
    return min(usable_processors(), len(entries))


def judge_all(
    plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], heartbeat: Callable[[int, int], None]
) -> Iterator[Judged]:
    """Portion by portion, in order. `heartbeat(files, bytes)` is told what was finished."""
    jobs = job_count(plan.jobs, entries)
    if jobs > 1:
        yield from _parallel(plan, catalogs, entries, jobs, heartbeat)
        return
    judge = Judge(plan, catalogs)
    try:
        for portion in portions(entries):
            yield _judged(judge, entries, portion)
            heartbeat(len(portion), _size(entries, portion))
    finally:
        judge.close()


def portions(entries: Sequence[Entry]) -> Iterator[range]:
    """Places of consecutive files, each portion about as much work as the next."""
    start = size = 0
    for place, entry in enumerate(entries):
        size += cost(entry)
        if size >= PORTION_BYTES or place + 1 - start >= PORTION_FILES:
            yield range(start, place + 1)
            start, size = place + 1, 0
    if start < len(entries):
        yield range(start, len(entries))


def _size(entries: Sequence[Entry], portion: range) -> int:
    return sum(entries[place].size for place in portion)


def _judged(judge: Judge, entries: Sequence[Entry], portion: range) -> Judged:
    return gathered(row for place in portion for row in judge.rows(entries[place]))


def _parallel(
    plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], jobs: int, heartbeat: Callable[[int, int], None]
) -> Iterator[Judged]:
    from concurrent.futures.process import BrokenProcessPool  # half of a small run's start-up, and small runs need none

    pool = _pool(plan, catalogs, entries, jobs)
    waiting: deque[tuple[range, Future[Judged]]] = deque()
    work = portions(entries)
    try:
        while True:
            while len(waiting) < jobs * IN_HAND and (portion := next(work, None)) is not None:
                waiting.append((portion, pool.submit(_work, portion)))
            if not waiting:
                break
            portion, future = waiting.popleft()
            try:
                done = _awaited(future, heartbeat)
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                yield from _one_by_one(plan, catalogs, entries, portion)
                pool = _pool(plan, catalogs, entries, jobs)
                waiting = deque((other, pool.submit(_work, other)) for other, _ in waiting)
            else:
                yield done
            heartbeat(len(portion), _size(entries, portion))
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


def _one_by_one(plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], portion: range) -> Iterator[Judged]:
    """Each file in a worker of its own, so that one that kills its worker is known by name."""
    from concurrent.futures.process import BrokenProcessPool

    for place in portion:
        with _pool(plan, catalogs, entries, 1) as pool:
            try:
                yield pool.submit(_work, range(place, place + 1)).result()
            except BrokenProcessPool:
                yield gathered([Judge(replace(plan, kept_facts=None), catalogs).lost(entries[place])])


def _pool(plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking spares each worker the imports and the list of files; elsewhere it is not to be had or not safe.
    method = START_METHOD
    if method == "fork":
        import csv_gate.formats.pe  # noqa: F401, else each worker would import it for itself
    else:
        # Plans and catalogs hold read-only views of dicts, which do not pickle by themselves.
        copyreg.pickle(MappingProxyType, lambda view: (MappingProxyType, (dict(view),)))
    return ProcessPoolExecutor(jobs, multiprocessing.get_context(method), _start, (plan, catalogs, entries))


_judge: Judge | None = None
_entries: Sequence[Entry] = ()
"""Of a worker process."""


def _start(plan: Plan, catalogs: Catalogs, entries: Sequence[Entry]) -> None:
    import gc
    import signal

    global _judge, _entries
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
    gc.freeze()  # what the parent made stays, and stays shared: looking through it for garbage would copy its pages
    _judge, _entries = Judge(plan, catalogs), entries


def _work(portion: range) -> Judged:
    assert _judge is not None
    try:
        return _judged(_judge, _entries, portion)
    finally:
        _judge.flush()  # a worker is not told when it ends
