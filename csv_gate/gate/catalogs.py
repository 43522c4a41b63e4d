"""Security catalogs of a run: those that lie in the inputs, those given for every target, those installed on one target alone.

A catalog in the inputs counts as installed: it ships with the build. One that cannot be read leaves open which signatures an artifact has;
one that is no catalog at closer sight is told as a finding, and leaves the same open, since the target may read it with other eyes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from csv_gate.errors import ArtifactError, ConfigError, Place
from csv_gate.gate.survey import MemberCatalog
from csv_gate.limits import Limits
from csv_gate.model.checks import check
from csv_gate.model.facts import FactName, Gap
from csv_gate.model.result import Finding
from csv_gate.scan import Entry, open_content
from csv_gate.signatures import Catalog, Roots, read_catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogs:
    """All catalogs of a run."""

    catalogs: tuple[Catalog, ...] = ()
    findings: tuple[Finding, ...] = ()
    gap: Gap | None = None
    """Set where a catalog in the inputs could not be read: more signatures may exist than are known."""
    paths_sha256: dict[str, frozenset[str]] = field(default_factory=dict)
    """Path as given -> SHA-256, for catalogs that only some targets have."""
    everywhere_sha256: frozenset[str] = frozenset()

    def foreign_to(self, own: Sequence[str]) -> frozenset[str]:
        """SHA-256 of the catalogs that the target does not have, though another one does."""
        mine = frozenset[str]().union(*(self.paths_sha256.get(path, frozenset()) for path in own))
        others = frozenset[str]().union(*self.paths_sha256.values())
        return others - mine - self.everywhere_sha256


def read_catalogs(
    found: Iterable[Entry],
    given: Sequence[str],
    of_targets: Iterable[str],
    *,
    roots: Roots,
    limits: Limits,
    members: Iterable[MemberCatalog] = (),
) -> Catalogs:
    """Read them all. `members`: those in containers, which count like loose ones.

    Raises:
        ConfigError: a catalog that was given by name cannot be read as one.
    """
    catalogs: dict[str, Catalog] = {}
    findings = []
    unread = []
    everywhere = set()
    loose = (MemberCatalog(path=entry.path, read=_read(entry, roots, limits)) for entry in found)
    for one in (*loose, *members):
        if isinstance(one.read, ArtifactError):
            message = str(one.read)
            findings.append(Finding(check="CSV111", level=check("CSV111").level, message=message, place=Place(path=one.path)))
            unread.append(one.path)
            continue
        catalogs.setdefault(one.read.sha256, one.read)
        everywhere.add(one.read.sha256)
    for path in given:
        catalog = _given(path, roots, limits)
        catalogs.setdefault(catalog.sha256, catalog)
        everywhere.add(catalog.sha256)
    by_path = {}
    for path in dict.fromkeys(of_targets):
        catalog = _given(path, roots, limits)
        catalogs.setdefault(catalog.sha256, catalog)
        by_path[path] = frozenset({catalog.sha256})
    return Catalogs(
        catalogs=tuple(catalogs.values()),
        findings=tuple(findings),
        gap=_gap(unread),
        paths_sha256=by_path,
        everywhere_sha256=frozenset(everywhere),
    )


def _read(entry: Entry, roots: Roots, limits: Limits) -> Catalog | ArtifactError:
    try:
        with open_content(entry, limits) as content:
            return read_catalog(bytes(content), path=entry.path, roots=roots, limits=limits)
    except ArtifactError as error:
        return error


def _given(path: str, roots: Roots, limits: Limits) -> Catalog:
    try:
        size = Path(path).stat().st_size
        if size > limits.max_catalog_bytes:
            raise ConfigError(
                "a given catalog is too large",
                place=Place(path=path),
                got=f"{size} bytes",
                expected=f"at most {limits.max_catalog_bytes} (max_catalog_bytes)",
            )
        return read_catalog(Path(path).read_bytes(), path=path, roots=roots, limits=limits)
    except OSError as error:
        raise ConfigError(
            f"a given catalog cannot be read: {error.strerror or type(error).__name__}", place=Place(path=path)
        ) from error
    except ArtifactError as error:
        raise ConfigError(
            f"a given catalog cannot be used: {error}", place=Place(path=path), expected="a security catalog (.cat)"
        ) from error


def _gap(unread: Sequence[str]) -> Gap | None:
    if not unread:
        return None
    more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
    return Gap(what=FactName.CATALOGS, why=f"the catalog {unread[0]}{more} could not be read")
