"""Security catalogs of a run: those that lie in the inputs, those given for every target, those installed on one target alone.

A catalog in the inputs counts as installed where it goes: on the targets that its own path is routed to, since it ships with the build.
Excluding it says that it is not installed. Which catalog a verdict leans on is in the verdict's words. One that cannot be read leaves
open which signatures an artifact has; one that is no catalog at closer sight is told as a finding, and leaves the same open, since the
target may read it with other eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from csv_gate.errors import ArtifactError, ConfigError, LimitError, Place
from csv_gate.gate.survey import MemberCatalog
from csv_gate.limits import Limits
from csv_gate.model.checks import check
from csv_gate.model.facts import FactName, Gap
from csv_gate.model.result import Finding
from csv_gate.records import dataclass, field
from csv_gate.scan import Entry, open_content
from csv_gate.signatures import Catalog, Roots


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogs:
    """All catalogs of a run."""

    catalogs: tuple[Catalog, ...] = ()
    findings: tuple[Finding, ...] = ()
    gap: Gap | None = None
    """Set where a catalog in the inputs could not be read: more signatures may exist than are known."""
    paths_sha256: dict[str, frozenset[str]] = field(default_factory=dict)
    """Path as given -> SHA-256, for catalogs that only some targets have."""
    found_scopes: dict[str, frozenset[str]] = field(default_factory=dict)
    """SHA-256 -> the paths, as patterns see them, where the catalog lies in the inputs."""
    everywhere_sha256: frozenset[str] = frozenset()

    def foreign_to(self, own: Sequence[str], goes_there: Callable[[str], bool]) -> frozenset[str]:
        """SHA-256 of the catalogs that the target does not have, though another one may. `goes_there` tells of a path whether it is
        routed to the target."""
        mine = frozenset[str]().union(*(self.paths_sha256.get(path, frozenset()) for path in own))
        shipped = {sha256 for sha256, scopes in self.found_scopes.items() if any(map(goes_there, sorted(scopes)))}
        others = frozenset(self.found_scopes).union(*self.paths_sha256.values())
        return others - mine - shipped - self.everywhere_sha256


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
    scopes: dict[str, set[str]] = {}
    loose = (MemberCatalog(path=entry.path, scope=entry.scope, read=_read(entry, roots, limits)) for entry in found)
    for one in (*loose, *members):
        if isinstance(one.read, ArtifactError):
            message = str(one.read)
            findings.append(Finding(check="CSV111", level=check("CSV111").level, message=message, place=Place(path=one.path)))
            unread.append(one.path)
            continue
        catalogs.setdefault(one.read.sha256, one.read)
        scopes.setdefault(one.read.sha256, set()).add(one.scope)
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
        found_scopes={sha256: frozenset(paths) for sha256, paths in scopes.items()},
        everywhere_sha256=frozenset(everywhere),
    )


def _read(entry: Entry, roots: Roots, limits: Limits) -> Catalog | ArtifactError:
    try:
        if entry.size > limits.max_catalog_bytes:  # before so much is read into memory
            raise LimitError("a catalog is too large", got=f"{entry.size} bytes", expected="limits.max_catalog_bytes")
        with open_content(entry, limits) as content:
            return _catalog(bytes(content), entry.path, roots, limits)
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
        return _catalog(Path(path).read_bytes(), path, roots, limits)
    except OSError as error:
        raise ConfigError(
            f"a given catalog cannot be read: {error.strerror or type(error).__name__}", place=Place(path=path)
        ) from error
    except ArtifactError as error:
        raise ConfigError(
            f"a given catalog cannot be used: {error}", place=Place(path=path), expected="a security catalog (.cat)"
        ) from error


def _catalog(data: bytes, path: str, roots: Roots, limits: Limits) -> Catalog:
    from csv_gate.signatures import read_catalog  # with the cryptography library behind it; most runs have no catalog

    return read_catalog(data, path=path, roots=roots, limits=limits)


def _gap(unread: Sequence[str]) -> Gap | None:
    if not unread:
        return None
    more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
    return Gap(what=FactName.CATALOGS, why=f"the catalog {unread[0]}{more} could not be read")
