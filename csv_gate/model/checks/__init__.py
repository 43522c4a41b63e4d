"""The catalogue of checks: stable ids, one source of text for the command line, the documentation and every report.

A check is one line in a family's table and one page in `pages/` (what, why, how to mend). Numbers are never used again.
CSV1xx signatures and files · CSV2xx App Control · CSV3xx containers and scripts · CSV4xx requirements · CSV6xx policy lint ·
CSV8xx could not be decided · CSV9xx the gate's own hygiene.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib import import_module

from csv_gate.errors import UsageError
from csv_gate.model.checks.table import Check
from csv_gate.records import dataclass

__all__ = ["CHECKS", "Check", "CheckPage", "check", "page"]

FAMILIES = (
    "signature",
    "appcontrol",
    "scripts",
    "containers",
    "openpgp",
    "requirements",
    "policy_lint",
    "undecided",
    "hygiene",
    "waivers",
    "people",
)
"""Modules here with a table each."""


class _Catalogue(Mapping[str, Check]):
    """All checks by id. The tables are read when the first is asked for: a run that finds nothing needs none."""

    @cached_property
    def _entries(self) -> dict[str, Check]:
        tables: list[tuple[Check, ...]] = [import_module(f"{__name__}.{family}").CHECKS for family in FAMILIES]
        return {entry.id: entry for table in tables for entry in table}

    def __getitem__(self, check_id: str) -> Check:
        return self._entries[check_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


CHECKS: Mapping[str, Check] = _Catalogue()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage:
    """The page of a check, Markdown without its title."""

    check: Check
    what: str
    why: str
    mend: str


def check(check_id: str) -> Check:
    """The check of an id, in any letter case; also by slug.

    Raises:
        UsageError: no such check.
    """
    found = CHECKS.get(check_id.upper()) or next((c for c in CHECKS.values() if c.slug == check_id), None)
    if found is None:
        raise UsageError(f"there is no check {check_id!r}", help="`csv-gate explain` without arguments lists them")
    return found


@cache
def page(check_id: str) -> CheckPage:
    """Read the page of a check from the package's data."""
    entry = check(check_id)
    from importlib import resources  # with zipfile and more behind it

    text = (resources.files(__name__) / "pages" / f"{entry.id}.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (What|Why|How to mend)\n+(.*?)(?=^## |\Z)", text, re.M | re.S))
    what, why, mend = (sections[name].strip() for name in ("What", "Why", "How to mend"))
    return CheckPage(check=entry, what=what, why=why, mend=mend)
