"""CSV346 to CSV348: signatures in files of their own, beside what they sign."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV346", slug="detached-alone", title="A detached signature has no file beside it", level=Level.NOTE),
    Check(id="CSV347", slug="detached-unreadable", title="A side file holds no signature that can be read", level=Level.NOTE),
    Check(id="CSV348", slug="detached-key-missing", title="A detached signature cannot be verified here", level=Level.NOTE),
)
