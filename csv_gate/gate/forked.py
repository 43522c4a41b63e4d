"""Worker processes that are forked: they begin with all that this process has loaded, compiled and listed.

The standard library's pool does the same with queues, threads and locks, whose loading alone takes a quarter of what a small run starts
in, and whose work for each portion is as much as judging three files. Here each worker has a pipe for what it is to do and one for its
answers, whose end tells that it died.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from struct import Struct
from typing import Generic, NoReturn, TypeVar

from csv_gate.gate.workers import WorkerDiedError
from csv_gate.records import dataclass

T = TypeVar("T")

_TASK = Struct("<QQ")
"""Start and stop of a portion. Far below PIPE_BUF, so that it is written and read as a whole (pipe(7))."""
_HEAD = Struct("<?Q")
"""Whether it went well, and the length of what follows."""


@dataclass(slots=True)
class _Worker:
    pid: int
    tasks: int
    """Descriptor to write to."""
    answers: int
    """Descriptor to read from."""
    portion: range | None = None
    """In hand."""


class ForkedWorkers(Generic[T]):
    """`Workers`."""

    def __init__(self, jobs: int, work: Callable[[range], T], end: Callable[[], None]) -> None:
        """`work` and `end` are called in the workers; `end` when there is no more to do."""
        self._work, self._end = work, end
        self._workers: dict[int, _Worker] = {}
        """By the descriptor of their answers."""
        self._queue: deque[range] = deque()
        self._done: dict[range, T] = {}
        self._lost: set[range] = set()
        self._poll = select.poll()
        for _ in range(jobs):
            self._fork()

    def submit(self, portion: range) -> None:
        """Hand out a portion."""
        self._queue.append(portion)
        self._feed()

    def result(self, portion: range, alive: Callable[[], None], every_s: float) -> T:
        """See `Workers`."""
        while portion not in self._done:
            if portion in self._lost:
                self._lost.remove(portion)
                raise WorkerDiedError
            ready = self._poll.poll(every_s * 1000)
            if not ready:
                alive()
            for descriptor, _ in ready:
                self._receive(self._workers[descriptor])
            self._feed()
        return self._done.pop(portion)

    def close(self) -> None:
        """Let the workers end; those that have something in hand are ended."""
        for worker in self._workers.values():
            if worker.portion is not None:
                os.kill(worker.pid, signal.SIGTERM)
            self._let_go(worker)
        self._workers.clear()

    # --- here ---------------------------------------------------------------------------------------------------------

    def _fork(self) -> None:
        todo, tasks = os.pipe()
        answers, answer = os.pipe()
        pid = os.fork()
        if not pid:
            # What this process has of the other workers' pipes would keep their ends from being seen.
            for other in self._workers.values():
                os.close(other.tasks)
                os.close(other.answers)
            os.close(tasks)
            os.close(answers)
            self._serve(todo, answer)
        os.close(todo)
        os.close(answer)
        self._workers[answers] = _Worker(pid, tasks, answers)
        self._poll.register(answers, select.POLLIN)

    def _feed(self) -> None:
        for worker in self._workers.values():
            if worker.portion is None and self._queue:
                worker.portion = self._queue.popleft()
                with suppress(BrokenPipeError):  # it died; the end of its answers tells that
                    os.write(worker.tasks, _TASK.pack(worker.portion.start, worker.portion.stop))

    def _receive(self, worker: _Worker) -> None:
        head = _read(worker.answers, _HEAD.size)
        went_well, length = _HEAD.unpack(head) if head is not None else (False, 0)
        body = None if head is None else _read(worker.answers, length)
        portion, worker.portion = worker.portion, None
        if body is None:
            self._poll.unregister(worker.answers)
            del self._workers[worker.answers]
            self._let_go(worker)
            self._fork()
            if portion is not None:
                self._lost.add(portion)
            return
        told = pickle.loads(body)
        if not went_well:
            raise told
        assert portion is not None
        self._done[portion] = told

    def _let_go(self, worker: _Worker) -> None:
        os.close(worker.tasks)
        os.close(worker.answers)
        os.waitpid(worker.pid, 0)

    # --- in a worker --------------------------------------------------------------------------------------------------

    def _serve(self, todo: int, answer: int) -> NoReturn:
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            gc.freeze()  # what the parent made stays, and stays shared: looking through it for garbage would copy its pages
            while task := os.read(todo, _TASK.size):
                _write(answer, *self._answer(range(*_TASK.unpack(task))))
            self._end()
            status = 0
        finally:
            os._exit(status)  # what the parent has open and registered is not this process's to end

    def _answer(self, portion: range) -> tuple[bool, bytes]:
        try:
            return True, pickle.dumps(self._work(portion), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            try:
                return False, pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
            except Exception:
                return False, pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"), pickle.HIGHEST_PROTOCOL)


def _read(descriptor: int, size: int) -> bytes | None:
    """So many octets; `None`: it ended before."""
    parts = []
    while size:
        part = os.read(descriptor, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(descriptor: int, went_well: bool, body: bytes) -> None:
    data = memoryview(_HEAD.pack(went_well, len(body)) + body)
    while data:
        data = data[os.write(descriptor, data) :]
