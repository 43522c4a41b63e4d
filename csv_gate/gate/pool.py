"""Judge many files, in this process or in several, always in the order of the list: the result does not depend on how many.

Work is handed out in portions of consecutive files, sized in bytes; what comes back is a line of text and a handful of numbers for
each file. A worker that dies (a file cut short while it was mapped, memory that ran out) costs the files it had in hand their
verdict, not the run: each of them is tried again alone, and the one that kills its worker again becomes `undecided`.
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
from csv_gate.gate.judge import Judge, Row
from csv_gate.gate.plan import Plan
from csv_gate.limits import KIB, MIB
from csv_gate.records import replace
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


def rows(plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], heartbeat: Callable[[int, int], None]) -> Iterator[Row]:
    """The rows of each entry, in order. `heartbeat(files, bytes)` is told what was finished."""
    jobs = job_count(plan.jobs, entries)
    if jobs == 1:
        judge = Judge(plan, catalogs)
        try:
            for entry in entries:
                yield from judge.rows(entry)
                heartbeat(1, entry.size)
        finally:
            judge.close()
    else:
        yield from _parallel(plan, catalogs, entries, jobs, heartbeat)


def portions(entries: Sequence[Entry]) -> Iterator[tuple[Entry, ...]]:
    """Consecutive files, each portion about as much work as the next."""
    portion: list[Entry] = []
    size = 0
    for entry in entries:
        portion.append(entry)
        size += cost(entry)
        if size >= PORTION_BYTES or len(portion) >= PORTION_FILES:
            yield tuple(portion)
            portion, size = [], 0
    if portion:
        yield tuple(portion)


def _parallel(
    plan: Plan, catalogs: Catalogs, entries: Sequence[Entry], jobs: int, heartbeat: Callable[[int, int], None]
) -> Iterator[Row]:
    from concurrent.futures.process import BrokenProcessPool  # half of a small run's start-up, and small runs need none

    pool = _pool(plan, catalogs, jobs)
    waiting: deque[tuple[tuple[Entry, ...], Future[list[Row]]]] = deque()
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
                yield from _one_by_one(plan, catalogs, portion)
                pool = _pool(plan, catalogs, jobs)
                waiting = deque((other, pool.submit(_work, other)) for other, _ in waiting)
            else:
                yield from done
            heartbeat(len(portion), sum(entry.size for entry in portion))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _awaited(future: Future[list[Row]], heartbeat: Callable[[int, int], None]) -> list[Row]:
    """Wait for a portion, and let the observer know now and then that the run lives."""
    while True:
        try:
            return future.result(timeout=LIFE_SIGN_S)
        except TimeoutError:
            if future.done():
                raise
            heartbeat(0, 0)


def _one_by_one(plan: Plan, catalogs: Catalogs, portion: Sequence[Entry]) -> Iterator[Row]:
    """Each file in a worker of its own, so that one that kills its worker is known by name."""
    from concurrent.futures.process import BrokenProcessPool

    for entry in portion:
        with _pool(plan, catalogs, 1) as pool:
            try:
                yield from pool.submit(_work, (entry,)).result()
            except BrokenProcessPool:
                yield Judge(replace(plan, kept_facts=None), catalogs).lost(entry)


def _pool(plan: Plan, catalogs: Catalogs, jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking spares each worker the imports and the compiling of policies; elsewhere it is not to be had or not safe.
    method = START_METHOD
    if method == "fork":
        import csv_gate.formats.pe  # noqa: F401, else each worker would import it for itself
    else:
        # Plans and catalogs hold read-only views of dicts, which do not pickle by themselves.
        copyreg.pickle(MappingProxyType, lambda view: (MappingProxyType, (dict(view),)))
    return ProcessPoolExecutor(jobs, multiprocessing.get_context(method), _start, (plan, catalogs))


_judge: Judge | None = None
"""Of a worker process."""


def _start(plan: Plan, catalogs: Catalogs) -> None:
    import signal

    global _judge
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
    _judge = Judge(plan, catalogs)


def _work(portion: tuple[Entry, ...]) -> list[Row]:
    assert _judge is not None
    try:
        return [row for entry in portion for row in _judge.rows(entry)]
    finally:
        _judge.flush()  # a worker is not told when it ends
