"""The results of all shards of a tree, joined to the result of the tree.

Joined is only what belongs together: each shard once, none missing, the same tool, configuration, policies and inputs, no artifact
twice. Nothing is judged again. What any shard says of the run as a whole counts, but that a waiver is idle only if every shard says it:
one that one shard found idle may have been used in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from csv_gate.containers import OPENERS
from csv_gate.errors import ExitCode, Place, UsageError
from csv_gate.gate.engines import JUDGED_FORMATS
from csv_gate.gate.findings import NO_TARGET, unrouted_findings
from csv_gate.model.result import ArtifactResult, Finding, Summary
from csv_gate.model.result_read import SavedResult
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, replace

IDLE_WAIVER = "CSV912"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One shard's result, and the file it was read from, for messages."""

    path: str
    result: SavedResult


def merge(parts: Sequence[Part]) -> SavedResult:
    """Join them. The time is the latest of theirs.

    Raises:
        UsageError: a result is of no shard, a shard is missing or there twice, or they are not of one run.
    """
    ordered = _complete(parts)
    first = ordered[0]
    for part in ordered[1:]:
        _check_same(first, part)
    artifacts = sorted(
        ((artifact, part.path) for part in ordered for artifact in part.result.artifacts), key=lambda one: one[0].artifact.path
    )
    for (one, path), (other, other_path) in pairwise(artifacts):
        # Within one shard a container may hold a name twice.
        if one.artifact.path == other.artifact.path and path != other_path:
            raise UsageError("an artifact is in two shards", place=Place(path=path), got=one.artifact.path)
    findings = _findings(ordered, [artifact for artifact, _ in artifacts])
    return SavedResult(
        run=replace(first.result.run, evaluated_at=max(part.result.run.evaluated_at for part in ordered), shard=None),
        targets=first.result.targets,
        artifacts=tuple(artifact for artifact, _ in artifacts),
        findings=findings,
        summary=_summary([part.result for part in ordered], findings),
    )


def _findings(parts: Sequence[Part], artifacts: Sequence[ArtifactResult]) -> tuple[Finding, ...]:
    """What is said of the run as a whole. Each shard names its own artifacts that no target takes: all of them are told at once."""
    said = dict.fromkeys(finding for part in parts for finding in part.result.findings)
    unrouted = next((one for one in said if one.check == NO_TARGET), None)
    # A container that was opened goes to no target itself; its members do.
    opened = OPENERS if any(part.result.summary.containers for part in parts) else ()
    # What only requirements are about goes to none either, and needs not.
    judged = frozenset[str]().union(*(JUDGED_FORMATS.get(target.engine, ()) for target in parts[0].result.targets))
    unjudged = [(one.artifact.path, one.artifact.facts) for one in artifacts if not one.verdicts]
    paths = [path for path, facts in unjudged if facts.format not in opened and (facts.format in judged or facts.gap())]
    told = () if unrouted is None else unrouted_findings(paths)
    return (
        *(
            one
            for one in said
            if one.check != NO_TARGET and (one.check != IDLE_WAIVER or all(one in part.result.findings for part in parts))
        ),
        *(replace(one, owner=unrouted.owner if unrouted else None) for one in told),
    )


def _complete(parts: Sequence[Part]) -> list[Part]:
    by_number: dict[int, Part] = {}
    count = 0
    for part in parts:
        shard = part.result.run.shard
        if shard is None:
            raise UsageError(
                "a result is not of a shard", place=Place(path=part.path), expected="a result of `check --shard NUMBER/COUNT`"
            )
        if count not in (0, shard.count):
            raise UsageError(
                "the results are of different splits",
                place=Place(path=part.path),
                got=f"{shard.number}/{shard.count}",
                expected=f"a shard of {count}",
            )
        if shard.number in by_number:
            got = f"shard {shard.number}/{shard.count}, as in {by_number[shard.number].path}"
            raise UsageError("a shard is there twice", place=Place(path=part.path), got=got)
        count = shard.count
        by_number[shard.number] = part
    missing = [str(number) for number in range(1, count + 1) if number not in by_number]
    if missing or not count:
        raise UsageError(
            "shards are missing", got=f"{len(by_number)} of {count}", expected=f"also {', '.join(missing[:20])} of {count}"
        )
    return [by_number[number] for number in sorted(by_number)]


def _check_same(first: Part, other: Part) -> None:
    one, two = first.result, other.result
    for what, mine, theirs in (
        ("tool versions", one.run.tool_version, two.run.tool_version),
        ("configurations", one.run.config_sha256, two.run.config_sha256),
        ("targets or policies", one.targets, two.targets),
        ("inputs", one.run.inputs, two.run.inputs),
        ("trees", _tree(one.summary), _tree(two.summary)),
    ):
        if mine != theirs:
            raise UsageError(
                f"the shards are of different {what}",
                place=Place(path=other.path),
                got=str(theirs)[:200],
                expected=f"{str(mine)[:200]}, as in {first.path}",
            )


def _tree(summary: Summary) -> tuple[int, int, int]:
    """What every shard counts over the whole tree."""
    return (summary.excluded, summary.skipped, summary.containers)


def _summary(results: Sequence[SavedResult], findings: Iterable[Finding]) -> Summary:
    summaries = [result.summary for result in results]
    codes = {summary.exit_code for summary in summaries}
    of_artifacts = [finding.level for result in results for artifact in result.artifacts for finding in artifact.findings]
    levels = [*of_artifacts, *(finding.level for finding in findings)]

    def total(name: str) -> int:
        return sum(getattr(summary, name) for summary in summaries)

    return Summary(
        artifacts=total("artifacts"),
        allowed=total("allowed"),
        denied=total("denied"),
        audited=total("audited"),
        undecided=total("undecided"),
        not_applicable=total("not_applicable"),
        waived=total("waived"),
        excluded=summaries[0].excluded,
        skipped=summaries[0].skipped,
        containers=summaries[0].containers,
        unmet=total("unmet"),
        findings={level: levels.count(level) for level in Level},
        # Whatever failed a shard fails the whole; the gravest first.
        exit_code=next((code for code in _GRAVEST_FIRST if code in codes), ExitCode.OK),
    )


_GRAVEST_FIRST = (ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.FINDINGS, ExitCode.NOTHING_FOUND, ExitCode.UNDECIDED)
