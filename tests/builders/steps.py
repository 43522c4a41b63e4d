"""Bounds of work that do not look at a clock: lines of Python that were executed. A busy machine makes them no more.

What one call into C costs (a search, an expression) is not counted; where that matters, the input is one that would keep a wrong
implementation busy for hours, and that the test ends is what it shows.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

BY_HAND = "CSV_GATE_MUTATIONS" in os.environ
"""A long run of mutations, which someone looks at; only that one asks how long a round takes."""
SLOWEST_ROUND_S = 1.0


@contextmanager
def few_steps(at_most: int = 1_000_000) -> Iterator[None]:
    """Fails as soon as more lines than that are executed within: a million take some tenth of a second without counting."""
    left = at_most

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                pytest.fail(f"more than {at_most:,} lines were executed, the last of them in {frame.f_code.co_qualname}")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def soon(what: object = "") -> Iterator[None]:
    """In a run by hand, fails where the processor worked longer than a second; else nothing is looked at."""
    begun = time.process_time()
    yield
    if BY_HAND:
        assert time.process_time() - begun < SLOWEST_ROUND_S, what
