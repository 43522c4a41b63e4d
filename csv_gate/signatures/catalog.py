"""What security catalogs say, and the looking up of files in them; `catalog_reader` reads them. Nothing here needs a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from csv_gate.model.facts import SignatureFacts
from csv_gate.model.problems import Problem
from csv_gate.records import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogMember:
    """One listed file."""

    algorithm: str
    digest: bytes
    is_flat: bool
    """True: a digest of the whole file; False: of a PE image by Authenticode's rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One catalog file."""

    path: str
    sha256: str
    version: int | None
    """1 or 2; None: the list names an unknown kind of members."""
    signature: SignatureFacts
    """The catalog's own signature. A member's is the same with the member's digest."""
    members: Mapping[tuple[str, bytes], CatalogMember]
    """By algorithm and digest."""
    problems: tuple[Problem, ...] = ()
    """Of single members."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Digest algorithms of the members, sorted."""
        return tuple(sorted({algorithm for algorithm, _ in self.members}))


class CatalogIndex:
    """Many catalogs, asked at once which of them list a file. Keeps the members once, in one table."""

    __slots__ = ("_by_digest", "algorithms", "catalogs")

    def __init__(self, catalogs: Sequence[Catalog] = ()) -> None:
        self.catalogs = tuple(sorted(catalogs, key=lambda catalog: (catalog.path, catalog.sha256)))
        self._by_digest: dict[tuple[str, bytes], list[Catalog]] = {}
        for catalog in self.catalogs:
            for key in catalog.members:
                self._by_digest.setdefault(key, []).append(catalog)
        self.algorithms = tuple(sorted({algorithm for algorithm, _ in self._by_digest}))
        """Digests that `signatures_for` will ask for."""

    def signatures_for(self, digests: Callable[[str], Sequence[bytes]]) -> tuple[SignatureFacts, ...]:
        """The signatures of all catalogs that list a file, by catalog path, then algorithm.

        `digests(algorithm)` gives the digests by which Windows would look the file up, and is asked only for algorithms that some member
        uses. A catalog whose signature is broken answers too, with `valid=False`.
        """
        found = [
            _member_signature(catalog, catalog.members[algorithm, digest])
            for algorithm in self.algorithms
            for digest in dict.fromkeys(digests(algorithm))
            for catalog in self._by_digest.get((algorithm, digest), ())
        ]
        return tuple(sorted(found, key=lambda one: (one.place, one.catalog_sha256, one.digest_algorithm, one.signed_digest)))


def _member_signature(catalog: Catalog, member: CatalogMember) -> SignatureFacts:
    return replace(
        catalog.signature,
        digest_algorithm=member.algorithm,
        signed_digest=member.digest.hex(),
        digest_matches=True,
    )
