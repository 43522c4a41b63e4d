"""One run: list, find the catalogs, judge, count.

Two passes over the inputs: the first reads the head of every file, to know what it is and where the catalogs are; the second judges
what some target judges. A file of another format is seen, counted and left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from csv_gate.errors import ArtifactError, NoArtifactsError
from csv_gate.formats import NEEDS_WHOLE, ExtractionSettings, detect_format, identify
from csv_gate.gate.anchors import roots_with
from csv_gate.gate.catalogs import Catalogs, read_catalogs
from csv_gate.gate.engines import JUDGED_FORMATS
from csv_gate.gate.findings import findings_of_set
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.pool import rows
from csv_gate.gate.shards import is_in
from csv_gate.gate.spool import Spool, SpooledResult
from csv_gate.gate.tally import Tally
from csv_gate.limits import Limits
from csv_gate.model.appcontrol import version_text
from csv_gate.model.checks import check
from csv_gate.model.result import Finding, PolicyRef, RunInfo, TargetRef
from csv_gate.scan import Entry, Walk, open_content, read_head, walk
from csv_gate.waivers import waiver_findings

MAX_TOLD_PATHS = 5
"""Of the artifacts that no target takes, by name; all of them are in the result, without verdicts."""


class Observer(Protocol):
    """Who wants to see a run move. Told often; must be quick."""

    def found(self, files: int, size_bytes: int) -> None:
        """That much will be judged."""

    def judged(self, files: int, size_bytes: int) -> None:
        """That much more has been judged."""


class Unobserved:
    """Nobody looks."""

    def found(self, files: int, size_bytes: int) -> None:
        del files, size_bytes

    def judged(self, files: int, size_bytes: int) -> None:
        del files, size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """The listed files by what is to be done with them."""

    judged: tuple[Entry, ...]
    """Including what could not be read: it may be anything."""
    catalogs: tuple[Entry, ...]
    left: Counter[str]
    """Formats that no target judges -> files."""


def run(plan: Plan, observer: Observer = Unobserved()) -> SpooledResult:  # noqa: B008, stateless
    """Do the whole of a plan. The result must be closed.

    Raises:
        NoArtifactsError: nothing in the inputs is judged by any target.
        UsageError: an input does not exist.
        ConfigError: a given catalog cannot be used.
        StoreError: the temporary file for results cannot be written.
    """
    listed = walk(plan.inputs, include=plan.include, exclude=plan.exclude, base=plan.base, limits=plan.limits)
    sorted_ = _sort(plan.targets, listed.entries, plan.limits)
    if not any(entry.is_folder or target.takes(entry.scope) for entry in sorted_.judged for target in plan.targets):
        raise _nothing(plan, listed, sorted_)
    catalogs = read_catalogs(
        sorted_.catalogs,
        plan.catalogs,
        (path for target in plan.targets for path in target.catalogs),
        roots=roots_with(plan.given_roots),
        limits=plan.limits,
    )
    judged = (
        sorted_.judged if plan.shard is None else tuple(entry for entry in sorted_.judged if is_in(plan.shard, entry.scope))
    )
    observer.found(len(judged), sum(entry.size for entry in judged))
    skipped = sum(sorted_.left.values()) + listed.skipped + listed.not_included
    spool = Spool()
    tally = Tally()
    unrouted: list[str] = []
    try:
        for entry, (line, counted) in zip(judged, rows(plan, catalogs, judged, observer.judged), strict=True):
            spool.append(line, is_notable=counted.is_notable)
            tally.add(counted)
            if counted.is_unrouted:
                unrouted.append(entry.path)
    except BaseException:
        spool.close()
        raise
    findings = (*_run_findings(plan, listed, catalogs, tally.waivers), *_of_unrouted(unrouted))
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
        summary=tally.summary(findings, plan.fail_on, excluded=listed.excluded, skipped=skipped),
        spool=spool,
    )


def _format_of(entry: Entry, limits: Limits) -> str:
    """What a listed file is, by its head where that is enough."""
    found = detect_format(read_head(entry), entry.size, entry.path)
    if found not in NEEDS_WHOLE:
        return found
    with open_content(entry, limits) as content:
        return identify(content, ExtractionSettings(limits=limits), name=entry.path)


def _sort(targets: Iterable[Target], entries: Iterable[Entry], limits: Limits) -> _Sorted:
    wanted = frozenset[str]().union(*(JUDGED_FORMATS[target.engine] for target in targets))
    judged: list[Entry] = []
    catalogs: list[Entry] = []
    left: Counter[str] = Counter()
    for entry in entries:
        try:
            found = _format_of(entry, limits)
        except ArtifactError:
            judged.append(entry)  # judging it says why it cannot be read
            continue
        if found in wanted:
            judged.append(entry)
            continue
        left[found] += 1
        if found == "catalog":
            catalogs.append(entry)
    return _Sorted(judged=tuple(judged), catalogs=tuple(catalogs), left=left)


def _nothing(plan: Plan, listed: Walk, sorted_: _Sorted) -> NoArtifactsError:
    """An empty build output must not go green: say what was seen instead."""
    seen = [f"{number} {name}" for name, number in sorted(sorted_.left.items())]
    for number, word in (
        (len(sorted_.judged), "that no target takes"),
        (listed.excluded, "excluded"),
        (listed.not_included, "not included"),
        (listed.skipped, "links and special files"),
    ):
        if number:
            seen.append(f"{number} {word}")
    wanted = sorted(frozenset[str]().union(*(JUDGED_FORMATS[target.engine] for target in plan.targets)))
    return NoArtifactsError(
        "there is nothing to check: no file here is judged by any target",
        got=", ".join(seen) if seen else "no files at all",
        expected=f"at least one file of format {', '.join(wanted)}",
        help="is the path right, and does the build come before the gate? Patterns that take out everything look the same",
    )


def _run_findings(plan: Plan, listed: Walk, catalogs: Catalogs, used_waivers: Collection[str]) -> tuple[Finding, ...]:
    of_sets = [finding for target in plan.targets for finding in findings_of_set(target.name, target.policies)]
    targets = {target.name for target in plan.targets}
    of_waivers = waiver_findings(plan.waivers, used_waivers, plan.evaluated_at.date(), targets=targets)
    return (*of_sets, *listed.findings, *catalogs.findings, *of_waivers)


def _of_unrouted(paths: Sequence[str]) -> Iterator[Finding]:
    """One finding for all: a target's `paths` may leave out whole folders."""
    if not paths:
        return
    more = f" and {len(paths) - MAX_TOLD_PATHS} more" if len(paths) > MAX_TOLD_PATHS else ""
    yield Finding(
        check="CSV905",
        level=check("CSV905").level,
        message=f"no target takes {', '.join(paths[:MAX_TOLD_PATHS])}{more}: nothing was judged of them",
        help="add their place to the `paths` of a target, or exclude them",
    )


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
