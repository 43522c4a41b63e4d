"""CSV34x: OpenPGP signatures, the packages of Linux distributions that carry them, and signatures in files of their own."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV341", slug="openpgp-key-unknown", title="The key of an OpenPGP signature was not given", level=Level.NOTE),
    Check(id="CSV342", slug="openpgp-key-unfit", title="An OpenPGP key may not have made this signature", level=Level.WARNING),
    Check(id="CSV343", slug="package-damaged", title="A package is not what its own digests say", level=Level.WARNING),
    Check(id="CSV344", slug="payload-unbound", title="A package's signature does not reach its payload", level=Level.WARNING),
    Check(id="CSV345", slug="signed-layout", title="A signed Debian package has members it must not have", level=Level.WARNING),
    Check(id="CSV346", slug="detached-alone", title="A detached signature has no file beside it", level=Level.NOTE),
    Check(id="CSV347", slug="detached-unreadable", title="A side file holds no signature that can be read", level=Level.NOTE),
    Check(id="CSV348", slug="detached-key-missing", title="A detached signature cannot be verified here", level=Level.NOTE),
)
