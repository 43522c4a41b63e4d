"""The `ownership:` section: files that say who owns what, besides the table in the configuration itself."""

from __future__ import annotations

from pathlib import Path

from csv_gate.documents import FilePattern, says
from csv_gate.owners import Dialect
from csv_gate.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    codeowners: Path | None = field(
        default=None, metadata=says("The CODEOWNERS file; none given: where GitHub and GitLab look for it in the repository.")
    )
    dialect: Dialect = field(default=Dialect.AUTO, metadata=says("Whose grammar the CODEOWNERS file is written in."))
    manifests: tuple[FilePattern, ...] = field(
        default=(),
        metadata=says(
            "Build manifests that map an artifact to its project: *.deps.json, SPDX or CycloneDX JSON, *.csproj; globs."
        ),
    )
    catalog_info: tuple[FilePattern, ...] = field(
        default=(), metadata=says("Backstage catalog-info.yaml files; none given: the one at the repository's root.")
    )
