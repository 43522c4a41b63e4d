"""Where files that name owners lie when nobody says where."""

from __future__ import annotations

from pathlib import Path

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitHub (the first three) and GitLab (all but the first) look, in GitHub's order."""
CATALOG_INFO = "catalog-info.yaml"
"""Of Backstage."""


def codeowners_in(repository: Path) -> Path | None:
    return next((path for name in CODEOWNERS if (path := repository / name).is_file()), None)


def catalog_info_in(repository: Path) -> Path | None:
    path = repository / CATALOG_INFO
    return path if path.is_file() else None
