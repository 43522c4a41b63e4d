"""Who answers for an artifact: all sources in one order, each answer with the line that gives it.

The order: the build manifest (artifact -> source -> CODEOWNERS, else Backstage, of the source), the configuration's `owners:`
table over the output path, CODEOWNERS over the output path, Backstage at the repository's root, `default_owner`. A member of a
container that nobody claims belongs to whom the container belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.model.result import Owner
from csv_gate.owners.backstage import CatalogEntity, nearest
from csv_gate.owners.codeowners import CodeOwners
from csv_gate.owners.manifests import Manifests, SourcePath
from csv_gate.owners.table import OwnerName, OwnerRule
from csv_gate.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerStep:
    """One source that was asked."""

    source: str
    """`manifest`, `config`, `codeowners`, `backstage` or `default`."""
    outcome: str
    """In words; may quote attacker-controlled paths."""
    owner: Owner | None = None
    """Whom it named; the first step that names somebody decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerIndex:
    """All that is known of owners. Paths are relative to the root that all sources share."""

    table: tuple[OwnerRule, ...] = ()
    codeowners: CodeOwners | None = None
    manifests: Manifests = field(default_factory=Manifests)
    catalog: tuple[CatalogEntity, ...] = ()
    default: OwnerName | None = None
    problems: tuple[str, ...] = ()
    """What could not be read, with its place; for people."""

    @property
    def is_silent(self) -> bool:
        """Whether no source says anything about anybody."""
        return not (self.table or self.codeowners or self.manifests.claims or self.catalog or self.default)

    @property
    def of_the_rest(self) -> Owner | None:
        """Who answers for what is nobody else's."""
        return None if self.default is None else self.default.owner()

    def owner_of(self, path: str, sha256: str | None = None) -> Owner | None:
        """Who answers for the artifact. Several owners of one CODEOWNERS line are one `Owner`, their names joined by a comma."""
        if self.is_silent:
            return None
        return next((step.owner for step in self.steps(path, sha256) if step.owner is not None), None)

    def explain(self, path: str, sha256: str | None = None) -> tuple[OwnerStep, ...]:
        """Every source in the order it is asked, also those behind the one that decides."""
        return tuple(self.steps(path, sha256))

    def steps(self, path: str, sha256: str | None = None) -> Iterator[OwnerStep]:
        """The steps, each worked out only when it is asked for."""
        yield self._manifest(path, sha256)
        yield self._config(path)
        yield self._codeowners(path)
        yield self._backstage()
        if self.default is None:
            yield OwnerStep(source="default", outcome="no default owner is configured")
        else:
            yield OwnerStep(source="default", outcome=f"default owner at {self.default.place}", owner=self.default.owner())

    def _manifest(self, path: str, sha256: str | None) -> OwnerStep:
        found: SourcePath | None = None
        for candidate in _outward(path):
            found = self.manifests.source_of(candidate, sha256 if candidate == path else None)
            if found is not None:
                break
        if found is None:
            return OwnerStep(source="manifest", outcome="no build manifest says what it is built from")
        origin = f"built from {found.path} ({found.place})"
        owner = self._by_codeowners(found.path)
        if owner is None and (entity := nearest(self.catalog, found.path)) is not None:
            owner = entity.owner
        if owner is None:
            return OwnerStep(source="manifest", outcome=f"{origin}, which nobody owns")
        return OwnerStep(source="manifest", outcome=f"{origin}, owned by {owner.name} ({owner.source})", owner=owner)

    def _config(self, path: str) -> OwnerStep:
        for candidate in _outward(path):
            for rule in reversed(self.table):
                glob = rule.matching(candidate)
                if glob is not None:
                    return OwnerStep(source="config", outcome=f"{glob} at {rule.place}", owner=rule.owner())
        return OwnerStep(source="config", outcome="no row of the owners table means this path")

    def _codeowners(self, path: str) -> OwnerStep:
        if self.codeowners is None:
            return OwnerStep(source="codeowners", outcome="there is no CODEOWNERS file")
        for candidate in _outward(path):
            owner = self._by_codeowners(candidate)
            if owner is not None:
                return OwnerStep(source="codeowners", outcome=f"{self.codeowners.dialect} grammar, {owner.source}", owner=owner)
        rules = self.codeowners.matching(path)
        why = (
            f"the line that matches names nobody ({rules[-1].place})" if rules else f"no line of {self.codeowners.path} matches"
        )
        return OwnerStep(source="codeowners", outcome=why)

    def _by_codeowners(self, path: str) -> Owner | None:
        rules = self.codeowners.matching(path) if self.codeowners is not None else ()
        owning = [rule for rule in rules if rule.owners]
        if not owning:
            return None
        names = dict.fromkeys(owner for rule in owning for owner in rule.owners)
        return Owner(name=", ".join(names), source=", ".join(str(rule.place) for rule in owning))

    def _backstage(self) -> OwnerStep:
        root = next((entity for entity in self.catalog if not entity.folder), None)
        if root is None:
            return OwnerStep(source="backstage", outcome="no catalog-info.yaml at the repository's root names an owner")
        return OwnerStep(source="backstage", outcome=f"{root.kind} {root.name} at {root.owner.source}", owner=root.owner)


def _outward(path: str) -> Iterator[str]:
    """The path itself, then the containers it is in, innermost first."""
    yield path
    while (cut := path.rfind("!/")) > 0:
        path = path[:cut]
        yield path
