"""Processes that judge portions: what there is in common to those that are forked and those that are spawned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from csv_gate.gate.judged import Judged


class WorkerDiedError(Exception):
    """The process that had a portion in hand ended before it answered."""


class Workers(Protocol):
    """Processes that judge portions."""

    def submit(self, portion: range) -> None:
        """Hand out a portion."""
        ...

    def result(self, portion: range, alive: Callable[[], None], every_s: float) -> Judged:
        """What it came to. While it is waited for, `alive` is told now and then.

        Raises:
            WorkerDiedError: the process that had it in hand ended.
            Exception: what judging raised, which is a bug.
        """
        ...

    def close(self) -> None: ...
