"""What one line of a family's table holds."""

from __future__ import annotations

from csv_gate.model.verdict import Level
from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One stable rule of the gate."""

    id: str
    slug: str
    title: str
    level: Level
    """What it counts as when nothing else is said (an audited denial is a warning whatever its check's level)."""
