"""Whatever an artifact is called, it speaks to nobody but the reader."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings

from csv_gate.model.result_read import read_result
from csv_gate.report import FORMATS, JunitDialect, ReportOptions, render
from csv_gate.report.escape import visible
from csv_gate.report.explanation import render_explanation
from csv_gate.report.inspect_tree import render_inspection
from tests.builders.hostile import NAMES, hostile, texts

ALL = ReportOptions(width=80, verbosity=2, docs_url="https://docs.example/checks")
SPEAKING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
AZURE_COMMAND = re.compile(r"##(?:vso)?\[", re.IGNORECASE)
COMMAND = r"::(?:error|warning|notice) (?:file=[^:,]*(?:,line=\d+(?:,col=\d+)?)?,)?title=[^:,]*::"


def rendered(format: str, text: str, options: ReportOptions = ALL, *, waived: bool = False) -> str:
    out = io.StringIO()
    render(format, hostile(text, waived=waived), out, options)
    return out.getvalue()


def said_by_the_report(format: str, shown: str) -> str:
    """The report without the commands that are its own."""
    if format == "azure":
        shown = re.sub(r"^##(\[(group|endgroup)\]|vso\[task\.logissue type=\w+;[^\]]*\])", "ours ", shown, flags=re.M)
    return re.sub(f"^{COMMAND}", "ours ", shown, flags=re.M) if format == "github" else shown


@pytest.mark.parametrize("format", FORMATS)
@given(text=texts)
@example(text=NAMES[2])
@example(text=NAMES[9])
@example(text=NAMES[14])
@settings(max_examples=60, deadline=None)
def test_no_report_holds_control_characters_bidi_marks_stray_bytes_or_foreign_commands(format: str, text: str) -> None:
    shown = rendered(format, text)
    shown.encode("utf-8")
    if format != "html":  # its script and style are ours
        assert not SPEAKING.search(shown)
        assert not any(line.lstrip().startswith("::") for line in said_by_the_report(format, shown).splitlines())
    assert not AZURE_COMMAND.search(said_by_the_report(format, shown))


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_every_line_of_the_annotations_is_one_command_with_known_properties(text: str) -> None:
    lines = rendered("github", text).split("\n")
    assert lines.pop() == ""
    assert lines
    assert all(re.match(COMMAND, line) for line in lines)


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_text_between_the_stop_lines_cannot_end_the_stop(text: str) -> None:
    shown = rendered("github", text, ReportOptions(stop_token="f00d", width=80))
    assert [line for line in shown.split("\n") if line.strip() == "::f00d::"] == ["::f00d::"]


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_json_gives_back_exactly_what_was_there(text: str) -> None:
    if re.search("[\ud800-\udbff][\udc00-\udfff]", text):
        return  # such a pair is one character in JSON
    shown = rendered("json", text, waived=True)
    assert read_result(shown, path="r.json").artifacts == hostile(text, waived=True).artifacts
    assert [json.loads(line) for line in rendered("jsonl", text, waived=True).split("\n")[:-1]] == json.loads(shown)[
        "artifacts"
    ]


@pytest.mark.parametrize("dialect", JunitDialect)
@given(text=texts)
@settings(max_examples=40, deadline=None)
def test_junit_stays_well_formed_with_the_same_elements(dialect: JunitDialect, text: str) -> None:
    options = ReportOptions(junit_dialect=dialect)
    tags = [element.tag for element in ET.fromstring(rendered("junit", text, options)).iter()]
    assert tags == [element.tag for element in ET.fromstring(rendered("junit", "plain", options)).iter()]


class Skeleton(HTMLParser):
    """The elements of a page with their attributes' names, and the text of its data block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.data = ""
        self._is_data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        self._is_data = ("id", "data") in attrs

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.data += data


PLAIN_PAGE = Skeleton(rendered("html", "plain")).tags


@given(text=texts)
@settings(max_examples=40, deadline=None)
def test_the_page_has_the_same_elements_whatever_the_names(text: str) -> None:
    page = Skeleton(rendered("html", text))
    assert page.tags == PLAIN_PAGE
    assert not SPEAKING.search(page.data.replace("\\u", ""))
    assert len(json.loads(page.data)["rows"]) == 1


OUR_TAGS = re.compile(r"</?(?:details|summary|code)>")
OUR_LINKS = re.compile(r"\[CSV\d+\]\(https://docs\.example/checks/CSV\d+\)")


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_markdown_has_no_markup_but_our_own(text: str) -> None:
    shown = OUR_LINKS.sub("", OUR_TAGS.sub("", rendered("markdown", text)))
    assert not re.search(r"[<`@\[\]]", shown)
    plain = OUR_LINKS.sub("", OUR_TAGS.sub("", rendered("markdown", "plain")))
    assert [line.count("|") for line in shown.split("\n")] == [line.count("|") for line in plain.split("\n")]


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_messages_of_sarif_have_no_links(text: str) -> None:
    for one in json.loads(rendered("sarif", text))["runs"][0]["results"]:
        assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]]", one["message"]["text"])
        uris = [place["physicalLocation"]["artifactLocation"]["uri"] for place in one["locations"]]
        assert all(re.fullmatch(r"(?:file://)?[A-Za-z0-9%/!._~-]+", uri) for uri in uris)


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_gitlab_fingerprints_are_unique(text: str) -> None:
    issues = json.loads(rendered("gitlab", text))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_the_tree_and_the_explanation_are_inert_too(text: str) -> None:
    out = io.StringIO()
    run = hostile(text)
    render_inspection(run.artifacts[0].artifact, out, ALL)
    render_explanation(run.artifacts[0], run.targets, out, ALL)
    shown = out.getvalue()
    shown.encode("utf-8")
    assert not SPEAKING.search(shown)
    assert not AZURE_COMMAND.search(shown)
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_colour_adds_nothing_but_our_own_codes(text: str) -> None:
    shown = rendered("text", text, ReportOptions(colour=True, width=80, verbosity=2))
    assert not SPEAKING.search(re.sub(r"\x1b\[(?:0|2|34|1;3[1236])m", "", shown))


def test_what_is_made_visible_reads_as_escapes() -> None:
    assert visible("a\x1b[1m\u202eb\udcff\nc") == "a\\x1b[1m\\u202eb\\xff\\x0ac"
