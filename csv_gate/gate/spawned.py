"""Worker processes that are started anew, where forking is not to be had or not safe: by the standard library's pool."""

from __future__ import annotations

import copyreg
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import MappingProxyType

from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import Judged
from csv_gate.gate.portions import Work, judged
from csv_gate.gate.workers import WorkerDiedError


class SpawnedWorkers:
    """`Workers`. Each is sent the whole of the work when it starts."""

    def __init__(self, jobs: int, work: Work) -> None:
        # Plans and catalogs hold read-only views of dicts, which do not pickle by themselves.
        copyreg.pickle(MappingProxyType, lambda view: (MappingProxyType, (dict(view),)))
        self._jobs, self._work = jobs, work
        self._futures: dict[range, Future[Judged]] = {}
        self._pool = self._start()

    def submit(self, portion: range) -> None:
        """Hand out a portion."""
        self._futures[portion] = self._pool.submit(_judge, portion)

    def result(self, portion: range, alive: Callable[[], None], every_s: float) -> Judged:
        """See `Workers`."""
        future = self._futures.pop(portion)
        while True:
            try:
                return future.result(timeout=every_s)
            except TimeoutError:
                if future.done():
                    raise
                alive()
            except BrokenProcessPool:
                self._restart()
                raise WorkerDiedError from None

    def close(self) -> None:
        """Let the workers end after what they have in hand."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._jobs, multiprocessing.get_context("spawn"), _start, (self._work,))

    def _restart(self) -> None:
        """A pool that lost one process has lost all of them."""
        self.close()
        self._pool = self._start()
        for portion in list(self._futures):
            self.submit(portion)


_of_process: tuple[Judge, Work] | None = None
"""In a worker."""


def _start(work: Work) -> None:
    import signal

    global _of_process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
    _of_process = work.judge(), work


def _judge(portion: range) -> Judged:
    assert _of_process is not None
    judge, work = _of_process
    try:
        return judged(judge, work, portion)
    finally:
        judge.facts.flush()  # a worker is not told when it ends
