"""CSV91x: written exceptions that are stale, idle or wider than they may be."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV910", slug="waiver-expired", title="A waiver has expired", level=Level.ERROR),
    Check(id="CSV911", slug="waiver-expires-soon", title="A waiver expires soon", level=Level.WARNING),
    Check(id="CSV912", slug="waiver-unused", title="A waiver excuses nothing", level=Level.NOTE),
    Check(id="CSV913", slug="waiver-too-broad", title="A waiver is broad without saying so", level=Level.ERROR),
)
