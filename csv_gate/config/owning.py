"""The owner index that a configuration describes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.config.model import Config
from csv_gate.owners.places import catalog_info_in, codeowners_in

if TYPE_CHECKING:
    from csv_gate.owners import OwnerIndex


def has_owners(config: Config, repository: Path) -> bool:
    """Whether anything says who owns what: the configuration, or a file where forges and Backstage look for it."""
    ownership = config.ownership
    named = (config.owners, config.default_owner, ownership.codeowners, ownership.manifests, ownership.catalog_info)
    return any(named) or codeowners_in(repository) is not None or catalog_info_in(repository) is not None


def owner_index(config: Config, repository: Path) -> OwnerIndex:
    """Read what `owners`, `default_owner` and `ownership` name, in the repository at that folder. Touches the disk."""
    from csv_gate.owners import load_owner_index  # with the readers of all sources behind it

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
