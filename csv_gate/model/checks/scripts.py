"""CSV32x: scripts, installer packages, cabinets and ELF files, whose signatures stand elsewhere than those of a PE file."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV321", slug="script-signature-block", title="A script's signature block is malformed", level=Level.WARNING),
    Check(id="CSV322", slug="script-line-ends", title="Line ends of a script were changed after signing", level=Level.WARNING),
    Check(id="CSV323", slug="format-broken", title="The file breaks its own format", level=Level.WARNING),
    Check(id="CSV324", slug="unsigned-data", title="The file holds data that no signature covers", level=Level.WARNING),
)
