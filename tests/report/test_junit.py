from __future__ import annotations

import io
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import JUnitXml

from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.report import JunitDialect, ReportOptions, render
from csv_gate.report import junit_size as module
from csv_gate.report.junit_case import case_name
from tests.builders.results import BuiltResult, allowed, artifact, denied, green_run, red_run, result, target


def junit(run: BuiltResult, dialect: JunitDialect = JunitDialect.AZURE, **options: object) -> ET.Element:
    out = io.StringIO()
    render("junit", run, out, ReportOptions(junit_dialect=dialect, **options))  # type: ignore[arg-type]
    return ET.fromstring(out.getvalue())


def cases(root: ET.Element) -> dict[tuple[str, str], ET.Element]:
    return {(case.get("classname", ""), case.get("name", "")): case for case in root.iter("testcase")}


@pytest.mark.parametrize("dialect", JunitDialect)
def test_junitparser_reads_every_dialect_back_with_the_same_counts(dialect: JunitDialect) -> None:
    out = io.StringIO()
    render("junit", red_run(), out, ReportOptions(junit_dialect=dialect))
    read = JUnitXml.fromstring(out.getvalue().encode())
    assert (read.tests, read.failures, read.errors) == (12, 3, 2)
    read.update_statistics()  # type: ignore[no-untyped-call]
    assert (read.tests, read.failures, read.errors, read.skipped) == (12, 3, 2, 2)


def test_there_is_one_case_per_artifact_and_target() -> None:
    found = cases(junit(result(artifact("a.dll", allowed("one"), denied("two")), artifact("b.dll", allowed("one")))))
    assert sorted(found) == [("one", "a.dll"), ("one", "b.dll"), ("two", "a.dll")]


def test_denied_fails_undecided_errs_waived_and_not_applicable_are_skipped_and_audited_passes() -> None:
    found = cases(junit(red_run()))
    outcome = {name: [child.tag for child in case] for (_, name), case in found.items()}
    assert outcome["dist/agent/helper.dll"] == ["failure"]
    assert outcome["dist/locked.dll"] == ["error"]
    assert outcome["dist/agent/waived.dll"] == ["skipped"]
    assert outcome["dist/script.dll"] == ["skipped"]
    assert outcome["dist/trial.dll"] == ["system-out"]
    assert outcome["dist/agent/core.dll"] == []


def test_azure_has_the_owner_and_the_file_readers_have_the_file() -> None:
    key = ("prod", "dist/agent/helper.dll")
    assert cases(junit(red_run()))[key].get("owner") == "@contoso/agent"
    assert cases(junit(red_run(), JunitDialect.GITHUB))[key].get("file") == "dist/agent/helper.dll"


@dataclass(frozen=True, kw_only=True)
class Element:
    """What `junit-10.xsd` of Jenkins' xunit plugin says of an element, as far as we write any."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    has_text: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OUTCOME = Element(optional=_words("type message"), has_text=True)
STRICT = {
    "testsuites": Element(optional=_words("name time tests failures errors"), children=_words("testsuite")),
    "testsuite": Element(
        required=_words("name tests failures errors"),
        optional=_words("group time skipped timestamp hostname id package file log url"),
        children=_words("testsuite properties testcase system-out system-err"),
    ),
    "properties": Element(children=_words("property")),
    "property": Element(required=_words("name value")),
    "testcase": Element(
        required=_words("name"),
        optional=_words("time classname group"),
        children=_words("skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err"),
    ),
    "failure": _OUTCOME,
    "error": _OUTCOME,
    "skipped": _OUTCOME,
    "system-out": Element(has_text=True),
}
TIME = re.compile(r"[0-9,]*(\.[0-9]*)?")


def faults(element: ET.Element) -> Iterator[str]:
    """What the schema would refuse."""
    rule = STRICT[element.tag]
    if missing := rule.required - set(element.attrib):
        yield f"{element.tag} without {sorted(missing)}"
    if more := set(element.attrib) - rule.required - rule.optional:
        yield f"{element.tag} with {sorted(more)}"
    if element.tag.startswith("testsuite") and not TIME.fullmatch(element.get("time", "0")):
        yield f"time {element.get('time')}"
    if not rule.has_text and (element.text or "").strip():
        yield f"text in {element.tag}"
    for child in element:
        if child.tag not in rule.children:
            yield f"{child.tag} in {element.tag}"
        elif (child.tail or "").strip():
            yield f"text behind {child.tag}"
        yield from faults(child)


@pytest.mark.parametrize("run", [red_run(), green_run(), result()], ids=["red", "green", "empty"])
def test_strict_has_only_what_the_schema_of_jenkins_xunit_knows(run: BuiltResult) -> None:
    assert list(faults(junit(run, JunitDialect.STRICT, attachments=("/out/report.html",)))) == []


def test_the_other_dialects_have_more_than_that_schema_knows() -> None:
    assert set(faults(junit(red_run(), JunitDialect.AZURE))) == {"testcase with ['owner']"}
    assert set(faults(junit(red_run(), JunitDialect.JENKINS))) == {"testcase with ['file']"}


def test_attachments_hang_on_failed_cases_and_gitlab_gets_one() -> None:
    files = ("/out/report.html", "/out/result.json")
    key = ("prod", "dist/agent/helper.dll")
    azure = cases(junit(red_run(), attachments=files))[key].findtext("system-out")
    assert azure == "[[ATTACHMENT|/out/report.html]]\n[[ATTACHMENT|/out/result.json]]"
    assert (
        cases(junit(red_run(), JunitDialect.GITLAB, attachments=files))[("prod", "dist/agent/helper.dll (prod)")].findtext(
            "system-out"
        )
        == "[[ATTACHMENT|/out/report.html]]"
    )


def test_an_artifact_cannot_attach_files() -> None:
    run = result(artifact("[[ATTACHMENT|", denied(audited=True)))
    assert "[[ATTACHMENT" not in "".join(junit(run).itertext())


def test_names_that_only_escaping_makes_equal_stay_apart() -> None:
    paths = ("a\x1b.dll", "a\\x1b.dll", "x" * 5000, "x" * 5001, "a\n.dll", "a\\x0a.dll", case_name("a\x1b.dll"))
    root = junit(result(*(artifact(path, denied()) for path in paths)))
    assert len(cases(root)) == len(paths)
    assert all(len(name) <= 512 for _, name in cases(root))


def test_gitlab_gets_names_that_are_unique_across_targets() -> None:
    root = junit(result(artifact("a.dll", allowed("one"), denied("two"))), JunitDialect.GITLAB)
    assert sorted(name for _, name in cases(root)) == ["a.dll (one)", "a.dll (two)"]


def test_an_error_of_the_run_is_a_failed_case() -> None:
    finding = Finding(check="CSV904", level=Level.ERROR, message="a waiver has expired")
    root = junit(result(findings=(finding,)))
    assert [case.find("failure") is not None for case in root.iter("testcase")] == [True]


def test_an_empty_run_is_an_error_and_not_an_empty_file() -> None:
    root = junit(result(targets=(target(),)))
    assert root.get("errors") == "1"
    assert [case.get("name") for case in root.iter("testcase")] == ["nothing was checked"]


def test_a_green_run_has_no_suite_of_checks() -> None:
    assert [suite.get("name") for suite in junit(green_run()).iter("testsuite")] == ["prod"]


@pytest.mark.parametrize("run", [red_run(), green_run(), result()], ids=["red", "green", "empty"])
def test_strict_is_valid_against_the_xsd_of_jenkins_xunit(run: BuiltResult) -> None:
    folder = os.environ.get("CSV_GATE_SCHEMAS")
    etree = pytest.importorskip("lxml.etree")
    if not folder:
        pytest.skip("CSV_GATE_SCHEMAS names no folder with junit-10.xsd")
    schema = etree.XMLSchema(etree.parse(str(Path(folder) / "junit-10.xsd")))
    out = io.StringIO()
    render("junit", run, out, ReportOptions(junit_dialect=JunitDialect.STRICT, attachments=("/out/a",)))
    schema.assertValid(etree.fromstring(out.getvalue().encode()))


@pytest.mark.parametrize(("passes", "failures", "bodies"), [(0, 10**9, (False, True)), (0, 0, (False, False))])
def test_a_long_file_shortens_passes_before_failures_loses_no_case_and_says_so(
    monkeypatch: pytest.MonkeyPatch, passes: int, failures: int, bodies: tuple[bool, bool]
) -> None:
    monkeypatch.setattr(module, "FULL_PASSES", passes)
    monkeypatch.setattr(module, "FULL_FAILURES", failures)
    root = junit(result(artifact("a.dll", denied(audited=True)), artifact("b.dll", denied())))
    found = cases(root)
    failure = found[("prod", "b.dll")].find("failure")
    assert failure is not None
    assert (found[("prod", "a.dll")].find("system-out") is not None, bool(failure.text)) == bodies
    assert "shortened" in (root.findtext("testsuite/system-out") or "")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limits a thousandth of the real ones; returns the size that a file may have."""
    for name in ("FULL_PASSES", "FULL_FAILURES", "ALL_LISTED", "LISTED"):
        monkeypatch.setattr(module, name, getattr(module, name) // 1000)
    monkeypatch.setattr(module, "FEW", 0)
    monkeypatch.setattr(module, "MAX_FOLDERS", 4)
    return 30_000


def long_junit(run: BuiltResult, dialect: JunitDialect = JunitDialect.GITLAB) -> tuple[int, ET.Element]:
    out = io.StringIO()
    render("junit", run, out, ReportOptions(junit_dialect=dialect))
    return len(out.getvalue().encode()), ET.fromstring(out.getvalue())


def test_of_a_very_long_file_passes_are_told_by_their_folder_and_every_failure_stays(small: int) -> None:
    rows = [artifact(f"out/{n % 3}/part-{n:04}.dll", allowed() if n % 40 else denied()) for n in range(400)]
    size, root = long_junit(result(*rows))
    assert size <= small
    names = [case.get("name", "") for case in root.iter("testcase")]
    assert [name for name in names if name.endswith("passed")] == [f"out/{n}: 130 passed" for n in range(3)]
    assert sum(case.find("failure") is not None for case in root.iter("testcase")) == 10
    assert (root.get("tests"), root.get("failures")) == ("400", "10")


@pytest.mark.parametrize("dialect", JunitDialect)
@pytest.mark.parametrize(
    "name", ["a", '"' * 900, "\U000f0000" * 900, "\u20ac" * 5000], ids=["short", "quotes", "escapes", "euro"]
)
def test_no_number_of_failures_makes_the_file_too_long_and_those_not_listed_are_counted_in_one_that_fails(
    small: int, name: str, dialect: JunitDialect
) -> None:
    count = 700 if len(name) == 1 else 150
    targets = tuple(target(one) for one in ("one", "two"))
    size, root = long_junit(
        result(*(artifact(f"{name}{n}/{name}.dll", denied("one"), denied("two")) for n in range(count)), targets=targets),
        dialect,
    )
    assert size <= small * 2  # a single case may have 12 kB, which is little of 30 MB
    failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
    told = [re.search(r": ([0-9,]+) failed", case.get("name", "")) for case in failed]
    folded = [found[1].replace(",", "") for found in told if found]
    assert folded
    counted = sum(map(int, folded))
    assert len(failed) - len(folded) + counted == 2 * count
    assert {case.get("classname") for case in failed} == {"one", "two"}
    assert len({(case.get("classname"), case.get("name")) for case in failed}) == len(failed)
