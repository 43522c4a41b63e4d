"""CSV9xx: the gate's own hygiene: what was left out of the run, and what is stale."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV901", slug="pattern-unused", title="An include or exclude pattern matches nothing", level=Level.WARNING),
    Check(id="CSV902", slug="special-file-skipped", title="A special file was skipped", level=Level.NOTE),
    Check(id="CSV903", slug="link-skipped", title="A symbolic link was not followed", level=Level.NOTE),
    Check(id="CSV904", slug="containers-left-closed", title="Containers were not opened", level=Level.NOTE),
    Check(id="CSV905", slug="no-target", title="No target takes an artifact", level=Level.WARNING),
)
