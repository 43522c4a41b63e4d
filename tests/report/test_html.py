from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from typing import Any

import pytest

from csv_gate.report import ReportOptions, render
from csv_gate.report import html as module
from tests.builders.results import OWNER, BuiltResult, allowed, artifact, denied, green_run, red_run, result


def page(run: BuiltResult, **options: Any) -> str:
    out = io.StringIO()
    render("html", run, out, ReportOptions(**options))
    return out.getvalue()


def data(shown: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">\n(.*?)</script>', shown, re.S)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_content_policy_admits_exactly_the_scripts_and_styles_of_the_page() -> None:
    shown = page(red_run())
    for element, directive in (("script", "script-src"), ("style", "style-src")):
        (inline,) = re.findall(f"<{element}>(.*?)</{element}>", shown, re.S)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in shown
    assert "default-src 'none'" in shown


def test_nothing_is_fetched() -> None:
    shown = page(red_run())
    assert not re.search(r"<(?:link|img|iframe|object)|\bsrc=|@import|url\(|fetch\(|innerHTML|eval\(", shown)


def test_rows_with_trouble_come_first() -> None:
    rows = data(page(red_run()))["rows"]
    assert [row["path"] for row in rows][:2] == ["dist/agent/helper.dll", "dist/agent/old.dll"]
    assert [row["path"] for row in rows][-2:] == ["dist/agent/core.dll", "dist/script.dll"]


def test_a_row_holds_its_verdicts_the_rule_and_the_trace() -> None:
    shown = data(page(red_run()))
    row = next(row for row in shown["rows"] if row["path"] == "dist/agent/old.dll")
    (verdict,) = row["verdicts"]
    assert shown["targets"][verdict["target"]]["name"] == "prod"
    assert shown["strings"][verdict["rule"]] == "deny ID_DENY_D_7 “old helper” of Prod Windows at policies/prod.xml:77"
    assert [outcome for outcome, _, _ in verdict["trace"]] == ["denies"]
    assert shown["strings"][row["owner"]] == "@contoso/agent"


def test_certificates_that_artifacts_share_are_kept_once() -> None:
    run = result(*(artifact(f"{number}.dll", allowed(), owner=OWNER) for number in range(50)))
    assert len(data(page(run))["certificates"]) == 4


def test_causes_lead_to_their_rows() -> None:
    shown = data(page(red_run()))
    keys = {key for row in shown["rows"] for key in row["causes"]}
    assert shown["causes"]
    assert all(cause["key"] is None or cause["key"] in keys for cause in shown["causes"])


def test_allowed_artifacts_beyond_the_limit_are_counted_and_denied_ones_never_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_MAX", 2)
    run = result(
        *(artifact(f"a{number}.dll", allowed()) for number in range(5)), *(artifact(f"z{n}.dll", denied()) for n in range(3))
    )
    shown = data(page(run))
    assert [row["path"] for row in shown["rows"]] == ["z0.dll", "z1.dll", "z2.dll"]
    assert shown["left"] == 5


def test_only_web_addresses_become_links() -> None:
    assert data(page(green_run(), run_url="javascript:alert(1)"))["run_url"] is None
    assert data(page(green_run(), docs_url="https://docs.example/"))["docs"] == "https://docs.example"


def test_the_headline_says_what_a_person_must_know() -> None:
    assert "<h1>3 of 9 artifacts would be blocked</h1>" in page(red_run())
    assert "<h1>3 artifacts checked, none would be blocked</h1>" in page(green_run())


def test_the_page_holds_the_titles_of_the_checks_of_this_result_only() -> None:
    assert sorted(data(page(red_run()))["checks"]) == ["CSV101", "CSV201", "CSV202", "CSV803", "CSV901"]
    assert data(page(green_run()))["checks"] == {}
