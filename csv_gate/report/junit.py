"""JUnit XML: one test case per artifact × target, so that passes are seen and histories stay stable; and one for each artifact that does
not meet what is required of it, whatever the target.

Denied is a failure, undecided an error, waived and not applicable are skipped; an audited denial passes and says so in its output.
There is no single schema; what each reader takes is in `JunitDialect`. Sources: Azure DevOps docs, PublishTestResults@2; GitLab
docs, unit test reports; Jenkins' junit and xunit plugins (`junit-10.xsd`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from csv_gate.model.checks.requirements import OPEN_CHECK, is_requirement
from csv_gate.model.result import ArtifactResult, Finding, RunResult, TargetRef
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.report.describe import artifact_words, rows
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run
from csv_gate.report.escape import clip, visible, xml
from csv_gate.report.options import JunitDialect, ReportOptions

_NAME_MAX = 380
"""Azure takes names up to 512 characters, class name included."""
_CLASS_MAX = 100
_FULL_PASSES = 8_000_000
"""Octets of the file beyond which passed and skipped cases lose their text; GitLab takes 30 MB."""
_FULL_FAILURES = 16_000_000
"""Octets beyond which failures keep their message only, shortened."""
_SHORT = 200
_SHORTENED = "the file is long: texts of some test cases were shortened; the JSON result has all"
_MARKED = re.compile(r" #[0-9a-f]{16}$")
_CHECKS_SUITE = "csv-gate checks"
_REQUIREMENTS_SUITE = "csv-gate requirements"
_OWN_SUITES = (_REQUIREMENTS_SUITE, _CHECKS_SUITE)
_WITH_OWNER = (JunitDialect.AZURE, JunitDialect.GITHUB)
_WITH_FILE = (JunitDialect.GITHUB, JunitDialect.GITLAB, JunitDialect.JENKINS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case. All text is raw."""

    name: str
    path: str | None
    owner: str | None
    outcome: str
    """`passed`, `failure`, `error` or `skipped`."""
    type: str = ""
    message: str = ""
    body: tuple[str, ...] = ()


class _Counted:
    """Writes, and knows how much was written."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.octets = 0

    def write(self, text: str) -> None:
        self.octets += len(text.encode("utf-8", "surrogatepass"))
        self._out.write(text)


def _fitted(case: _Case, octets: int) -> _Case:
    """The case as it may be told after so many octets: passes are shortened before failures are."""
    grave = case.outcome in ("failure", "error")
    if octets < (_FULL_FAILURES if grave else _FULL_PASSES):
        return case
    return replace(case, message=clip(case.message, _SHORT), body=())


def render_junit(result: RunResult, stream: TextIO, options: ReportOptions) -> None:
    """Suites in the order of the targets; within a suite the artifacts' order. Reproducible: times are the run's own.

    No case is ever left out, since a missing failure would read as a pass; texts are shortened, and the suite's output says so.
    """
    out = _Counted(stream)
    suites = [*(target.name for target in result.targets), *_OWN_SUITES]
    counts = _counts(result)
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
        f' <testsuite name="{xml(name, _CLASS_MAX)}" {_tally(counts)} skipped="{counts["skipped"]}" timestamp="{stamp}">\n'
    )
    if target is not None:
        out.write("  <properties>\n")
        for key, value in _properties(result, target):
            out.write(f'   <property name="{key}" value="{xml(value)}"/>\n')
        out.write("  </properties>\n")
    empty, shortened = True, False
    for case in _cases(result, name, options):
        empty = False
        told = _fitted(case, out.octets)
        shortened = shortened or told != case
        _case(told, name, out, options)
    if empty and target is None:
        nothing = _Case(name="nothing was checked", path=None, owner=None, outcome="error", message="nothing was checked")
        _case(nothing, name, out, options)
    if shortened:
        out.write(f"  <system-out>{_SHORTENED}</system-out>\n")
    out.write(" </testsuite>\n")


def _properties(result: RunResult, target: TargetRef) -> Iterator[tuple[str, str]]:
    yield "csv_gate.version", result.run.tool_version
    yield "csv_gate.engine", target.engine
    yield "csv_gate.mode", target.mode
    for policy in target.policies:
        yield "csv_gate.policy", f"{policy.name or policy.id} {policy.version} sha256 {policy.sha256}"


def _cases(result: RunResult, suite: str, options: ReportOptions) -> Iterator[_Case]:
    if suite in _OWN_SUITES:
        yield from _own_cases(result, suite, options)
        return
    unique_by_target = options.junit_dialect is JunitDialect.GITLAB and len(result.targets) > 1
    for artifact in result.artifacts:
        for verdict in artifact.verdicts:
            if verdict.target == suite:
                yield _verdict_case(artifact, verdict, f" ({suite})" if unique_by_target else "")


def _own_cases(result: RunResult, suite: str, options: ReportOptions) -> Iterator[_Case]:
    """What no verdict carries: findings of the artifacts themselves and of the run."""
    # A reader that keeps the first of equal names must not lose it behind the case of a target.
    is_named = suite == _REQUIREMENTS_SUITE and options.junit_dialect is JunitDialect.GITLAB
    for artifact in result.artifacts:
        if (case := _own_case(artifact, suite)) is not None:
            yield replace(case, name=f"{case.name} (requirements)") if is_named else case
    if suite != _CHECKS_SUITE:
        return
    for number, finding in enumerate(result.findings, 1):
        yield _run_case(number, finding)


def _own_case(artifact: ArtifactResult, suite: str) -> _Case | None:
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


def _required_case(case: _Case, own: list[Diagnostic]) -> _Case:
    """Broken is a failure, open an error, waived is skipped."""
    grave = [one for one in own if one.level is Level.ERROR]
    waiver = next((one.waiver for one in grave if one.waiver is not None), None)
    if waiver is not None:
        message = f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
        return replace(case, outcome="skipped", message=message)
    if grave and all(one.check == OPEN_CHECK for one in grave):
        return replace(case, outcome="error")
    return case


def _finding_case(name: str, artifact: ArtifactResult, diagnostic: Diagnostic, body: tuple[str, ...]) -> _Case:
    return _Case(
        name=name,
        path=artifact.artifact.path,
        owner=artifact.owner.name if artifact.owner else None,
        outcome="failure" if diagnostic.level is Level.ERROR else "passed",
        type=diagnostic.check,
        message=f"{diagnostic.check}: {diagnostic.message}",
        body=body,
    )


def _run_case(number: int, finding: Finding) -> _Case:
    diagnostic = of_run(finding)
    where = str(finding.place) if finding.place else None
    return _Case(
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


def _verdict_case(artifact: ArtifactResult, verdict: Verdict, suffix: str) -> _Case:
    outcome, message = _outcome_of(artifact, verdict), verdict.because
    body: tuple[str, ...] = ()
    told = next((one for one in diagnostics(artifact) if one.verdict is verdict), None)
    if told is not None:
        message, body = f"{told.check}: {told.message}", _body(artifact, told)
    if outcome == "skipped" and verdict.decision is Decision.NOT_APPLICABLE:
        message = f"not applicable: {verdict.because}"
    elif outcome == "skipped" and (waiver := artifact.waiver) is not None:
        message = f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
    return _Case(
        name=case_name(artifact.artifact.path) + suffix,
        path=artifact.artifact.path,
        owner=artifact.owner.name if artifact.owner else None,
        outcome=outcome,
        type=told.check if told else "",
        message=message,
        body=body,
    )


def case_name(path: str) -> str:
    """A name that no other path gets: what escaping or clipping changed carries a digest of the raw path.

    A reader that keeps the first of equal names (GitLab) would otherwise let one artifact hide another.
    """
    name = clip(visible(path), _NAME_MAX)
    if name == path and not _MARKED.search(path):
        return name
    return f"{name} #{hashlib.sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


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


def _case(case: _Case, suite: str, out: _Counted, options: ReportOptions) -> None:
    dialect = options.junit_dialect
    attributes = [f'classname="{xml(suite, _CLASS_MAX)}"', f'name="{xml(case.name)}"']
    if case.owner and dialect in _WITH_OWNER:
        attributes.append(f'owner="{xml(case.owner)}"')
    if case.path and dialect in _WITH_FILE:
        attributes.append(f'file="{xml(case.path)}"')
    out.write(f'  <testcase {" ".join(attributes)} time="0"')
    inner = [*_outcome(case, options), *_system_out(case, options)]
    out.write(">\n" + "".join(inner) + "  </testcase>\n" if inner else "/>\n")


def _outcome(case: _Case, options: ReportOptions) -> Iterator[str]:
    if case.outcome == "skipped":
        yield f'   <skipped message="{xml(case.message)}"/>\n'
    elif case.outcome in ("failure", "error"):
        lines = list(case.body)
        if case.type and (page := options.check_url(case.type)):
            lines.append(f"page      {page}")
        type_ = f'type="{xml(case.type)}" ' if case.type else ""
        text = "\n".join(map(xml, lines))
        yield f'   <{case.outcome} {type_}message="{xml(case.message)}">{text}</{case.outcome}>\n'


def _system_out(case: _Case, options: ReportOptions) -> Iterator[str]:
    lines: list[str] = []
    if case.outcome == "passed":
        lines += case.body
    elif case.outcome in ("failure", "error") and options.junit_dialect is not JunitDialect.STRICT:
        files = options.attachments[: 1 if options.junit_dialect is JunitDialect.GITLAB else None]
        lines += [f"[[ATTACHMENT|{path}]]" for path in files]
    if lines:
        yield "   <system-out>" + "\n".join(_out_line(line) for line in lines) + "</system-out>\n"


def _out_line(line: str) -> str:
    """An artifact must not attach files: only a line that is ours may start with the tag."""
    return xml(line) if line.startswith("[[ATTACHMENT|") else xml(line).replace("[[ATTACHMENT", "[ [ATTACHMENT")
