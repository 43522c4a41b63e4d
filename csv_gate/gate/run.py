"""One run: list, find the catalogs, judge, count.

Two passes over the inputs: the first reads the head of every file and of every member of a container, to know what it is and where the
catalogs are; the second judges what some target judges. A file of another format is seen, counted and left.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from csv_gate.errors import NoArtifactsError
from csv_gate.gate.anchors import roots_with
from csv_gate.gate.catalogs import Catalogs, read_catalogs
from csv_gate.gate.findings import findings_of_set, unrouted_findings
from csv_gate.gate.opening import Looked
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.pool import judge_all
from csv_gate.gate.portions import Work
from csv_gate.gate.spool import Spool, SpooledResult
from csv_gate.gate.survey import Survey, survey
from csv_gate.gate.tally import Tally
from csv_gate.gate.trusted import TrustedFiles, trusted_files
from csv_gate.model.appcontrol import version_text
from csv_gate.model.checks import check
from csv_gate.model.result import Finding, PolicyRef, RunInfo, TargetRef
from csv_gate.records import replace
from csv_gate.scan import Entry, Walk, unused_patterns, walk

MAX_TOLD_SETS = 5
"""Of the requirements that mean nothing, where nothing at all was found."""


class Observer(Protocol):
    """Who wants to see a run move. Told often; must be quick."""

    def looked_at(self, files: int, of: int) -> None:
        """The first look has come so far."""

    def found(self, files: int, size_bytes: int) -> None:
        """That much will be judged."""

    def judged(self, files: int, size_bytes: int) -> None:
        """That much more has been judged."""


class Unobserved:
    """Nobody looks."""

    def looked_at(self, files: int, of: int) -> None:
        del files, of

    def found(self, files: int, size_bytes: int) -> None:
        del files, size_bytes

    def judged(self, files: int, size_bytes: int) -> None:
        del files, size_bytes


def run(plan: Plan, observer: Observer = Unobserved()) -> SpooledResult:  # noqa: B008, stateless
    """Do the whole of a plan. The result must be closed.

    Raises:
        NoArtifactsError: nothing in the inputs is judged by any target.
        UsageError: an input does not exist.
        ConfigError: a given catalog cannot be used.
        StoreError: the temporary file for results cannot be written.
    """
    listed = walk(plan.inputs, include=plan.include, exclude=plan.exclude, base=plan.base, limits=plan.limits)
    roots = roots_with(plan.given_roots)
    trusted = trusted_files(plan, listed.entries)
    looked = Looked(plan)
    with closing(_formats(plan, listed.entries, trusted)) as formats:
        seen = survey(plan, zip(_watched(listed.entries, observer), formats, strict=True), looked, listed.unused, roots)
    if not seen.judgeable:
        raise _nothing(plan, listed, seen, looked)
    catalogs = read_catalogs(
        seen.catalogs,
        plan.catalogs,
        (*(path for target in plan.targets for path in target.catalogs), *plan.requirement_catalogs),
        roots=roots,
        limits=plan.limits,
        members=seen.member_catalogs,
    )
    judged = _of_shard(plan, seen.judged)
    observer.found(len(judged), sum(entry.size for entry in judged))
    skipped = sum(seen.left.values()) + listed.skipped + listed.not_included + seen.not_included
    excluded = listed.excluded + seen.excluded
    work = Work(plan=plan, catalogs=catalogs, trusted=trusted, entries=judged)
    spool = Spool()
    tally = Tally()
    try:
        for portion in judge_all(work, observer.judged):
            spool.append(portion)
            tally.join(portion.tally)
        # Of a tree in parts, one may be empty. What only a requirement is about does not make up for targets that take nothing.
        if plan.shard is None and (tally.artifacts == len(tally.unrouted) or (tally.unrouted and not tally.with_verdict)):
            raise _nothing(plan, listed, seen, looked)
    except BaseException:
        spool.close()
        raise
    idle = _idle(plan, looked, seen)
    of_run = (*_run_findings(plan, listed, seen, catalogs, tally.waivers), *idle, *unrouted_findings(tally.unrouted))
    findings = tuple(one if one.owner else replace(one, owner=plan.owners.of_the_rest) for one in of_run)
    return SpooledResult(
        run=RunInfo(
            evaluated_at=plan.evaluated_at,
            inputs=plan.inputs,
            config_sha256=plan.config_sha256,
            tool_version=plan.tool_version,
            shard=plan.shard,
        ),
        targets=tuple(target_ref(target) for target in plan.targets),
        findings=findings,
        summary=tally.summary(findings, plan.fail_on, excluded=excluded, skipped=skipped, containers=seen.containers),
        spool=spool,
    )


def _of_shard(plan: Plan, entries: list[Entry]) -> list[Entry]:
    if plan.shard is None:
        return entries
    from csv_gate.gate.shards import is_in

    return [entry for entry in entries if is_in(plan.shard, entry.scope)]


def _formats(plan: Plan, entries: Sequence[Entry], trusted: TrustedFiles) -> Generator[str | None]:
    """See `formats_of`, which is not even loaded where all files are known."""
    if len(trusted) == len(entries):  # it has a place for each of them
        from csv_gate.formats.detect import PE  # the reader of what is kept has it, too

        return (PE for _ in entries)
    from csv_gate.gate.heads import formats_of

    return formats_of(plan, entries, trusted)


def _idle(plan: Plan, looked: Looked, seen: Survey) -> tuple[Finding, ...]:
    """Requirements that mean nothing here."""
    if not looked.sets:
        return ()
    from csv_gate.requirements import idle_findings

    return tuple(idle_findings(looked.sets, seen.required, is_whole=any(Path(path).is_dir() for path in plan.inputs)))


def _watched(entries: Sequence[Entry], observer: Observer) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        observer.looked_at(number, len(entries))
        yield entry


def _nothing(plan: Plan, listed: Walk, seen: Survey, looked: Looked) -> NoArtifactsError:
    """An empty build output must not go green: say what was seen instead."""
    told = [f"{number} {name}" for name, number in sorted(seen.left.items())]
    for number, word in (
        (seen.unrouted, "that no target takes"),
        (seen.containers, "containers, with nothing to judge in them"),
        (listed.excluded + seen.excluded, "excluded"),
        (listed.not_included + seen.not_included, "not included"),
        (listed.skipped, "links and special files"),
    ):
        if number:
            told.append(f"{number} {word}")
    expected = [f"one file of format {', '.join(sorted(looked.formats))}"] if looked.formats else []
    expected += [f"one that requirement {one.name} means" for one in looked.sets[:MAX_TOLD_SETS]]
    return NoArtifactsError(
        f"there is nothing to check: no file here is judged by any {'target' if looked.formats else 'requirement'}",
        got=", ".join(told) if told else "no files at all",
        expected=f"at least {', or '.join(expected)}",
        help="is the path right, and does the build come before the gate? Patterns that take out everything look the same",
    )


def _run_findings(
    plan: Plan, listed: Walk, seen: Survey, catalogs: Catalogs, used_waivers: Collection[str]
) -> tuple[Finding, ...]:
    of_sets = [finding for target in plan.targets for finding in findings_of_set(target.name, target.policies)]
    unused = unused_patterns(seen.unused, plan.include)
    return (*of_sets, *unused, *listed.findings, *_of_closed(seen.closed), *catalogs.findings, *_of_waivers(plan, used_waivers))


def _of_waivers(plan: Plan, used: Collection[str]) -> tuple[Finding, ...]:
    """What is wrong with the waivers."""
    if not plan.waivers.waivers:
        return ()
    from csv_gate.waivers import waiver_findings

    return waiver_findings(plan.waivers, used, plan.evaluated_at.date(), targets={target.name for target in plan.targets})


def _of_closed(closed: int) -> Iterator[Finding]:
    if closed:
        message = f"{closed} container{'s were' if closed != 1 else ' was'} not opened, as the run was told"
        yield Finding(check="CSV904", level=check("CSV904").level, message=message)


def target_ref(target: Target) -> TargetRef:
    """How a result names a target."""
    policies: Sequence[PolicyRef] = [
        PolicyRef(
            path=policy.path,
            id=f"{{{str(policy.policy_id).upper()}}}",
            name=policy.name,
            version=version_text(policy.version),
            kind=policy.kind.value,
            sha256=policy.sha256,
        )
        for policy in target.policies.policies
    ]
    audited = bool(target.policies.bases) and all(entry.base.is_audit for entry in target.policies.bases)
    mode = "audit" if audited and not target.is_enforced else "enforce"
    return TargetRef(name=target.name, engine=target.engine, policies=tuple(policies), mode=mode)
