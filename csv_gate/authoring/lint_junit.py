"""Findings of the lint as JUnit XML: one test case per policy, which fails where an error-level finding stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.report.junit_case import Case, case_name, case_xml
from csv_gate.report.options import ReportOptions

_SUITE = "csv-gate policy lint"


def render_lint_junit(
    policies: Sequence[AppControlPolicy], findings: Sequence[Finding], out: TextIO, options: ReportOptions
) -> None:
    """A clean policy is a test that passed. What stands in no policy of these has a case of its own."""
    cases = list(_cases(policies, findings))
    failures = sum(case.outcome == "failure" for case in cases)
    tally = f'tests="{len(cases)}" failures="{failures}" errors="0" time="0"'
    out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="{_SUITE}" {tally}>\n')
    out.write(f' <testsuite name="{_SUITE}" {tally} skipped="0">\n')
    for case in cases:
        out.write(case_xml(case, _SUITE, options))
    out.write(" </testsuite>\n</testsuites>\n")


def _cases(policies: Sequence[AppControlPolicy], findings: Sequence[Finding]) -> Iterator[Case]:
    paths = list(dict.fromkeys(policy.path for policy in policies))
    for path in paths:
        yield _case(case_name(path), path, [one for one in findings if one.place is not None and one.place.path == path])
    rest = [one for one in findings if one.place is None or one.place.path not in paths]
    if rest:
        yield _case("the policies together", None, rest)


def _case(name: str, path: str | None, findings: Sequence[Finding]) -> Case:
    errors = [one for one in findings if one.level is Level.ERROR]
    first = errors[0] if errors else None
    return Case(
        name=name,
        path=path,
        owner=None,
        outcome="failure" if first else "passed",
        type=first.check if first else "",
        message=f"{first.check}: {first.message}" if first else "",
        body=tuple(_line(one) for one in findings),
    )


def _line(finding: Finding) -> str:
    at = f"{finding.place}: " if finding.place else ""
    return f"{at}{finding.level.value} {finding.check}: {finding.message}" + (f" ({finding.help})" if finding.help else "")
