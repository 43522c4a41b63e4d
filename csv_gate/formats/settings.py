"""What an extraction is told: bounds, roots, catalogs, keys. One value for a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field

from csv_gate.formats.sigstore_bundle import SigstoreRoot
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.signatures import CatalogIndex, Roots
from csv_gate.signatures.openpgp import KeyRing

FACTS_VERSION = 3
"""Raised with every change of what extraction says of the same bytes: kept facts of another version are not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSettings:
    limits: Limits = DEFAULT_LIMITS
    roots: Roots = field(default_factory=Roots.known)
    catalogs: CatalogIndex = field(default_factory=lambda: CatalogIndex(()))
    openpgp_keys: KeyRing = field(default_factory=KeyRing)
    """Keys of those who sign packages and files the OpenPGP way; of others nothing can be verified."""
    sigstore_root: SigstoreRoot | None = None
    """What sigstore bundles are verified with. Kept facts do not depend on it: they hold no detached signatures."""
    verify_all_checksums: bool = False
    """Check CheckSum of every PE, and not only of drivers, whose loader checks it. Costs as much as one more digest."""
