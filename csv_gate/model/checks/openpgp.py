"""CSV34x: OpenPGP signatures, and the packages of Linux distributions that carry them."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV341", slug="openpgp-key-unknown", title="The key of an OpenPGP signature was not given", level=Level.NOTE),
    Check(id="CSV342", slug="openpgp-key-unfit", title="An OpenPGP key may not have made this signature", level=Level.WARNING),
)
