from __future__ import annotations

import io
import json

import pytest

from csv_gate.report import ReportOptions, render
from csv_gate.report import gitlab as module
from tests.builders.results import artifact, denied, result, undecided


@pytest.mark.parametrize(("count", "shown", "said"), [(3, 3, None), (5, 4, "2 more issues")])
def test_issues_beyond_the_bound_are_counted_in_a_last_one(
    monkeypatch: pytest.MonkeyPatch, count: int, shown: int, said: str | None
) -> None:
    monkeypatch.setattr(module, "_ISSUES_MAX", 3)
    out = io.StringIO()
    render("gitlab", result(*(artifact(f"{number}.dll", denied()) for number in range(count))), out, ReportOptions())
    issues = json.loads(out.getvalue())
    assert len(issues) == shown
    assert len({issue["fingerprint"] for issue in issues}) == shown
    assert said is None or issues[-1]["description"].startswith(said)


def test_what_is_left_out_is_what_is_least_grave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ISSUES_MAX", 3)
    out = io.StringIO()
    rows = [artifact("1.dll", denied(audited=True)), artifact("2.dll", undecided()), artifact("3.dll", denied(audited=True))]
    render("gitlab", result(*rows, artifact("4.dll", denied()), artifact("5.dll", denied())), out, ReportOptions())
    issues = json.loads(out.getvalue())
    assert [issue["severity"] for issue in issues[:3]] == ["blocker", "blocker", "critical"]
    assert ["4.dll" in issues[0]["description"], "5.dll" in issues[1]["description"]] == [True, True]
    assert issues[-1]["description"].startswith("2 more issues")
