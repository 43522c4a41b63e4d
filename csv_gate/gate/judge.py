"""Judge one listed file and what is in it: bytes to facts, facts to a verdict per target, verdicts to findings.

This is the one place where an unreadable artifact turns into a gap, and a gap in its content into `undecided`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from csv_gate.containers import OPENERS
from csv_gate.errors import ArtifactError
from csv_gate.formats import PACKAGES, ExtractionSettings
from csv_gate.gate.anchors import roots_with, sigstore_root
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.engines import JUDGED_FORMATS, Evaluate, compares_sha1, prepare
from csv_gate.gate.findings import findings_of, unowned
from csv_gate.gate.judged import Row
from csv_gate.gate.opening import JudgedMembers, Looked, Selection, container_format, members
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.tally import count
from csv_gate.gate.trusted import NO_FILES, TrustedFiles
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Artifact, FactName, Facts, Gap, SignatureSource
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import dataclass, replace
from csv_gate.records.rows import NamedTuple
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.scan import Content, Entry, open_content
from csv_gate.signatures import CatalogIndex
from csv_gate.waivers import Waived

if TYPE_CHECKING:
    from csv_gate.containers import Found
    from csv_gate.gate.kept import KeptFacts
    from csv_gate.gate.required import Formats, RequirementJudge

_LISTED = frozenset[str]().union(*JUDGED_FORMATS.values())
"""Formats that catalogs vouch for."""
TOGETHER = 16
"""Files and members of which each step is taken before the next; more are no quicker."""
_ANYWHERE = AppControlContext(evaluated_at=datetime.fromtimestamp(0, UTC))
"""Stands for the context of a container that goes to no target by itself; only its gap is looked at."""


@dataclass(frozen=True, slots=True)
class _Ready:
    target: Target
    evaluate: Evaluate
    foreign_catalogs: frozenset[str]
    """SHA-256 of catalogs that are installed on other targets only."""


class Known(NamedTuple):
    """A file or member with its facts."""

    path: str
    """As reports show it."""
    scope: str
    """As patterns see it."""
    facts: Facts
    is_folder: bool = False
    """A folder that could not be listed: anything may be in it, for any target."""


class Judge:
    """Everything that judging needs, made ready once in each process."""

    def __init__(self, plan: Plan, catalogs: Catalogs, trusted: TrustedFiles = NO_FILES) -> None:
        self._plan = plan
        self._catalog_gap = catalogs.gap
        self.lines = ArtifactLines()
        index = CatalogIndex(catalogs.catalogs)
        self._settings = ExtractionSettings(
            limits=plan.limits,
            roots=roots_with(plan.given_roots),
            catalogs=index,
            takes_sha1=plan.takes_all_digests or "sha1" in index.algorithms or any(map(compares_sha1, plan.targets)),
            openpgp_keys=plan.given_openpgp_keys,
            sigstore_root=sigstore_root(plan.sigstore_root),
        )
        self._looked = Looked(plan)
        self._required = _required(plan, catalogs)
        self._kept = _kept(plan, self._settings, trusted)
        self._version_of = {target.name: target.version_of for target in plan.targets if target.version_of is not None}
        self._ready = tuple(
            _Ready(target, prepare(target), catalogs.foreign_to(target.catalogs, target.takes)) for target in plan.targets
        )

    @property
    def may_know_files(self) -> bool:
        """Whether facts were kept before, so that perhaps no file need be read for them."""
        return self._kept is not None and self._kept.was_kept

    def look_ahead(self, entries: Iterable[Entry]) -> None:
        """Say what will be judged next."""
        if self._kept is not None:
            self._kept.look_ahead(entries)

    def rows(self, entries: Iterable[Entry]) -> Iterator[Row]:
        """The rows of listed files and of what is in them: in the order of the files, those of a file sorted by path. Raises nothing for
        what a file is or holds."""
        for some in self._together(entries):
            judged = [self._result(known, containers) for known, containers in some]
            yield from [self._row(waived) for waived in judged]

    def _together(self, entries: Iterable[Entry]) -> Iterator[list[tuple[Known, Formats]]]:
        """The facts of a few files at a time, each with the containers it may lie in.

        What takes each step for a few files before the next step finds its own instructions in the processor's cache; file by file, all
        steps drive each other out of it, which takes a fifth longer where facts are kept.
        """
        some: list[tuple[Known, Formats]] = []
        for entry in entries:
            try:
                found = self.facts(entry, self._looked)
            except Exception as error:
                error.add_note(f"while reading {entry.path!r}")
                raise
            containers = {known.scope: known.facts.format for known in found if self._is_opened(known.facts)}
            some += [(known, containers) for known in found]
            if len(some) >= TOGETHER:
                yield some
                some = []
        if some:
            yield some

    def lost(self, entry: Entry) -> Row:
        """The row of a file whose reading ends the process."""
        why = "reading it ended the worker process (the file was cut short, or memory ran out)"
        known = Known(entry.path, entry.scope, unreadable(entry.size, why), is_folder=entry.is_folder)
        return self._row(self._result(known, {}))

    def _row(self, waived: Waived) -> Row:
        counted = count(waived.result, self._plan.fail_on, waived.used)
        if counted.unrouted is not None and not self._is_for_targets(waived.result.artifact.facts):
            counted = replace(counted, unrouted=None)
        return self.lines.line(waived.result), counted

    def _is_for_targets(self, facts: Facts) -> bool:
        """Whether it would go to targets by itself. Of a container that is opened the members do; some only requirements are about."""
        if self._is_opened(facts) or not self._ready:
            return False
        return facts.format in self._looked.formats or facts.gap() is not None

    def _result(self, known: Known, containers: Formats) -> Waived:
        """What is said of one file or member, and which waivers that takes."""
        try:
            return self._waived(known, containers)
        except Exception as error:
            error.add_note(f"while judging {known.path!r}")
            raise

    def _waived(self, known: Known, containers: Formats) -> Waived:
        facts = known.facts
        verdicts = tuple(self._verdicts(known))
        sha256 = facts.digests.sha256 if facts.digests else None
        owner = self._plan.owners.owner_of(known.scope, sha256)
        required: tuple[Finding, ...] = ()
        if self._required is not None:
            required = self._required.findings(known.scope, facts, containers, is_folder=known.is_folder)
        nobody = () if owner is not None or self._plan.owners.is_silent else unowned(verdicts, required)
        waivers = self._plan.waivers
        result = ArtifactResult(
            # Waivers name paths as the configuration does.
            artifact=Artifact(path=known.scope if waivers.waivers else known.path, facts=facts),
            verdicts=verdicts,
            findings=(*findings_of(facts, verdicts, self._version_of, required), *nobody),
            owner=owner,
        )
        if not waivers.waivers:
            return Waived(result=result)
        from csv_gate.waivers.applying import apply  # most runs have none

        waived = apply(result, waivers, self._plan.evaluated_at.date(), fail_on=self._plan.fail_on)
        return waived._replace(result=replace(waived.result, artifact=Artifact(path=known.path, facts=facts)))

    def facts(self, entry: Entry, looked: Looked | None) -> list[Known]:
        """The facts of one listed file and of its members, sorted by path; an unreadable one has a gap instead.

        Of members those that are `looked` at (`None`: all), of containers also those that there is something to tell of.
        """
        try:
            # A signature beside the file is over its bytes, which are needed then.
            known = None if self._kept is None or entry.beside or entry.is_alone else self._kept.find(entry)
            return self._read(entry, looked) if known is None else [Known(entry.path, entry.scope, self._completed(known))]
        except ArtifactError as error:
            return [Known(entry.path, entry.scope, unreadable(entry.size, str(error)), is_folder=entry.is_folder)]

    def _is_opened(self, facts: Facts) -> bool:
        return facts.format in OPENERS and self._plan.opens_containers

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
        """As `flush`, and let go of the store. The judge goes on without."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _verdicts(self, known: Known) -> list[Verdict]:
        facts = known.facts
        contexts = [(ready, ready.target.routes.context_for(known.scope)) for ready in self._ready]
        unread = unopened = None
        if facts.gaps:
            unread = next((gap for gap in facts.gaps if gap.what is FactName.CONTENT), None)
            unopened = next((gap for gap in facts.gaps if gap.what is FactName.MEMBERS), None)
        is_lost = (unread or unopened) and all(context is None for _, context in contexts) and self._plan.opens_containers
        if known.is_folder or is_lost:
            # What is inside may go to a target that the place itself does not go to; what cannot be read may be a container.
            contexts = [(ready, context or _ANYWHERE) for ready, context in contexts]
        if unread is not None:
            return [_unread(ready.target.name, unread.why) for ready, context in contexts if context is not None]
        is_container = self._is_opened(facts)
        found = []
        for ready, context in contexts:
            if context is None:
                continue
            is_judged = facts.format in JUDGED_FORMATS[ready.target.engine]
            if (
                not (is_judged or is_container)
                and self._required is not None
                and self._required.means(known.scope, facts.format)
            ):
                continue  # looked at for a requirement alone
            if is_container and not is_judged:
                verdict = _of_container(ready.target.name)
            else:
                verdict = ready.evaluate(_seen_by(facts, ready.foreign_catalogs), context)
            if unopened is not None and verdict.decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE):
                verdict = _unopened(ready.target.name, unopened.why)
            found.append(verdict)
        return found


def _extract(content: Content, settings: ExtractionSettings, name: str, sha256: bytes | None = None) -> Facts:
    from csv_gate.formats.extraction import extract  # not where all facts are kept

    return extract(content, settings, name=name, sha256=sha256)


def _required(plan: Plan, catalogs: Catalogs) -> RequirementJudge | None:
    if not plan.requirements:
        return None
    from csv_gate.gate.required import RequirementJudge

    return RequirementJudge(plan, catalogs)


def _kept(plan: Plan, settings: ExtractionSettings, trusted: TrustedFiles) -> KeptFacts | None:
    # What a second implementation says is not kept.
    if plan.kept_facts is None or plan.is_cross_checked:
        return None
    from csv_gate.gate.kept import KeptFacts  # with sqlite3, which runs without it can spare

    return KeptFacts(plan.kept_facts, plan, settings, trusted)


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


def _unopened(target: str, why: str) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.UNDECIDED,
        checks=("CSV805",),
        missing=("the container's members",),
        because=f"not all that is inside was judged: {why}",
        help="pack it so that it can be opened, or exclude it if it holds no code",
    )


def _of_container(target: str) -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.NOT_APPLICABLE,
        because="a container is not run itself; what is inside is judged member by member",
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
