from __future__ import annotations

import io

from csv_gate.report import ReportOptions, render
from tests.builders.results import allowed, artifact, denied, green_run, red_run, result, undecided


def text(run: object, **options: object) -> str:
    out = io.StringIO()
    render("text", run, out, ReportOptions(**{"width": 80, **options}))  # type: ignore[arg-type]
    return out.getvalue()


def test_a_green_run_is_one_line() -> None:
    assert text(green_run()) == "ok: 3 artifacts: 3 allowed · judged for prod (enforced)\n"


def test_a_denied_artifact_shows_its_signer_the_nearest_rule_with_its_line_the_owner_and_help() -> None:
    shown = " ".join(text(red_run(), width=4000).split())
    assert "error[CSV201]: no rule of Prod Windows allows it --> dist/agent/helper.dll (PE32+ x64 DLL, sha256 " in shown
    assert "signer Contoso Ltd · issued by Contoso Build CA 2 (TBS sha256 0bce86cd…fe1c)" in shown
    assert "policies/prod.xml:41: signer, publisher match; ProductName is 'Contoso Agent', the rule wants 'Contoso'" in shown
    assert "owner @contoso/agent <agent@contoso.example> (CODEOWNERS:41)" in shown
    assert "= help: sign it with the release certificate" in shown


def test_an_audited_denial_is_a_warning_that_says_nothing_is_blocked() -> None:
    shown = text(result(artifact("a.dll", denied(audited=True))), width=200)
    assert shown.startswith("warning[CSV201]")
    assert "denied, but not blocked: the policy is in audit mode and only logs" in shown


def test_the_summary_names_the_mode_that_was_judged_by() -> None:
    assert "pilot (audit: denials are logged, nothing is blocked); prod (enforced)" in text(red_run())


def test_an_undecided_verdict_says_what_is_missing() -> None:
    shown = text(result(artifact("a.dll", undecided())))
    assert "| missing  install_path: where the file stands on the target" in shown


def test_artifacts_with_the_same_cause_are_shown_in_full_three_times_and_then_listed() -> None:
    shown = text(result(*(artifact(f"dist/{number:02}.dll", denied()) for number in range(10))))
    assert shown.count("--> dist/") == 3
    assert "error[CSV201]: 7 more artifacts for the same cause as dist/00.dll (target prod)" in shown
    assert all(f"   | dist/{number:02}.dll\n" in shown for number in range(3, 10))


def test_waived_verdicts_and_notes_are_shown_on_request_only() -> None:
    run = result(artifact("a.dll", denied(), waived=True))
    assert text(run) == "ok: 1 artifact: 1 waived · judged for prod (enforced)\n"
    assert text(run, verbosity=1).startswith("waived[CSV201]")


def test_lines_stay_within_the_width() -> None:
    assert max(map(len, text(red_run(), closing=False).splitlines())) <= 80


def test_no_colour_means_no_escape_character_and_colour_means_some() -> None:
    assert "\x1b" not in text(red_run())
    assert "\x1b[1;31merror[CSV201]\x1b[0m: no rule" in text(red_run(), colour=True)


def test_the_facts_of_an_artifact_are_told_once_though_two_targets_deny_it() -> None:
    shown = text(result(artifact("a.dll", denied("one"), denied("two"), allowed("three"))), width=300)
    assert shown.count("| signer ") == 1


def test_a_check_links_to_its_page_in_a_terminal_where_there_are_pages() -> None:
    run = result(artifact("a.dll", denied()))
    link = "\x1b]8;;https://docs.example/CSV201\x1b\\"
    assert link in text(run, links=True, docs_url="https://docs.example/")
    assert "\x1b]8" not in text(run, links=True)
    assert "\x1b]8" not in text(run, docs_url="https://docs.example/")


def test_an_address_that_a_terminal_would_obey_is_no_link() -> None:
    run = result(artifact("a.dll", denied()))
    assert "\x1b" not in text(run, links=True, docs_url="https://docs.example/\x1b[2J")
