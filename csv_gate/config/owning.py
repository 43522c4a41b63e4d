"""The owner index that a configuration describes."""

from __future__ import annotations

from pathlib import Path

from csv_gate.config.model import Config
from csv_gate.owners import OwnerIndex, load_owner_index


def owner_index(config: Config, repository: Path) -> OwnerIndex:
    """Read what `owners`, `default_owner` and `ownership` name, in the repository at that folder. Touches the disk."""
    ownership = config.ownership
    return load_owner_index(
        repository,
        table=config.owners,
        default=config.default_owner,
        codeowners=ownership.codeowners,
        dialect=ownership.dialect,
        manifests=[path for pattern in ownership.manifests for path in pattern.files()],
        catalog_info=[path for pattern in ownership.catalog_info for path in pattern.files()],
    )
