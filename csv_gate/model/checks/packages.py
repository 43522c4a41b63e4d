"""CSV33x: packages with lists of their own parts, and packaged apps."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV331", slug="package-parts", title="A package is not what its own list of parts says", level=Level.WARNING),
    Check(id="CSV332", slug="package-publisher", title="The publisher of an app is not who signed it", level=Level.WARNING),
)
