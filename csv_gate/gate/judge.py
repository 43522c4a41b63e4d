"""Judge one listed file: its bytes to facts, its facts to a verdict per target, its verdicts to findings.

This is the one place where an unreadable artifact turns into a gap, and a gap in its content into `undecided`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, cross_check, extract
from csv_gate.gate.anchors import roots_with
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.engines import JUDGED_FORMATS, Evaluate, prepare
from csv_gate.gate.findings import findings_of, unowned
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.tally import Count, count
from csv_gate.model.facts import Artifact, FactName, Facts, Gap, SignatureSource
from csv_gate.model.result import ArtifactResult
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.scan import Entry, open_content
from csv_gate.signatures import CatalogIndex
from csv_gate.waivers import Waived, apply

if TYPE_CHECKING:
    from csv_gate.store.facts_cache import FactsCache

_LISTED = frozenset[str]().union(*JUDGED_FORMATS.values())
"""Formats that catalogs vouch for."""
Row = tuple[str, Count]
"""One artifact as it is kept and sent: its line of JSON, and what it adds to the counts."""


@dataclass(frozen=True, slots=True)
class _Ready:
    target: Target
    evaluate: Evaluate
    foreign_catalogs: frozenset[str]
    """SHA-256 of catalogs that are installed on other targets only."""


class Judge:
    """Everything that judging needs, made ready once in each process."""

    def __init__(self, plan: Plan, catalogs: Catalogs) -> None:
        self._plan = plan
        self._catalog_gap = catalogs.gap
        self._lines = ArtifactLines()
        self._settings = ExtractionSettings(
            limits=plan.limits,
            roots=roots_with(plan.given_roots),
            catalogs=CatalogIndex(catalogs.catalogs),
        )
        self._cache = _cache(plan, self._settings)
        self._version_of = {target.name: target.version_of for target in plan.targets if target.version_of is not None}
        self._ready = tuple(
            _Ready(target, prepare(target), catalogs.foreign_to(target.catalogs, target.takes)) for target in plan.targets
        )

    def row(self, entry: Entry) -> Row:
        """As `judge`, in the form that is kept."""
        waived = self.judge(entry)
        return self._lines.line(waived.result), count(waived.result, self._plan.fail_on, waived.used)

    def lost(self, entry: Entry) -> Row:
        """The row of a file whose reading ends the process."""
        lost = replace(entry, gap="reading it ended the worker process (the file was cut short, or memory ran out)")
        return self.row(lost)

    def judge(self, entry: Entry) -> Waived:
        """The result of one listed file, and which waivers it takes. Raises nothing for what the file is or holds."""
        try:
            facts = self.facts(entry)
            verdicts = tuple(self._verdicts(entry, facts))
        except Exception as error:
            error.add_note(f"while judging {entry.path!r}")
            raise
        sha256 = facts.digests.sha256 if facts.digests else None
        owner = self._plan.owners.owner_of(entry.scope, sha256)
        nobody = () if owner is not None or self._plan.owners.is_silent else unowned(verdicts)
        result = ArtifactResult(
            # Waivers name paths as the configuration does.
            artifact=Artifact(path=entry.scope, facts=facts),
            verdicts=verdicts,
            findings=(*findings_of(facts, verdicts, self._version_of), *nobody),
            owner=owner,
        )
        waived = apply(result, self._plan.waivers, self._plan.evaluated_at.date(), fail_on=self._plan.fail_on)
        return replace(waived, result=replace(waived.result, artifact=Artifact(path=entry.path, facts=facts)))

    def facts(self, entry: Entry) -> Facts:
        """The facts of one listed file; an unreadable one has a gap instead."""
        try:
            facts = self._cross_checked(entry) if self._plan.is_cross_checked else self._extracted(entry)
        except ArtifactError as error:
            return unreadable(entry.size, str(error))
        if self._catalog_gap is not None and facts.format in _LISTED:
            facts = replace(facts, gaps=(*facts.gaps, self._catalog_gap))
        return facts

    def _cross_checked(self, entry: Entry) -> Facts:
        with open_content(entry, self._plan.limits) as content:
            facts = extract(content, self._settings, name=entry.path)
            return replace(facts, problems=(*facts.problems, *cross_check(content, facts)))

    def _extracted(self, entry: Entry) -> Facts:
        """What the bytes say, from the kept facts where these bytes were read before."""
        cache, trusted = self._cache, entry.identity if self._plan.trusts_files and entry.gap is None else None
        if cache is None:
            with open_content(entry, self._plan.limits) as content:
                return extract(content, self._settings, name=entry.path)
        if trusted is not None:
            known = cache.sha256_of(entry.location, trusted)
            facts = None if known is None else cache.facts(known)
            if facts is not None and facts.size == trusted.size:
                return facts
        looked_ns = cache.now_ns()
        with open_content(entry, self._plan.limits) as content:
            sha256 = hashlib.sha256(content).digest()
            kept = cache.facts(sha256)
            facts = extract(content, self._settings, name=entry.path, sha256=sha256) if kept is None else kept
        # Only here is it sure that the file did not change while it was read.
        if kept is None:
            cache.keep(facts)
        if trusted is not None:
            cache.keep_identity(entry.location, trusted, sha256, looked_ns)
        return facts

    def flush(self) -> None:
        """Write the facts that wait to be kept."""
        if self._cache is not None:
            self._cache.flush()

    def close(self) -> None:
        """As `flush`, and let go of the store. The judge goes on without."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def _verdicts(self, entry: Entry, facts: Facts) -> list[Verdict]:
        found = []
        gap = next((gap for gap in facts.gaps if gap.what is FactName.CONTENT), None)
        for ready in self._ready:
            context = ready.target.routes.context_for(entry.scope)
            if context is None and not entry.is_folder:
                continue
            if context is None or gap is not None:
                found.append(_unread(ready.target.name, gap.why if gap else "its files were not seen"))
            else:
                found.append(ready.evaluate(_seen_by(facts, ready.foreign_catalogs), context))
        return found


def _cache(plan: Plan, settings: ExtractionSettings) -> FactsCache | None:
    if plan.kept_facts is None:
        return None
    from csv_gate.store.facts_cache import FactsCache, settings_key  # with sqlite3, which runs without it can spare

    return FactsCache(plan.kept_facts, settings_key(settings, plan.tool_version))


def unreadable(size: int, why: str) -> Facts:
    """The facts of a file that could not be read: none, and why."""
    return Facts(format="unknown", size=size, digests=None, gaps=(Gap(what=FactName.CONTENT, why=why),))


def _unread(target: str, why: str) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.UNDECIDED,
        checks=("CSV801",),
        missing=("the artifact's content",),
        because=why,
        help="make it readable for the gate, or exclude it if it is not shipped",
    )


def _seen_by(facts: Facts, foreign_catalogs: frozenset[str]) -> Facts:
    """The facts as one target sees them: a catalog that is not installed there signs nothing there."""
    if not foreign_catalogs:
        return facts
    kept = tuple(
        signature
        for signature in facts.signatures
        if signature.source is not SignatureSource.CATALOG or signature.catalog_sha256 not in foreign_catalogs
    )
    return facts if len(kept) == len(facts.signatures) else replace(facts, signatures=kept)
