"""CSV1xx: what is wrong with a file or its signatures, whatever a policy says of it."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV101", slug="digest-mismatch", title="The file is not what was signed", level=Level.WARNING),
    Check(id="CSV102", slug="signature-invalid", title="A signature is malformed or wrong", level=Level.WARNING),
    Check(id="CSV103", slug="certificate-table-malformed", title="The certificate table is malformed", level=Level.WARNING),
    Check(id="CSV104", slug="data-in-certificate-table", title="Data hides in the certificate table", level=Level.WARNING),
    Check(id="CSV105", slug="timestamp-invalid", title="A time stamp is present but does not count", level=Level.WARNING),
    Check(id="CSV106", slug="weak-cryptography", title="Weak digest or key", level=Level.NOTE),
    Check(id="CSV107", slug="unsigned-attribute", title="Unauthenticated data rides in a signature", level=Level.NOTE),
    Check(id="CSV108", slug="chain-broken", title="The certificate chain does not hold", level=Level.WARNING),
    Check(id="CSV109", slug="certificate-unfit", title="The signing certificate is not meant for code", level=Level.NOTE),
    Check(id="CSV110", slug="file-layout", title="The file's layout is unusual", level=Level.NOTE),
    Check(id="CSV111", slug="catalog-malformed", title="A catalog cannot be used", level=Level.WARNING),
    Check(id="CSV112", slug="cross-check-differs", title="A second implementation disagrees", level=Level.ERROR),
)
