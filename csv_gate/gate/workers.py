"""Processes that do portions of a list: what there is in common to those that are forked and those that are spawned."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

START_METHOD = "fork" if sys.platform == "linux" else "spawn"
"""Forking spares each worker the imports, the list of files and the compiling; elsewhere it is not to be had or not safe."""
LIFE_SIGN_S = 1.0

T_co = TypeVar("T_co", covariant=True)


def usable_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerDiedError(Exception):
    """The process that had a portion in hand ended before it answered."""


class Workers(Protocol[T_co]):
    """Processes that turn portions into something."""

    def submit(self, portion: range) -> None:
        """Hand out a portion."""
        ...

    def result(self, portion: range, alive: Callable[[], None], every_s: float) -> T_co:
        """What it came to. While it is waited for, `alive` is told now and then.

        Raises:
            WorkerDiedError: the process that had it in hand ended.
            Exception: what the work raised, which is a bug.
        """
        ...

    def close(self) -> None: ...
