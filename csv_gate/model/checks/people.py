"""CSV92x: who could not be told, and what nobody answers for."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV920", slug="notification-failed", title="An owner was not told", level=Level.WARNING),
    Check(id="CSV921", slug="owner-missing", title="Nobody answers for the artifact", level=Level.NOTE),
)
