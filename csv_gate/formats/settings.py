"""What an extraction is told: bounds, roots, catalogs, keys. One value for a whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.records import dataclass, field
from csv_gate.signatures import CatalogIndex, Roots

if TYPE_CHECKING:
    from csv_gate.formats.sigstore_bundle import SigstoreRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSettings:
    limits: Limits = DEFAULT_LIMITS
    roots: Roots = field(default_factory=Roots.known)
    catalogs: CatalogIndex = field(default_factory=lambda: CatalogIndex(()))
    takes_sha1: bool = True
    """Take the Authenticode SHA-1 of every PE image. It costs as much as SHA-256, and only rules and catalogs that hold SHA-1 are compared
    with it; without it the facts have none, and a rule of its length has no sure answer. The first page is taken by both in any case."""
    openpgp_keys: tuple[bytes, ...] = ()
    """Files of keys of those who sign packages and files the OpenPGP way; of others nothing can be verified."""
    sigstore_root: SigstoreRoot | None = None
    """What sigstore bundles are verified with. Kept facts do not depend on it: they hold no detached signatures."""
    verify_all_checksums: bool = False
    """Check CheckSum of every PE, and not only of drivers, whose loader checks it. Costs as much as one more digest."""
