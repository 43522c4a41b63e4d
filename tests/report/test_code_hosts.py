"""GitHub's annotations, Azure's issues, GitLab's code quality and the Markdown summary."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from csv_gate.errors import ExitCode
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.report import ReportOptions, render
from tests.builders.results import BuiltResult, artifact, denied, facts, green_run, red_run, result, rule, undecided


def lines(format: str, run: BuiltResult, **options: Any) -> list[str]:
    out = io.StringIO()
    render(format, run, out, ReportOptions(**options))
    return out.getvalue().splitlines()


def many_causes(count: int) -> BuiltResult:
    """Each artifact is denied by another rule."""

    def by(number: int) -> Verdict:
        deny = rule(f"ID_DENY_{number}", kind="deny", line=number + 1)
        return Verdict(
            target="prod", decision=Decision.DENIED, checks=("CSV202",), rule=deny, because="a deny rule matches", help=""
        )

    return result(*(artifact(f"{number:02}.dll", by(number)) for number in range(count)))


def test_github_gets_one_annotation_per_cause_on_the_line_of_the_policy() -> None:
    run = result(*(artifact(f"{number}.dll", denied(by_rule=True)) for number in range(30)))
    (line,) = lines("github", run)
    assert line.startswith(
        "::error file=policies/prod.xml,line=77,title=CSV202%3A A deny rule of the policy matches it::0.dll and 29 more "
    )


def test_github_gets_at_most_nine_annotations_of_a_level_and_the_number_of_the_others() -> None:
    shown = lines("github", many_causes(12))
    assert len(shown) == 10
    assert shown[-1] == "::error title=csv-gate::and 3 more, see the job's summary"


def test_github_obeys_nothing_of_the_text_report() -> None:
    shown = lines("github", red_run(), stop_token="f00d")
    assert shown[0] == "::stop-commands::f00d"
    end = shown.index("::f00d::")
    assert any("error[CSV201]" in line for line in shown[1:end])
    assert all(line.startswith(("::error ", "::warning ")) for line in shown[end + 1 :])


def test_a_green_run_has_no_annotations() -> None:
    assert lines("github", green_run()) == []


def test_azure_logs_issues_with_path_line_and_code() -> None:
    shown = lines("azure", red_run())
    assert (
        "##vso[task.logissue type=error;sourcepath=policies/prod.xml;linenumber=77;code=CSV202;]dist/agent/old.dll for prod"
        in "\n".join(shown)
    )
    assert not any("task.complete" in line for line in shown)


def test_azure_completes_with_issues_where_a_green_run_has_warnings() -> None:
    run = result(artifact("a.dll", denied(audited=True)))
    assert run.summary.exit_code is ExitCode.OK
    assert lines("azure", run)[-1].startswith("##vso[task.complete result=SucceededWithIssues;]")


def test_azure_escapes_percent_signs_as_the_agent_reads_them() -> None:
    assert "100%AZP25.dll" in lines("azure", result(artifact("100%.dll", denied())))[-1]


def test_gitlab_puts_the_check_into_the_description_and_ranks_denials_above_the_undecided() -> None:
    issues = json.loads("\n".join(lines("gitlab", red_run())))
    by_check = {issue["check_name"]: issue for issue in issues}
    assert by_check["CSV202"]["description"] == "CSV202: dist/agent/old.dll: deny rule ID_DENY_D_7 matches (prod)"
    assert by_check["CSV202"]["location"] == {"path": "policies/prod.xml", "lines": {"begin": 77}}
    assert (by_check["CSV202"]["severity"], by_check["CSV803"]["severity"], by_check["CSV101"]["severity"]) == (
        "blocker",
        "critical",
        "minor",
    )


def test_gitlab_keeps_fingerprints_over_runs_and_leaves_waived_verdicts_out() -> None:
    before = json.loads("\n".join(lines("gitlab", result(artifact("a.dll", denied())))))
    after = json.loads(
        "\n".join(
            lines("gitlab", result(artifact("a.dll", denied(), about=facts("new bytes")), artifact("b.dll", undecided())))
        )
    )
    assert before[0]["fingerprint"] == after[0]["fingerprint"]
    assert lines("gitlab", result(artifact("a.dll", denied(), waived=True))) == ["[]"]


def test_markdown_says_how_many_would_be_blocked_and_by_which_mode_it_was_judged() -> None:
    shown = lines("markdown", red_run(), run_url="https://ci.example/1")
    assert shown[0] == "## ❌ csv-gate: 3 of 9 artifacts would be blocked"
    assert "- judged for pilot &#40;audit&#58; denials are logged, nothing is blocked&#41;" in shown
    assert "- [the run](https://ci.example/1)" in shown


def test_markdown_stays_below_what_github_takes_as_a_summary() -> None:
    long = "x" * 4_000
    run = result(*(artifact(f"{number:04}{long}", denied(f"target {number % 40}")) for number in range(2_000)))
    text = "\n".join(lines("markdown", run))
    assert len(text.encode()) < 1_000_000
    assert re.search(r"and \d+ more, all in the JSON result", text)


def test_a_green_run_is_a_short_summary() -> None:
    assert lines("markdown", green_run())[0] == "## ✅ csv-gate: 3 artifacts checked, none would be blocked"
    assert not any("details" in line for line in lines("markdown", green_run()))
