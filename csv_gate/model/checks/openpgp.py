"""CSV34x: OpenPGP signatures, and the packages of Linux distributions that carry them."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV341", slug="openpgp-key-unknown", title="The key of an OpenPGP signature was not given", level=Level.NOTE),
    Check(id="CSV342", slug="openpgp-key-unfit", title="An OpenPGP key may not have made this signature", level=Level.WARNING),
    Check(id="CSV343", slug="package-damaged", title="A package is not what its own digests say", level=Level.WARNING),
    Check(id="CSV344", slug="payload-unbound", title="A package's signature does not reach its payload", level=Level.WARNING),
    Check(id="CSV345", slug="signed-layout", title="A signed Debian package has members it must not have", level=Level.WARNING),
)
