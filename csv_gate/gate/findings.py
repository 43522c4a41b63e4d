"""Findings: which checks fired for an artifact, from its verdicts and from the problems that extraction saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import assert_never

from csv_gate.errors import Place
from csv_gate.model.appcontrol import AppControlPolicySet, Option
from csv_gate.model.checks import check
from csv_gate.model.facts import Facts, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Decision, Level, Verdict

MAX_PROBLEM_FINDINGS = 24
"""Of one artifact. Hostile bytes can hold any number of anomalies; all of them stay in the facts."""
NO_TARGET = "CSV905"
MAX_TOLD_PATHS = 5
"""Of the artifacts that no target takes, by name; all of them are in the result, without verdicts."""


def findings_of(
    facts: Facts,
    verdicts: Sequence[Verdict],
    version_of: Mapping[str, str] = MappingProxyType({}),
    required: Sequence[Finding] = (),
) -> tuple[Finding, ...]:
    """All findings of one artifact, gravest first, then as the verdicts and the file have them; none twice.

    `version_of` tells of which target another one is a version that is still live. `required`: what requirements found.
    """
    of_verdicts = (*_from_verdicts(verdicts), *_from_versions(verdicts, version_of))
    of_file = list(_from_problems(facts))
    if not (of_verdicts or required or of_file):
        return ()
    found = dict.fromkeys((*of_verdicts, *required, *_bounded(of_file)))
    return tuple(sorted(found, key=lambda finding: -finding.level.rank))


def unowned(verdicts: Iterable[Verdict], required: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """For an artifact that nobody answers for: a note, where somebody would have to."""
    grave = (Decision.DENIED, Decision.UNDECIDED)
    is_grave = any(verdict.decision in grave for verdict in verdicts) or any(one.level is Level.ERROR for one in required)
    if not is_grave:
        return ()
    entry = check("CSV921")
    message = "nothing says who answers for it, so nobody in particular is told"
    return (Finding(check=entry.id, level=entry.level, message=message, help="`csv-gate owners PATH` shows who was asked"),)


def _from_verdicts(verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    for verdict in verdicts:
        for index, check_id in enumerate(verdict.checks):
            entry = check(check_id)
            yield Finding(
                check=check_id,
                level=_level(verdict, entry.level),
                message=verdict.because if index == 0 and verdict.because else entry.title,
                target=verdict.target,
                place=verdict.rule.place if verdict.rule else None,
                help=verdict.help if index == 0 else "",
            )


def _level(verdict: Verdict, level: Level) -> Level:
    """A denial that a target only logs, or a remark on what it allows, must not fail a build by default."""
    match verdict.decision:
        case Decision.DENIED | Decision.UNDECIDED:
            return Level.WARNING if verdict.audited and level is Level.ERROR else level
        case Decision.ALLOWED | Decision.NOT_APPLICABLE:
            return Level.WARNING if level is Level.ERROR else level
        case _:
            assert_never(verdict.decision)


def _from_versions(verdicts: Sequence[Verdict], version_of: Mapping[str, str]) -> Iterator[Finding]:
    """What a target would run, and a version of it that part of the fleet still has would not."""
    if not version_of:
        return
    runs = {verdict.target for verdict in verdicts if verdict.decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE)}
    entry = check("CSV210")
    for verdict in verdicts:
        target = version_of.get(verdict.target)
        if target is None or target not in runs or verdict.decision is not Decision.DENIED:
            continue
        blocks = "would block it if it were enforced" if verdict.audited else "blocks it"
        yield Finding(
            check=entry.id,
            level=Level.WARNING if verdict.audited else entry.level,
            message=f"{target} runs it, but {verdict.target}, which part of the fleet still has, {blocks}: {verdict.because}",
            target=target,
            place=verdict.rule.place if verdict.rule else None,
            help=f"bring the policies of {target} to every machine before this file",
        )


def _from_problems(facts: Facts) -> Iterator[Finding]:
    if facts.problems:
        yield from (_from_problem(problem, "") for problem in facts.problems)
    for signature in facts.signatures:
        if not (signature.problems or (signature.timestamp is not None and signature.timestamp.problems)):
            continue
        where = _where(signature)
        yield from (_from_problem(problem, f"{where}: ") for problem in signature.problems)
        if signature.timestamp is not None:
            yield from (_from_problem(problem, f"time stamp of {where}: ") for problem in signature.timestamp.problems)


def _where(signature: SignatureFacts) -> str:
    if signature.source is SignatureSource.CATALOG:
        return f"signature by catalog {signature.place}"
    return f"{signature.source.value} signature {signature.place}"


def _from_problem(problem: Problem, prefix: str) -> Finding:
    from csv_gate.model.checks.signature import CHECK_OF_PROBLEM  # most files have none

    check_id = CHECK_OF_PROBLEM[problem.code]
    at = "" if problem.offset is None else f" (offset {problem.offset:#x})"
    return Finding(check=check_id, level=check(check_id).level, message=f"{prefix}{problem.detail}{at} [{problem.code.value}]")


def _bounded(findings: Iterable[Finding]) -> Iterator[Finding]:
    gravest_first = sorted(findings, key=lambda finding: -finding.level.rank)
    yield from gravest_first[:MAX_PROBLEM_FINDINGS]
    if (more := len(gravest_first) - MAX_PROBLEM_FINDINGS) > 0:
        last = gravest_first[MAX_PROBLEM_FINDINGS]
        yield Finding(check=last.check, level=last.level, message=f"and {more} more problems, which the facts list")


def findings_of_set(target: str, policies: AppControlPolicySet) -> Iterator[Finding]:
    """What does not fit together in a target's policies."""
    for orphan in policies.orphans:
        yield Finding(
            check="CSV205",
            level=check("CSV205").level,
            message=f"the supplemental policy {orphan.label!r} extends {orphan.base_policy_id.braced}, "
            "which is not among the target's policies: it does nothing",
            target=target,
            place=Place(path=orphan.path),
            help="give the base policy too, or drop the supplemental one",
        )
    for entry in policies.bases:
        if entry.supplementals and Option.ALLOW_SUPPLEMENTAL_POLICIES not in entry.base.options:
            names = ", ".join(repr(policy.label) for policy in entry.supplementals)
            yield Finding(
                check="CSV206",
                level=check("CSV206").level,
                message=f"the base policy {entry.base.label!r} does not accept supplemental policies, so these do nothing: {names}",
                target=target,
                place=Place(path=entry.base.path),
                help="set option 17, Enabled:Allow Supplemental Policies, in the base policy",
            )


def unrouted_findings(paths: Sequence[str]) -> tuple[Finding, ...]:
    """One finding for all artifacts that no target takes: a target's `paths` may leave out whole folders."""
    if not paths:
        return ()
    more = f" and {len(paths) - MAX_TOLD_PATHS} more" if len(paths) > MAX_TOLD_PATHS else ""
    message = f"no target takes {', '.join(paths[:MAX_TOLD_PATHS])}{more}: nothing was judged of them"
    help = "add their place to the `paths` of a target, or exclude them"
    return (Finding(check=NO_TARGET, level=check(NO_TARGET).level, message=message, help=help),)
