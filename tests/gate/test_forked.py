"""Forked workers answer, fail and die one by one."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

if sys.platform == "win32":
    pytest.skip("there is no fork", allow_module_level=True)

from csv_gate.gate.forked import ForkedWorkers
from csv_gate.gate.judged import Judged
from csv_gate.gate.tally import Tally
from csv_gate.gate.workers import WorkerDiedError

EVERY_S = 0.05


def answer(text: str) -> Judged:
    return Judged(lines=text.encode(), pieces={}, notable=(), tally=Tally())


def nothing() -> None: ...


@pytest.fixture
def started() -> Iterator[Callable[..., ForkedWorkers[Judged]]]:
    opened: list[ForkedWorkers[Judged]] = []

    def start(judge: Callable[[range], Judged], *, jobs: int = 2, end: Callable[[], None] = nothing) -> ForkedWorkers[Judged]:
        opened.append(ForkedWorkers(jobs, judge, end))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_answers_come_in_the_order_in_which_they_are_asked_for(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    def judge(portion: range) -> Judged:
        time.sleep(0.02 if portion.start % 2 else 0)
        return answer(f"{portion.start}-{portion.stop} " + "x" * 300_000)

    workers = started(judge)
    portions = [range(n, n + 3) for n in range(9)]
    for portion in portions:
        workers.submit(portion)
    told = [workers.result(portion, nothing, EVERY_S).lines.split()[0].decode() for portion in portions]
    assert told == [f"{n}-{n + 3}" for n in range(9)]


def test_whoever_waits_is_told_that_the_run_lives(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    waited, beat = os.pipe()

    def judge(portion: range) -> Judged:
        return answer(os.read(waited, 4).decode())

    def say() -> None:
        os.write(beat, b"beat")

    workers = started(judge)
    workers.submit(range(1))
    told = workers.result(range(1), say, 0.01)
    assert told.lines.startswith(b"beat")
    os.close(waited)
    os.close(beat)


def test_a_worker_that_dies_loses_what_it_had_in_hand_and_nothing_else(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    def judge(portion: range) -> Judged:
        if portion.start == 3:
            os._exit(9)
        return answer(str(portion.start))

    workers = started(judge)
    portions = [range(n, n + 1) for n in range(8)]
    for portion in portions:
        workers.submit(portion)
    for portion in portions:
        if portion.start == 3:
            with pytest.raises(WorkerDiedError):
                workers.result(portion, nothing, EVERY_S)
        else:
            assert workers.result(portion, nothing, EVERY_S).lines == str(portion.start).encode()


def test_a_worker_that_dies_idle_is_missed_by_nobody(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    workers = started(lambda portion: answer(str(os.getpid())), jobs=1)
    workers.submit(range(1))
    first = int(workers.result(range(1), nothing, EVERY_S).lines)
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    told = []
    for start in (1, 2):
        workers.submit(range(start, start + 1))
        try:
            told.append(int(workers.result(range(start, start + 1), nothing, EVERY_S).lines))
        except WorkerDiedError:
            continue  # handed to it before its end was seen
    assert told
    assert first not in told


class _UnsentError(Exception):
    def __reduce__(self) -> str:
        raise TypeError("cannot be pickled")


@pytest.mark.parametrize(("bug", "seen"), [(ZeroDivisionError, ZeroDivisionError), (_UnsentError, RuntimeError)])
def test_a_bug_is_raised_where_the_answer_is_asked_for(
    started: Callable[..., ForkedWorkers[Judged]], bug: type[Exception], seen: type[Exception]
) -> None:
    def judge(portion: range) -> Judged:
        raise bug("here")

    workers = started(judge)
    workers.submit(range(1))
    with pytest.raises(seen, match="here"):
        workers.result(range(1), nothing, EVERY_S)


def test_workers_end_what_they_have_open_when_there_is_no_more_to_do(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    told, tell = os.pipe()
    workers = started(lambda portion: answer(""), end=lambda: os.write(tell, b"e") and None)
    workers.submit(range(1))
    workers.result(range(1), nothing, EVERY_S)
    workers.close()
    assert os.read(told, 9) == b"ee"
    os.close(told)
    os.close(tell)


def test_closing_does_not_wait_for_what_is_in_hand(started: Callable[..., ForkedWorkers[Judged]]) -> None:
    never, kept_open = os.pipe()

    def judge(portion: range) -> Judged:
        os.read(never, 1)
        return answer("")

    workers = started(judge)
    workers.submit(range(1))
    workers.close()
    os.close(never)
    os.close(kept_open)
