from __future__ import annotations

from dataclasses import replace
from datetime import date

from csv_gate.model.result import WaiverRef
from csv_gate.model.verdict import Decision
from csv_gate.waivers import baseline_filter
from tests.builders.artifact_results import Run, artifact_result, target_ref, verdict

DENIED = verdict(Decision.DENIED, "CSV201")


def shown(now: Run, earlier: Run) -> list[tuple[str, list[str]]]:
    return [(entry.artifact.path, [found.check for found in entry.findings]) for entry in baseline_filter(now, earlier)]


def test_what_the_earlier_run_found_is_not_shown_again() -> None:
    earlier = Run(artifacts=[artifact_result(DENIED)])
    now = Run(artifacts=[artifact_result(DENIED), artifact_result(DENIED, path="dist/new.dll")])
    assert shown(now, earlier) == [("dist/new.dll", ["CSV201"])]


def test_another_check_target_or_policy_is_new() -> None:
    earlier = Run(artifacts=[artifact_result(DENIED)])
    for change in (verdict(Decision.DENIED, "CSV202"), verdict(Decision.DENIED, "CSV201", target="lab")):
        assert len(shown(Run(artifacts=[artifact_result(change)]), earlier)) == 1
    replaced = Run(artifacts=[artifact_result(DENIED)], targets=(target_ref("prod", "P2"),))
    assert len(shown(replaced, earlier)) == 1


def test_the_policy_of_the_deciding_rule_is_part_of_what_is_known() -> None:
    earlier = Run(artifacts=[artifact_result(verdict(Decision.DENIED, "CSV202", policy_id="A"))])
    assert shown(Run(artifacts=[artifact_result(verdict(Decision.DENIED, "CSV202", policy_id="A"))]), earlier) == []
    assert len(shown(Run(artifacts=[artifact_result(verdict(Decision.DENIED, "CSV202", policy_id="B"))]), earlier)) == 1


def test_undecided_is_always_shown() -> None:
    run = Run(
        artifacts=[
            artifact_result(verdict(Decision.UNDECIDED, "CSV803")),
            artifact_result(verdict(Decision.UNDECIDED), path="b"),
        ]
    )
    assert shown(run, run) == [("dist/a.dll", ["CSV803"]), ("b", [])]


def test_what_a_waiver_excused_comes_back_when_the_waiver_ends() -> None:
    waiver = WaiverRef(id="W-1", reason="why", owner="me", expires=date(2026, 1, 1))
    earlier = Run(artifacts=[replace(artifact_result(DENIED), waiver=waiver)])
    assert shown(Run(artifacts=[artifact_result(DENIED)]), earlier) == [("dist/a.dll", ["CSV201"])]


def test_only_the_known_findings_of_an_artifact_are_left_out() -> None:
    earlier = Run(artifacts=[artifact_result(DENIED)])
    both = artifact_result(DENIED, verdict(Decision.UNDECIDED, "CSV802", target="lab"))
    assert shown(Run(artifacts=[both], targets=(target_ref("prod"), target_ref("lab"))), earlier) == [
        ("dist/a.dll", ["CSV802"])
    ]
