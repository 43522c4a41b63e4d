"""Judge one listed file and what is in it: facts to a verdict per target, verdicts to findings.

This is the one place where a gap in an artifact's content turns into `undecided`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from csv_gate.containers import OPENERS
from csv_gate.gate.artifact_facts import ArtifactFacts, Known, unreadable
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.engines import JUDGED_FORMATS, Evaluate, prepare
from csv_gate.gate.findings import findings_of, unowned
from csv_gate.gate.judged import Row
from csv_gate.gate.opening import Looked
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.tally import count
from csv_gate.gate.trusted import NO_FILES, TrustedFiles
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Artifact, FactName, Facts, SignatureSource
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import dataclass, replace
from csv_gate.records.rows import NamedTuple
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.scan import Entry
from csv_gate.waivers import Waived

if TYPE_CHECKING:
    from csv_gate.gate.required import Formats, RequirementJudge
    from csv_gate.gate.shared_rows import SharedRows
    from csv_gate.model.split_facts import SplitFacts

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


class _Found(NamedTuple):
    """A file or member that is to be judged."""

    known: Known
    containers: Formats
    """That it may lie in, by their scope."""
    kept: SplitFacts | None = None
    """Its facts as they were kept, if they were."""


class Judge:
    """Everything that judging needs, made ready once in each process."""

    def __init__(self, plan: Plan, catalogs: Catalogs, trusted: TrustedFiles = NO_FILES) -> None:
        self._plan = plan
        self.lines = ArtifactLines()
        self.facts = ArtifactFacts(plan, catalogs, trusted)
        self._looked = Looked(plan)
        self._required = _required(plan, catalogs)
        self._version_of = {target.name: target.version_of for target in plan.targets if target.version_of is not None}
        self._ready = tuple(
            _Ready(target, prepare(target), catalogs.foreign_to(target.catalogs, target.takes)) for target in plan.targets
        )
        self._shared = _shared(plan, self._ready, self.lines) if self.facts.were_kept else None

    def rows(self, entries: Iterable[Entry]) -> Iterator[Row]:
        """The rows of listed files and of what is in them: in the order of the files, those of a file sorted by path. Raises nothing for
        what a file is or holds."""
        for some in self._together(entries):
            judged = [self._judged(one) if isinstance(one, _Found) else one for one in some]
            yield from [self._row(one) if isinstance(one, Waived) else one for one in judged]

    def _together(self, entries: Iterable[Entry]) -> Iterator[list[_Found | Row]]:
        """What is to be judged, and rows of files like others, a few files at a time.

        What takes each step for a few files before the next step finds its own instructions in the processor's cache; file by file, all
        steps drive each other out of it, which takes a fifth longer where facts are kept.
        """
        some: list[_Found | Row] = []
        for entry in entries:
            try:
                some += self._found(entry)
            except Exception as error:
                error.add_note(f"while reading {entry.path!r}")
                raise
            if len(some) >= TOGETHER:
                yield some
                some = []
        if some:
            yield some

    def _found(self, entry: Entry) -> list[_Found | Row]:
        kept = self.facts.kept(entry)
        if kept is not None:
            row = None if self._shared is None else self._shared.row(entry.path, entry.scope, kept)
            if row is not None:
                return [row]
            known = self.facts.again(entry, kept)
            if known is not None:
                return [_Found(known, {}, kept)]
        found = self.facts.read(entry, self._looked)
        containers = {known.scope: known.facts.format for known in found if self._is_opened(known.facts)}
        return [_Found(known, containers) for known in found]

    def lost(self, entry: Entry) -> Row:
        """The row of a file whose reading ends the process."""
        why = "reading it ended the worker process (the file was cut short, or memory ran out)"
        known = Known(entry.path, entry.scope, unreadable(entry.size, why), is_folder=entry.is_folder)
        return self._row(self._judged(_Found(known, {})))

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

    def _judged(self, found: _Found) -> Waived:
        """What is said of one file or member, and which waivers that takes."""
        known = found.known
        try:
            waived = self._waived(known, found.containers)
        except Exception as error:
            error.add_note(f"while judging {known.path!r}")
            raise
        if found.kept is not None and self._shared is not None:
            self._shared.learn(known.scope, found.kept, waived.result)
        return waived

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

    def _is_opened(self, facts: Facts) -> bool:
        return facts.format in OPENERS and self._plan.opens_containers

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


def _shared(plan: Plan, ready: Iterable[_Ready], lines: ArtifactLines) -> SharedRows:
    from csv_gate.gate.shared_rows import SharedRows

    return SharedRows(plan, [(one.target, one.evaluate) for one in ready], lines)


def _required(plan: Plan, catalogs: Catalogs) -> RequirementJudge | None:
    if not plan.requirements:
        return None
    from csv_gate.gate.required import RequirementJudge

    return RequirementJudge(plan, catalogs)


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
