"""Hash rules: a table lookup per digest of the artifact, whatever the number of rules.

App Control chooses which hash it computes by how a file is signed: with page hashes it validates page by page and may never take the
digest of the whole image. So a match allows for sure only where it must be seen: the image digest where no signature carries page
hashes, or together with a matching page hash; the hash of the first page alone says nothing of the other pages, and allows only under
a signed table that verifies whole. For denying any of the four counts.

Source: App Control docs, "Understand App Control policy rules and file rules" (more information about hashes).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from csv_gate.engine.appcontrol.truth import ALLOW, FACT, NOT_SPECIFIED, Answer, Direction, unknown, yes
from csv_gate.engine.appcontrol.view import ArtifactView, Candidate, HashKind
from csv_gate.model.appcontrol import FileRule
from csv_gate.records import dataclass

_PAGE_ONLY = "the first page matches a hash rule, but nothing vouches for the other pages"
_MAYBE_PAGES_ONLY = (
    "a signature carries page hashes, so Windows may compare page hashes only, and no rule holds the first page's"
)
_TWO_LENGTHS = "whether Windows pads a file of odd length before hashing; the rules match one of the two digests only"
_KNOWN_SIZES = frozenset({20, 32})
_LAYOUT = "which digest Windows takes of a file that Authenticode cannot lay out"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashIndex:
    """Hash rules by the octets they hold."""

    rules: dict[str, FileRule]
    """By lower-case hex, as the facts have it."""
    sizes: tuple[tuple[int, FileRule], ...]
    """(length in bytes, one rule of that length), by length."""
    has_odd_sizes: bool
    """Whether some rule's length is that of no digest which any tool writes."""

    def match(self, view: ArtifactView, direction: Direction) -> tuple[FileRule, Answer] | None:
        """The rule that counts and what it comes to; `None` where no rule can match."""
        if not self.rules.keys().isdisjoint(view.hashes.keys()):
            found = [(candidate, rule) for value, candidate in view.hashes.items() if (rule := self.rules.get(value))]
            if len(found) > 1:
                found.sort(key=lambda pair: (pair[0].kind, pair[0].algorithm == "sha1", pair[1].id))
            answer = _judge_allow(found, view) if direction is ALLOW else _judge_deny(found, view)
            if answer is not None:
                return found[0][1], answer
        return self._unknown(view) if view.unknown_hashes or self.has_odd_sizes else None

    def _unknown(self, view: ArtifactView) -> tuple[FileRule, Answer] | None:
        for size, rule in self.sizes:
            if size in view.unknown_hashes:
                return rule, unknown(FACT, f"the digests that hash rules of {size} bytes hold ({view.unknown_hashes[size]})")
            if size not in _KNOWN_SIZES:
                return rule, unknown(
                    NOT_SPECIFIED, f"whether Windows compares hash rules of {size} bytes, which no tool writes"
                )
        return None


def index_hashes(rules: Iterable[FileRule]) -> HashIndex:
    """Build the table out of hash rules; of several with one hash the least id stands for all."""
    table: dict[str, FileRule] = {}
    for rule in rules:
        assert rule.hash is not None
        value = rule.hash.hex()
        known = table.setdefault(value, rule)
        if rule.id < known.id:
            table[value] = rule
    by_size: dict[int, list[FileRule]] = {}
    for value, rule in table.items():
        by_size.setdefault(len(value) // 2, []).append(rule)
    return HashIndex(
        rules=table,
        sizes=tuple([(size, min(found, key=attrgetter("id"))) for size, found in sorted(by_size.items())]),
        has_odd_sizes=not by_size.keys() <= _KNOWN_SIZES,
    )


NO_HASHES = HashIndex(rules={}, sizes=(), has_odd_sizes=False)


_IMAGE, _PAGE, _PADDED, _FLAT = HashKind.IMAGE, HashKind.PAGE, HashKind.PADDED, HashKind.FLAT
Found = list[tuple[Candidate, FileRule]]


def _judge_hosted(found: Found) -> Answer:
    """A host compares one of two digests, and which is not published: both must be listed."""
    kinds = {candidate.kind for candidate, _ in found}
    label = found[0][0].label
    if kinds == {_IMAGE, _FLAT}:
        return yes("its signing digest and its flat digest are listed")
    return unknown(
        NOT_SPECIFIED,
        f"whether the host compares the signing digest or the flat digest of this file; only its {label} is listed",
    )


def _judge_allow(found: Found, view: ArtifactView) -> Answer | None:
    if view.host is not None:
        return _judge_hosted(found)
    kinds = {candidate.kind for candidate, _ in found}
    image = _IMAGE in kinds and (_PADDED in kinds or not view.odd_length)
    pages = [candidate for candidate, _ in found if candidate.kind is _PAGE]
    if image and pages:
        return yes(found[0][0].listed)
    tables = view.page_tables
    if image and not tables:
        if view.signatures_gap is not None:
            return unknown(FACT, f"whether a signature carries page hashes ({view.signatures_gap})")
        return yes(found[0][0].listed)
    if view.embedded_gap is None and any((page.algorithm, True) in tables for page in pages):
        return yes(f"the {pages[0].label} hash is listed and the signed page hashes verify whole")
    if image:
        return unknown(NOT_SPECIFIED, _MAYBE_PAGES_ONLY)
    if _IMAGE in kinds or _PADDED in kinds:
        return unknown(NOT_SPECIFIED, _TWO_LENGTHS)
    if pages:
        return unknown(NOT_SPECIFIED, _PAGE_ONLY)
    if found[0][0].label.startswith("Authenticode"):
        return unknown(NOT_SPECIFIED, _LAYOUT)
    return None  # the flat digest of a file whose Authenticode digest is compared instead


def _judge_deny(found: Found, view: ArtifactView) -> Answer:
    if view.host is not None:
        return _judge_hosted(found)
    kinds = {candidate.kind for candidate, _ in found}
    best = found[0][0]
    if _PAGE in kinds:
        page = next(candidate for candidate, _ in found if candidate.kind is _PAGE)
        return yes(page.listed)
    if _IMAGE in kinds and (_PADDED in kinds or not view.odd_length):
        return yes(best.listed)
    if _IMAGE in kinds or _PADDED in kinds:
        return unknown(NOT_SPECIFIED, _TWO_LENGTHS)
    if best.label.startswith("Authenticode"):
        return unknown(NOT_SPECIFIED, _LAYOUT)
    return unknown(
        NOT_SPECIFIED,
        "whether Windows takes the flat digest of this file, which a rule denies; it does where the image changes in memory",
    )
