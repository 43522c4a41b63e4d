"""How much of its reasoning a verdict carries."""

from __future__ import annotations

from collections.abc import Callable

from csv_gate.model.verdict import Step

TRACE_STEPS = 40


def bounded(steps: tuple[Step, ...], is_deciding: Callable[[Step], bool] = lambda step: False) -> tuple[Step, ...]:
    """At most `TRACE_STEPS`, the deciding ones kept and the order unchanged."""
    if len(steps) <= TRACE_STEPS:
        return steps
    kept: set[int] = {id(step) for step in [step for step in steps if is_deciding(step)][:TRACE_STEPS]}
    for step in steps:
        if len(kept) >= TRACE_STEPS:
            break
        kept.add(id(step))
    return tuple(step for step in steps if id(step) in kept)[:TRACE_STEPS]
