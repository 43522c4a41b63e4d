"""JUnit XML: one test case per artifact × target, so that passes are seen and histories stay stable; and one for each artifact that does
not meet what is required of it, whatever the target.

Denied is a failure, undecided an error, waived and not applicable are skipped; an audited denial passes and says so in its output.
There is no single schema; what each reader takes is in `JunitDialect`. Sources: Azure DevOps docs, PublishTestResults@2; GitLab
docs, unit test reports; Jenkins' junit and xunit plugins (`junit-10.xsd`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from csv_gate.model.checks.requirements import OPEN_CHECK, is_requirement
from csv_gate.model.result import ArtifactResult, Finding, RunResult, TargetRef
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.records import replace
from csv_gate.report import junit_size
from csv_gate.report.describe import artifact_words, rows
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run
from csv_gate.report.escape import visible, xml
from csv_gate.report.junit_case import CLASS_MAX, GRAVE, Case, case_name, case_xml, shortened
from csv_gate.report.junit_size import Room, Together
from csv_gate.report.options import JunitDialect, ReportOptions

_SHORTENED = "the file is long: texts of some test cases were shortened; the JSON result has all"
_TOGETHER = {"passed": "passed", "skipped": "skipped", "failure": "failed", "error": "with an error"}
_CHECKS_SUITE = "csv-gate checks"
_REQUIREMENTS_SUITE = "csv-gate requirements"
_OWN_SUITES = (_REQUIREMENTS_SUITE, _CHECKS_SUITE)


class _Counted:
    """Writes, and knows how much was written."""

    def __init__(self, out: TextIO, room: Room) -> None:
        self._out = out
        self.room = room

    def write(self, text: str) -> None:
        self.room.octets += _octets(text)
        self._out.write(text)


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _told(case: Case, suite: str, room: Room, options: ReportOptions) -> tuple[str | None, bool]:
    """The case as there is room for it (`None`: there is none), and whether it was shortened."""
    is_grave = case.outcome in GRAVE
    if room.folds and not is_grave:
        return None, False
    full = case_xml(case, suite, options)
    if room.takes_text(_octets(full), is_grave=is_grave):
        return full, False
    short = case_xml(shortened(case), suite, options)
    return (short if room.takes(_octets(short)) else None), short != full


def _told_together(together: Together, suffix: str) -> Iterator[Case]:
    """One case for all of a folder that came out alike."""
    for outcome, folder, count in together.groups():
        words = f"{count:,} {_TOGETHER[outcome]}"
        where = "further folders" if folder is None else case_name(folder)
        line = f"{words}, not listed one by one since the file would be too long; the JSON result has all"
        yield Case(name=f"{where}: {words}{suffix}", path=None, owner=None, outcome=outcome, message=line, body=(line,))


def render_junit(result: RunResult, stream: TextIO, options: ReportOptions) -> None:
    """Suites in the order of the targets; within a suite the artifacts' order. Reproducible: times are the run's own.

    Nothing is left out in silence, since a missing failure would read as a pass: texts are shortened, and the suite's output says so; of a
    very long file cases are told together, passes before failures. The counts of a suite are those of all its cases.
    """
    suites = [*(target.name for target in result.targets), *_OWN_SUITES]
    counts = _counts(result)
    out = _Counted(stream, Room(folds=_is_too_long(result, suites, counts, options)))
    total = sum(counts.values(), Counter[str]())
    if not total["tests"]:
        counts[_CHECKS_SUITE] = total = Counter(tests=1, error=1)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name="csv-gate" {_tally(total)}>\n')
    targets = {target.name: target for target in result.targets}
    for name in suites:
        if counts[name]["tests"] or name in targets:
            _suite(result, name, targets.get(name), counts[name], out, options)
    out.write("</testsuites>\n")


def _is_too_long(result: RunResult, suites: list[str], counts: dict[str, Counter[str]], options: ReportOptions) -> bool:
    """Whether not even the short forms of all cases fit."""
    if sum(one["tests"] for one in counts.values()) <= junit_size.FEW:
        return False
    octets = 0
    for name in suites:
        for case in _cases(result, name, options):
            octets += _octets(case_xml(shortened(case), name, options))
            if octets > junit_size.ALL_LISTED:
                return True
    return False


def _tally(counts: Counter[str]) -> str:
    return f'tests="{counts["tests"]}" failures="{counts["failure"]}" errors="{counts["error"]}" time="0"'


def _counts(result: RunResult) -> dict[str, Counter[str]]:
    """Of each suite, in one walk."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*(target.name for target in result.targets), *_OWN_SUITES)}
    for artifact in result.artifacts:
        for verdict in artifact.verdicts:
            if verdict.target in counts:
                counts[verdict.target].update(("tests", _outcome_of(artifact, verdict)))
        for suite in _OWN_SUITES:
            if (case := _own_case(artifact, suite)) is not None:
                counts[suite].update(("tests", case.outcome))
    for number, finding in enumerate(result.findings, 1):
        counts[_CHECKS_SUITE].update(("tests", _run_case(number, finding).outcome))
    return counts


def _suite(
    result: RunResult, name: str, target: TargetRef | None, counts: Counter[str], out: _Counted, options: ReportOptions
) -> None:
    stamp = result.run.evaluated_at.strftime("%Y-%m-%dT%H:%M:%S")
    out.write(
        f' <testsuite name="{xml(name, CLASS_MAX)}" {_tally(counts)} skipped="{counts["skipped"]}" timestamp="{stamp}">\n'
    )
    if target is not None:
        out.write("  <properties>\n")
        for key, value in _properties(result, target):
            out.write(f'   <property name="{key}" value="{xml(value, 1_000)}"/>\n')
        out.write("  </properties>\n")
    empty, is_any_short, together = True, False, Together(out.room)
    for case in _cases(result, name, options):
        empty = False
        told, is_short = _told(case, name, out.room, options)
        is_any_short = is_any_short or is_short
        if told is None:
            together.add(case.outcome, case.path)
        else:
            out.write(told)
    for case in _told_together(together, _suffix(result, name, options)):
        out.write(case_xml(case, name, options))
    if empty and target is None:
        nothing = Case(name="nothing was checked", path=None, owner=None, outcome="error", message="nothing was checked")
        out.write(case_xml(nothing, name, options))
    if is_any_short:
        out.write(f"  <system-out>{_SHORTENED}</system-out>\n")
    out.write(" </testsuite>\n")


def _properties(result: RunResult, target: TargetRef) -> Iterator[tuple[str, str]]:
    yield "csv_gate.version", result.run.tool_version
    yield "csv_gate.engine", target.engine
    yield "csv_gate.mode", target.mode
    for policy in target.policies:
        yield "csv_gate.policy", f"{policy.name or policy.id} {policy.version} sha256 {policy.sha256}"


def _cases(result: RunResult, suite: str, options: ReportOptions) -> Iterator[Case]:
    if suite in _OWN_SUITES:
        yield from _own_cases(result, suite, options)
        return
    suffix = _suffix(result, suite, options)
    for artifact in result.artifacts:
        for verdict in artifact.verdicts:
            if verdict.target == suite:
                yield _verdict_case(artifact, verdict, suffix)


def _suffix(result: RunResult, suite: str, options: ReportOptions) -> str:
    """What sets the names of one suite's cases apart from those of another, where a reader goes by names alone."""
    if options.junit_dialect is not JunitDialect.GITLAB:
        return ""
    if suite == _REQUIREMENTS_SUITE:
        return " (requirements)"
    return f" ({suite})" if len(result.targets) > 1 else ""


def _own_cases(result: RunResult, suite: str, options: ReportOptions) -> Iterator[Case]:
    """What no verdict carries: findings of the artifacts themselves and of the run."""
    suffix = "" if suite == _CHECKS_SUITE else _suffix(result, suite, options)
    for artifact in result.artifacts:
        if (case := _own_case(artifact, suite)) is not None:
            yield replace(case, name=case.name + suffix)
    if suite != _CHECKS_SUITE:
        return
    for number, finding in enumerate(result.findings, 1):
        yield _run_case(number, finding)


def _own_case(artifact: ArtifactResult, suite: str) -> Case | None:
    if not artifact.findings:
        return None
    targets = {verdict.target for verdict in artifact.verdicts}
    of_requirements = suite == _REQUIREMENTS_SUITE
    own = [
        one
        for one in diagnostics(artifact)
        if is_requirement(one.check) is of_requirements and (of_requirements or one.target not in targets)
    ]
    if not own:
        return None
    body = (*_body(artifact, own[0]), *(f"also      {one.check}: {one.message}" for one in own[1:]))
    case = _finding_case(case_name(artifact.artifact.path), artifact, own[0], body)
    return _required_case(case, own) if of_requirements else case


def _required_case(case: Case, own: list[Diagnostic]) -> Case:
    """Broken is a failure, open an error, waived is skipped."""
    grave = [one for one in own if one.level is Level.ERROR]
    waiver = next((one.waiver for one in grave if one.waiver is not None), None)
    if waiver is not None:
        message = f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
        return replace(case, outcome="skipped", message=message)
    if grave and all(one.check == OPEN_CHECK for one in grave):
        return replace(case, outcome="error")
    return case


def _finding_case(name: str, artifact: ArtifactResult, diagnostic: Diagnostic, body: tuple[str, ...]) -> Case:
    return Case(
        name=name,
        path=artifact.artifact.path,
        owner=artifact.owner.name if artifact.owner else None,
        outcome="failure" if diagnostic.level is Level.ERROR else "passed",
        type=diagnostic.check,
        message=f"{diagnostic.check}: {diagnostic.message}",
        body=body,
    )


def _run_case(number: int, finding: Finding) -> Case:
    diagnostic = of_run(finding)
    where = str(finding.place) if finding.place else None
    return Case(
        name=f"{finding.check} {number}: " + visible(where or finding.target or "the run"),
        path=finding.place.path if finding.place else None,
        owner=None,
        outcome="failure" if finding.level is Level.ERROR else "passed",
        type=finding.check,
        message=f"{finding.check}: {diagnostic.message}",
        body=tuple(
            text
            for text in (diagnostic.message, where and f"at        {where}", finding.help and f"help      {finding.help}")
            if text
        ),
    )


def _outcome_of(artifact: ArtifactResult, verdict: Verdict) -> str:
    if verdict.decision is Decision.NOT_APPLICABLE:
        return "skipped"
    if verdict.decision is Decision.ALLOWED:
        return "passed"
    if artifact.waiver is not None:
        return "skipped"
    if verdict.decision is Decision.UNDECIDED:
        return "error"
    return "passed" if verdict.audited else "failure"


def _verdict_case(artifact: ArtifactResult, verdict: Verdict, suffix: str) -> Case:
    outcome, message = _outcome_of(artifact, verdict), verdict.because
    body: tuple[str, ...] = ()
    told = next((one for one in diagnostics(artifact) if one.verdict is verdict), None)
    if told is not None:
        message, body = f"{told.check}: {told.message}", _body(artifact, told)
    if outcome == "skipped" and verdict.decision is Decision.NOT_APPLICABLE:
        message = f"not applicable: {verdict.because}"
    elif outcome == "skipped" and (waiver := artifact.waiver) is not None:
        message = f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
    return Case(
        name=case_name(artifact.artifact.path) + suffix,
        path=artifact.artifact.path,
        owner=artifact.owner.name if artifact.owner else None,
        outcome=outcome,
        type=told.check if told else "",
        message=message,
        body=body,
    )


def _body(artifact: ArtifactResult, diagnostic: Diagnostic) -> tuple[str, ...]:
    lines = [diagnostic.message, f"artifact  {artifact.artifact.path} ({artifact_words(artifact.artifact.facts)})"]
    lines += [f"{row.label:<9} {row.text}" for row in rows(artifact, diagnostic)]
    if diagnostic.verdict is not None:
        for step in diagnostic.verdict.trace:
            rule = f"{step.rule.id}: " if step.rule else ""
            lines.append(f"trace     {step.policy}: {rule}{step.outcome.value}: {step.because}")
    if diagnostic.help:
        lines.append(f"help      {diagnostic.help}")
    return tuple(lines)
