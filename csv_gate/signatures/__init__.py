"""CMS, X.509, chains, time stamps and catalogs (OpenPGP: `signatures.openpgp`): attacker-controlled octets to signature facts.

Facts here are true at any time and for anybody: no clock, no trust list and no policy is in them. A signature is `valid` where its
structure is sound, its signer's key made it and the file's digest is the signed one. Whether the signer is trusted, whether the certificate
had expired and whether the time stamp helps is for an engine to say, from the same facts.

    signatures = read_signatures(block, content, source=SignatureSource.EMBEDDED, place="0", roots=Roots.known(), limits=limits)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.lazy import lazily
from csv_gate.signatures.catalog import Catalog, CatalogIndex, CatalogMember
from csv_gate.signatures.roots import WELL_KNOWN_COMMON_NAMES, Roots

if TYPE_CHECKING:
    from csv_gate.signatures.authenticode import read_signatures
    from csv_gate.signatures.catalog_reader import read_catalog
    from csv_gate.signatures.content import SignedContent, Subject
    from csv_gate.signatures.envelope import SignedDataFacts, read_signed_data
else:
    # What reads signatures brings the cryptography library. A run whose facts are all kept verifies nothing.
    __getattr__ = lazily(
        __name__,
        {
            "SignedContent": "content",
            "SignedDataFacts": "envelope",
            "Subject": "content",
            "read_catalog": "catalog_reader",
            "read_signatures": "authenticode",
            "read_signed_data": "envelope",
        },
    )

__all__ = [
    "WELL_KNOWN_COMMON_NAMES",
    "Catalog",
    "CatalogIndex",
    "CatalogMember",
    "Roots",
    "SignedContent",
    "SignedDataFacts",
    "Subject",
    "read_catalog",
    "read_signatures",
    "read_signed_data",
]
