"""Gate: one run from given paths to a result: scan, extract, evaluate, count. It formats nothing and prints nothing.

`run(plan)` is the whole of it; `Plan` says everything a run depends on, the clock included.
"""

from __future__ import annotations

from csv_gate.gate.plan import EVERYWHERE, Plan, Routes, Target, Uniform
from csv_gate.gate.run import Observer, run
from csv_gate.gate.spool import SpooledResult

__all__ = ["EVERYWHERE", "Observer", "Plan", "Routes", "SpooledResult", "Target", "Uniform", "run"]
