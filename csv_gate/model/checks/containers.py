"""CSV30x: containers whose members two readers may see differently, or whose names lead astray. CSV33x: lists of parts, packaged apps."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV301", slug="member-name-repeated", title="A container holds a name twice", level=Level.WARNING),
    Check(id="CSV302", slug="member-name-hostile", title="A member's name leads astray", level=Level.WARNING),
    Check(id="CSV303", slug="container-layout", title="A container is not laid out as its format says", level=Level.WARNING),
    Check(id="CSV304", slug="member-names-collide", title="Names in a container differ in case alone", level=Level.NOTE),
    Check(id="CSV331", slug="package-parts", title="A package is not what its own list of parts says", level=Level.WARNING),
    Check(id="CSV332", slug="package-publisher", title="The publisher of an app is not who signed it", level=Level.WARNING),
)
