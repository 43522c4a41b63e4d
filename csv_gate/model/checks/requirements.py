"""CSV4xx: what an organisation's own requirements ask of signatures. The level is that of the requirement set; here is its default."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV400", slug="required-signature-missing", title="It has no valid signature", level=Level.ERROR),
    Check(id="CSV401", slug="required-signer", title="It is not signed by whom a requirement names", level=Level.ERROR),
    Check(id="CSV402", slug="required-scheme", title="It is not signed by the scheme that is required", level=Level.ERROR),
    Check(id="CSV403", slug="required-role", title="It is not signed in the role that is required", level=Level.ERROR),
    Check(id="CSV404", slug="required-timestamp", title="A signature has no time stamp that counts", level=Level.ERROR),
    Check(id="CSV405", slug="required-digest", title="A signature's digest is weaker than required", level=Level.ERROR),
    Check(id="CSV406", slug="required-key", title="A signer's key is shorter than required", level=Level.ERROR),
    Check(id="CSV407", slug="test-certificate", title="A certificate for tests signed it", level=Level.ERROR),
    Check(id="CSV408", slug="certificate-expires", title="A signing certificate expires too soon", level=Level.ERROR),
    Check(id="CSV409", slug="required-all-valid", title="One of its signatures is not valid", level=Level.ERROR),
    Check(id="CSV410", slug="unsigned-member", title="A container holds something unsigned", level=Level.ERROR),
    Check(id="CSV411", slug="uncovered-member", title="A package's signature does not cover all of it", level=Level.ERROR),
    Check(id="CSV412", slug="catalog-incomplete", title="No catalog that is required lists it", level=Level.ERROR),
    Check(id="CSV413", slug="must-be-unsigned", title="It is signed and must not be", level=Level.ERROR),
    Check(id="CSV414", slug="foreign-file-unlisted", title="A foreign file is on no list", level=Level.ERROR),
    Check(id="CSV420", slug="requirement-idle", title="A requirement means no artifact", level=Level.ERROR),
    Check(id="CSV421", slug="requirement-pattern-idle", title="A requirement's pattern means no artifact", level=Level.WARNING),
)

OPEN_CHECK = "CSV806"
"""Fires where a fact is missing that a requirement needs. Of the family that could not be decided."""


def is_requirement(check_id: str) -> bool:
    """Whether the check is about a requirement and so never about what a target does."""
    return check_id.startswith("CSV4") or check_id == OPEN_CHECK
