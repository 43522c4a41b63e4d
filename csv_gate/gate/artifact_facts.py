"""The facts of a listed file and of what is in it: found again where they were kept, else read from its bytes.

This is the one place where an unreadable artifact turns into a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from csv_gate.errors import ArtifactError
from csv_gate.formats import PACKAGES, ExtractionSettings
from csv_gate.gate.anchors import roots_with, sigstore_root
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.engines import JUDGED_FORMATS, compares_sha1
from csv_gate.gate.opening import JudgedMembers, Looked, Selection, container_format, members
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import NO_FILES, TrustedFiles
from csv_gate.model.facts import FactName, Facts, Gap
from csv_gate.records import replace
from csv_gate.records.rows import NamedTuple
from csv_gate.scan import Content, Entry, open_content
from csv_gate.signatures import CatalogIndex

if TYPE_CHECKING:
    from csv_gate.containers import Found
    from csv_gate.gate.kept import KeptFacts
    from csv_gate.model.split_facts import SplitFacts

_LISTED = frozenset[str]().union(*JUDGED_FORMATS.values())
"""Formats that catalogs vouch for."""


class Known(NamedTuple):
    """A file or member with its facts."""

    path: str
    """As reports show it."""
    scope: str
    """As patterns see it."""
    facts: Facts
    is_folder: bool = False
    """A folder that could not be listed: anything may be in it, for any target."""


class ArtifactFacts:
    """Everything that reading facts needs, made ready once in each process."""

    def __init__(self, plan: Plan, catalogs: Catalogs, trusted: TrustedFiles = NO_FILES) -> None:
        self._plan = plan
        self._catalog_gap = catalogs.gap
        index = CatalogIndex(catalogs.catalogs)
        self._settings = ExtractionSettings(
            limits=plan.limits,
            roots=roots_with(plan.given_roots),
            catalogs=index,
            takes_sha1=plan.takes_all_digests or "sha1" in index.algorithms or any(map(compares_sha1, plan.targets)),
            openpgp_keys=plan.given_openpgp_keys,
            sigstore_root=sigstore_root(plan.sigstore_root),
        )
        self._kept = _kept(plan, self._settings, trusted)

    @property
    def were_kept(self) -> bool:
        """Whether facts were kept before, so that perhaps no file need be read for them."""
        return self._kept is not None and self._kept.was_kept

    def look_ahead(self, entries: Iterable[Entry]) -> None:
        """Say what will be asked for next."""
        if self._kept is not None:
            self._kept.look_ahead(entries)

    def kept(self, entry: Entry) -> SplitFacts | None:
        """What is kept of a listed file, which then needs no reading."""
        # A signature beside the file is over its bytes, which are needed then.
        return None if self._kept is None or entry.beside or entry.is_alone else self._kept.find(entry)

    def again(self, entry: Entry, kept: SplitFacts) -> Known | None:
        """A listed file with its facts as they were kept; `None`: that is none of our writing."""
        try:
            return Known(entry.path, entry.scope, self._completed(kept.whole()))
        except ValueError:
            return None

    def read(self, entry: Entry, looked: Looked | None) -> list[Known]:
        """A listed file and its members with their facts, sorted by path; one that is unreadable has a gap instead.

        Of members those that are `looked` at (`None`: all), of containers also those that there is something to tell of.
        """
        try:
            return self._read(entry, looked)
        except ArtifactError as error:
            return [Known(entry.path, entry.scope, unreadable(entry.size, str(error)), is_folder=entry.is_folder)]

    def _read(self, entry: Entry, looked: Looked | None) -> list[Known]:
        """What the bytes say; of a file that is no container from the kept facts, where these bytes were read before.

        Raises ArtifactError, also where the file changed while it was read.
        """
        store = self._kept
        looked_ns = 0 if store is None else store.now_ns()
        with open_content(entry, self._plan.limits) as content:
            format = container_format(content, entry.path, self._plan.limits) if self._plan.opens_containers else None
            if format is not None:
                return sorted(self._opened(entry, content, format, looked), key=lambda one: one.path)
            if store is None:
                facts = self._with_sides(self._extracted(content, entry.path), content, entry)
                return [Known(entry.path, entry.scope, facts)]
            digest = store.digest(content)
            kept = store.facts(digest)
            facts = kept or _extract(content, self._settings, entry.path, store.sha256(digest))
            # What is kept is of these bytes alone, wherever they lie.
            signed = self._with_sides(facts, content, entry)
        # Only here is it sure that the file did not change while it was read.
        if kept is None:
            store.keep(entry, digest, facts, looked_ns)
        else:
            store.keep_identity(entry, digest, looked_ns)
        return [Known(entry.path, entry.scope, self._completed(signed))]

    def _opened(self, entry: Entry, content: Content, format: str, looked: Looked | None) -> Iterator[Known]:
        questions = JudgedMembers(Selection(self._plan, entry), looked)
        for found in members(self._plan, entry, content, format, questions):
            facts = self._found(found, content if found.depth == 0 else found.content, questions, entry)
            if facts is not None:
                yield Known(entry.path + found.path[len(entry.scope) :], found.path, facts)

    def _found(self, found: Found, content: Content | None, questions: JudgedMembers, entry: Entry) -> Facts | None:
        """The facts of what was found in a container; `None`: there is nothing to tell of it."""
        if content is None:
            return None if found.gap is None else unreadable(found.size, found.gap.why)
        if not found.is_container:
            return self._extracted(content, found.path) if found.is_wanted else None
        # Only now is it known which kind of archive it is.
        is_judged = questions.wants(found.path, found.format)
        has_sides = found.depth == 0 and entry.is_included and bool(entry.beside or entry.is_alone)
        if not (is_judged or found.problems or found.gap or has_sides or found.format in PACKAGES):
            return None
        facts = self._extracted(content, found.path)
        if has_sides:
            facts = self._with_sides(facts, content, entry)
        if not (is_judged or found.problems or found.gap or facts.signatures or facts.problems or facts.gaps):
            return None  # a package that says nothing of itself
        gaps = facts.gaps if found.gap is None else (*facts.gaps, found.gap)
        return replace(facts, problems=(*facts.problems, *found.problems), gaps=gaps)

    def _extracted(self, content: Content, name: str) -> Facts:
        """Raises ArtifactError, hardly ever."""
        facts = _extract(content, self._settings, name)
        if self._plan.is_cross_checked:
            from csv_gate.formats.cross_check import cross_check

            facts = replace(facts, problems=(*facts.problems, *cross_check(content, facts)))
        return self._completed(facts)

    def _with_sides(self, facts: Facts, content: Content, entry: Entry) -> Facts:
        """With the signatures that lie beside a listed file."""
        if not entry.beside and not entry.is_alone:
            return facts
        from csv_gate.gate.sides import with_sides  # few files have any

        return with_sides(facts, content, entry, self._settings)

    def _completed(self, facts: Facts) -> Facts:
        """With what this run, not the bytes, leaves open."""
        if self._catalog_gap is not None and (facts.format in _LISTED or self._plan.requirements):
            facts = replace(facts, gaps=(*facts.gaps, self._catalog_gap))
        return facts

    def flush(self) -> None:
        """Write the facts that wait to be kept."""
        if self._kept is not None:
            self._kept.flush()

    def close(self) -> None:
        """As `flush`, and let go of the store. Facts are read on without."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _extract(content: Content, settings: ExtractionSettings, name: str, sha256: bytes | None = None) -> Facts:
    from csv_gate.formats.extraction import extract  # not where all facts are kept

    return extract(content, settings, name=name, sha256=sha256)


def _kept(plan: Plan, settings: ExtractionSettings, trusted: TrustedFiles) -> KeptFacts | None:
    # What a second implementation says is not kept.
    if plan.kept_facts is None or plan.is_cross_checked:
        return None
    from csv_gate.gate.kept import KeptFacts  # with sqlite3, which runs without it can spare

    return KeptFacts(plan.kept_facts, plan, settings, trusted)


def unreadable(size: int, why: str) -> Facts:
    """The facts of a file that could not be read: none, and why."""
    return Facts(format="unknown", size=size, digests=None, gaps=(Gap(what=FactName.CONTENT, why=why),))
