"""Files that name owners: where they lie when nobody says where, and whose grammar they are in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitHub (the first three) and GitLab (all but the first) look, in GitHub's order."""
CATALOG_INFO = "catalog-info.yaml"
"""Of Backstage."""


class Dialect(StrEnum):
    """Whose CODEOWNERS grammar holds."""

    AUTO = "auto"
    """GitHub's below `.github`, GitLab's below `.gitlab`; elsewhere GitLab's if there is a section header."""
    GITHUB = "github"
    GITLAB = "gitlab"


def codeowners_in(repository: Path) -> Path | None:
    return next((path for name in CODEOWNERS if (path := repository / name).is_file()), None)


def catalog_info_in(repository: Path) -> Path | None:
    path = repository / CATALOG_INFO
    return path if path.is_file() else None
