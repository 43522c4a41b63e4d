"""Requirements in reports: beside the verdicts of targets, never lost in them."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from csv_gate.errors import ExitCode, Place
from csv_gate.model.result import Finding, Summary
from csv_gate.model.verdict import Level
from csv_gate.report import JunitDialect, ReportOptions, render
from csv_gate.report.changes import changes
from csv_gate.report.headline import headline
from csv_gate.report.text import summary_line
from tests.builders.results import BuiltResult, allowed, artifact, denied, result


def short(
    check: str = "CSV401", *, of: str = "change-process", line: int = 7, level: Level = Level.ERROR, target: str | None = None
) -> Finding:
    return Finding(
        check=check, level=level, message=f"requirement {of}: not signed by build", target=target,
        place=Place(path="csv-gate.yaml", line=line, column=3), help="sign it",
    )  # fmt: skip


def shown(format: str, of: BuiltResult, **options: object) -> str:
    out = io.StringIO()
    render(format, of, out, ReportOptions(**options))  # type: ignore[arg-type]
    return out.getvalue()


def cases(of: BuiltResult, suite: str, **options: object) -> dict[str, str]:
    """Name -> outcome of a suite's test cases."""
    document = ElementTree.fromstring(shown("junit", of, **options))
    found = [one for one in document.iter("testsuite") if one.get("name") == suite]
    return {
        case.get("name") or "": next(
            (word for word in ("failure", "error", "skipped") if case.find(word) is not None), "passed"
        )
        for one in found
        for case in one.iter("testcase")
    }


REQUIREMENTS = "csv-gate requirements"


@pytest.mark.parametrize("target", [None, "prod"])
def test_an_allowed_artifact_that_falls_short_passes_for_the_target_and_fails_beside(target: str | None) -> None:
    of = result(artifact("a.dll", allowed(), findings=(short(target=target),)))
    assert cases(of, "prod") == {"a.dll": "passed"}
    assert cases(of, REQUIREMENTS) == {"a.dll": "failure"}
    assert cases(of, "csv-gate checks") == {}


@pytest.mark.parametrize("target", [None, "prod"])
def test_what_falls_short_is_told_beside_a_denial(target: str | None) -> None:
    text = shown("text", result(artifact("a.dll", denied(), findings=(short(target=target),))))
    assert "error[CSV201]" in text
    assert "error[CSV401]" in text


def test_what_is_open_is_an_error_and_no_failure() -> None:
    assert cases(result(artifact("a.dll", allowed(), findings=(short("CSV806"),))), REQUIREMENTS) == {"a.dll": "error"}
    both = result(artifact("a.dll", allowed(), findings=(short("CSV806"), short())))
    assert cases(both, REQUIREMENTS) == {"a.dll": "failure"}


def test_a_set_that_only_warns_passes() -> None:
    assert cases(result(artifact("a.dll", allowed(), findings=(short(level=Level.WARNING),))), REQUIREMENTS) == {
        "a.dll": "passed"
    }


def test_what_is_waived_is_skipped() -> None:
    of = result(artifact("a.dll", allowed(), findings=(short(),), waived=True))
    assert cases(of, REQUIREMENTS) == {"a.dll": "skipped"}
    assert "waived[CSV401]" in shown("text", of, verbosity=1)


def test_a_reader_that_keeps_the_first_of_equal_names_loses_no_case() -> None:
    of = result(artifact("a.dll", allowed(), findings=(short(),)))
    names = [*cases(of, "prod", junit_dialect=JunitDialect.GITLAB), *cases(of, REQUIREMENTS, junit_dialect=JunitDialect.GITLAB)]
    assert len(set(names)) == 2


def test_two_sets_are_two_causes() -> None:
    of = result(
        artifact("a.dll", allowed(), findings=(short(),)), artifact("b.dll", allowed(), findings=(short(of="shipped", line=9),))
    )
    text = shown("text", of, full_per_cause=1)
    assert "requirement change-process" in text
    assert "requirement shipped" in text


def told(of: BuiltResult, **counts: object) -> BuiltResult:
    return replace(of, summary=Summary(**counts))  # type: ignore[arg-type]


def test_the_headline_says_how_many_fall_short() -> None:
    one = result(artifact("a.dll", allowed()))
    assert (
        headline(told(one, artifacts=3, unmet=1, exit_code=ExitCode.FINDINGS)) == "1 of 3 artifacts does not meet a requirement"
    )
    both = told(one, artifacts=3, unmet=2, denied=1, exit_code=ExitCode.FINDINGS)
    assert headline(both) == "1 of 3 artifacts would be blocked, 2 do not meet a requirement"
    assert "2 not meeting a requirement" in summary_line(both, ReportOptions())


def test_falling_short_is_a_change() -> None:
    before = result(artifact("a.dll", allowed()))
    after = result(artifact("a.dll", allowed(), findings=(short(),)))
    assert changes(before, after).newly_red == (("a.dll", "was allowed, is short of CSV401"),)
    assert [path for path, _ in changes(after, before).newly_green] == ["a.dll"]
    waived = result(artifact("a.dll", allowed(), findings=(short(),), waived=True))
    assert changes(before, waived).newly_red == ()
