"""From files on disk to an `OwnerIndex`. A file that can't be read is a problem that is told, never the end of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from csv_gate.errors import ConfigError
from csv_gate.owners.backstage import CatalogEntity, read_catalog_info
from csv_gate.owners.codeowners import CodeOwners, read_codeowners
from csv_gate.owners.index import OwnerIndex
from csv_gate.owners.manifests import MAX_BYTES, Claim, Manifests, read_manifest
from csv_gate.owners.places import Dialect, catalog_info_in, codeowners_in
from csv_gate.owners.table import OwnerName, OwnerRule

T = TypeVar("T")


def load_owner_index(
    repository: Path,
    *,
    table: tuple[OwnerRule, ...] = (),
    default: OwnerName | None = None,
    codeowners: Path | None = None,
    dialect: Dialect = Dialect.AUTO,
    manifests: Iterable[Path] = (),
    catalog_info: Iterable[Path] = (),
) -> OwnerIndex:
    """Read every source. `codeowners`: where none is given, the places where the forges look; so with `catalog_info`."""
    loading = _Loading(repository)
    found = codeowners or codeowners_in(repository)
    files = tuple(catalog_info) or tuple(path for path in (catalog_info_in(repository),) if path is not None)
    owners: CodeOwners | None = None
    if found is not None:
        owners = loading.read(found, lambda data, path, _: read_codeowners(data, path, dialect))
    claims: list[Claim] = []
    for path in sorted(manifests):
        claims.extend(loading.read(path, read_manifest) or ())
    entities: list[CatalogEntity] = []
    for path in sorted(files):
        entity = loading.read(path, read_catalog_info)
        if entity is not None:
            entities.append(entity)
    skipped = () if owners is None else owners.skipped
    return OwnerIndex(
        table=table,
        default=default,
        codeowners=owners,
        manifests=Manifests(claims=tuple(claims)),
        catalog=tuple(entities),
        problems=(*loading.problems, *map(str, skipped)),
    )


class _Loading:
    def __init__(self, repository: Path) -> None:
        self.problems: list[str] = []
        self._repository = repository

    def read(self, path: Path, reader: Callable[[bytes, str, str], T]) -> T | None:
        """Hand bytes, shown path and folder relative to the repository to a reader; `None` with the problem noted."""
        shown = self._relative(path)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ConfigError(f"{shown}: the file is too large")
            return reader(path.read_bytes(), shown, shown.rpartition("/")[0])
        except OSError as error:
            self.problems.append(f"{shown}: {error.strerror}")
        except ConfigError as error:
            self.problems.append(str(error))
        return None

    def _relative(self, path: Path) -> str:
        try:
            relative = os.path.relpath(path, self._repository)
        except ValueError:  # another drive
            return path.as_posix()
        return Path(relative).as_posix()
