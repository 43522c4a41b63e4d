"""Who answers for an artifact: CODEOWNERS, the configuration's table, Backstage and build manifests, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.lazy import lazily
from csv_gate.owners.places import Dialect

if TYPE_CHECKING:
    from csv_gate.owners.codeowners import CodeOwners, read_codeowners
    from csv_gate.owners.index import OwnerIndex, OwnerStep
    from csv_gate.owners.loading import load_owner_index
    from csv_gate.owners.table import OwnerName, OwnerRule
else:
    __getattr__ = lazily(
        __name__,
        {
            "CodeOwners": "codeowners",
            "OwnerIndex": "index",
            "OwnerName": "table",
            "OwnerRule": "table",
            "OwnerStep": "index",
            "load_owner_index": "loading",
            "read_codeowners": "codeowners",
        },
    )

__all__ = [
    "CodeOwners",
    "Dialect",
    "OwnerIndex",
    "OwnerName",
    "OwnerRule",
    "OwnerStep",
    "load_owner_index",
    "read_codeowners",
]
