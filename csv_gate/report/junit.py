"""JUnit XML: one test case per artifact × target, so that passes are seen and histories stay stable.

Denied is a failure, undecided an error, waived and not applicable are skipped; an audited denial passes and says so in its output.
There is no single schema; what each reader takes is in `JunitDialect`. Sources: Azure DevOps docs, PublishTestResults@2; GitLab
docs, unit test reports; Jenkins' junit and xunit plugins (`junit-10.xsd`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from csv_gate.model.result import ArtifactResult, Finding, RunResult, TargetRef
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.report.describe import artifact_words, rows
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run
from csv_gate.report.escape import clip, visible, xml
from csv_gate.report.options import JunitDialect, ReportOptions

_NAME_MAX = 380
"""Azure takes names up to 512 characters, class name included."""
_CLASS_MAX = 100
_MARKED = re.compile(r" #[0-9a-f]{16}$")
_CHECKS_SUITE = "csv-gate checks"
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


def render_junit(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Suites in the order of the targets; within a suite the artifacts' order. Reproducible: times are the run's own."""
    suites = [*(target.name for target in result.targets), _CHECKS_SUITE]
    counts = {name: _count(_cases(result, name, options)) for name in suites}
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


def _count(cases: Iterator[_Case]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for case in cases:
        counts.update(("tests", case.outcome))
    return counts


def _suite(
    result: RunResult, name: str, target: TargetRef | None, counts: Counter[str], out: TextIO, options: ReportOptions
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
    empty = True
    for case in _cases(result, name, options):
        empty = False
        _case(case, name, out, options)
    if empty and target is None:
        nothing = _Case(name="nothing was checked", path=None, owner=None, outcome="error", message="nothing was checked")
        _case(nothing, name, out, options)
    out.write(" </testsuite>\n")


def _properties(result: RunResult, target: TargetRef) -> Iterator[tuple[str, str]]:
    yield "csv_gate.version", result.run.tool_version
    yield "csv_gate.engine", target.engine
    yield "csv_gate.mode", target.mode
    for policy in target.policies:
        yield "csv_gate.policy", f"{policy.name or policy.id} {policy.version} sha256 {policy.sha256}"


def _cases(result: RunResult, suite: str, options: ReportOptions) -> Iterator[_Case]:
    if suite == _CHECKS_SUITE:
        yield from _own_cases(result)
        return
    unique_by_target = options.junit_dialect is JunitDialect.GITLAB and len(result.targets) > 1
    for artifact in result.artifacts:
        for verdict in artifact.verdicts:
            if verdict.target == suite:
                yield _verdict_case(artifact, verdict, f" ({suite})" if unique_by_target else "")


def _own_cases(result: RunResult) -> Iterator[_Case]:
    """What no verdict carries: findings of the artifacts themselves and of the run."""
    for artifact in result.artifacts:
        targets = {verdict.target for verdict in artifact.verdicts}
        own = [one for one in diagnostics(artifact) if one.target not in targets]
        if own:
            graver = own[0]
            body = (*_body(artifact, graver), *(f"also      {one.check}: {one.message}" for one in own[1:]))
            yield _finding_case(case_name(artifact.artifact.path), artifact, graver, body)
    for number, finding in enumerate(result.findings, 1):
        yield _run_case(number, finding)


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
        body=tuple(text for text in (diagnostic.message, where and f"at        {where}", finding.help) if text),
    )


def _verdict_case(artifact: ArtifactResult, verdict: Verdict, suffix: str) -> _Case:
    outcome, message = "passed", verdict.because
    body: tuple[str, ...] = ()
    told = next((one for one in diagnostics(artifact) if one.verdict is verdict), None)
    if told is not None:
        message, body = f"{told.check}: {told.message}", _body(artifact, told)
    blocked = verdict.decision in (Decision.DENIED, Decision.UNDECIDED)
    if blocked and artifact.waiver is not None:
        waiver = artifact.waiver
        outcome, message = "skipped", f"waived until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason}"
    elif verdict.decision is Decision.DENIED and not verdict.audited:
        outcome = "failure"
    elif verdict.decision is Decision.UNDECIDED:
        outcome = "error"
    elif verdict.decision is Decision.NOT_APPLICABLE:
        outcome, message = "skipped", f"not applicable: {verdict.because}"
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


def _case(case: _Case, suite: str, out: TextIO, options: ReportOptions) -> None:
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
