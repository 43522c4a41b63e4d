"""CSV8xx: the gate could not decide, and says what is missing."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV801", slug="artifact-unreadable", title="The artifact could not be read", level=Level.ERROR),
    Check(id="CSV802", slug="fact-missing", title="A fact that decides is not known", level=Level.ERROR),
    Check(id="CSV803", slug="context-missing", title="The target's state decides and was not told", level=Level.ERROR),
    Check(id="CSV804", slug="not-specified", title="What the target does here is not specified", level=Level.ERROR),
    Check(id="CSV805", slug="container-not-opened", title="A container could not be opened completely", level=Level.ERROR),
    Check(id="CSV806", slug="requirement-open", title="A fact that a requirement needs is not known", level=Level.ERROR),
)
