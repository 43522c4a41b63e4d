"""What turned red, green or away between two results."""

from __future__ import annotations

from csv_gate.report.changes import Changes, changes, lines_of
from tests.builders.results import BuiltResult, allowed, artifact, denied, result, undecided


def paths(found: Changes) -> tuple[list[str], list[str], list[str]]:
    red, green, gone = ([path for path, _ in rows] for rows in (found.newly_red, found.newly_green, found.gone))
    return red, green, gone


def run(**artifacts: object) -> BuiltResult:
    return result(*(artifact(name, verdict) for name, verdict in artifacts.items()))  # type: ignore[arg-type]


def test_each_artifact_is_in_one_list_or_none() -> None:
    before = run(stays=denied(), mended=denied(), broke=allowed(), fine=allowed(), left=denied())
    now = run(stays=denied(), mended=allowed(), broke=undecided(), fine=allowed(), new=denied(), also=allowed())
    assert paths(changes(before, now)) == (["broke", "new"], ["mended"], ["left"])


def test_a_denial_that_is_only_logged_is_not_red() -> None:
    assert changes(run(a=allowed()), run(a=denied(audited=True))).is_empty


def test_a_waiver_turns_red_into_green_and_says_so() -> None:
    found = changes(run(a=denied()), result(artifact("a", denied(), waived=True)))
    assert "waived by" in found.newly_green[0][1]


def test_the_lines_are_bounded_and_escaped() -> None:
    now = result(*(artifact(f"{number:03}\n::error::", denied()) for number in range(50)))
    lines = list(lines_of(changes(run(), now)))
    assert lines[0] == "newly red: 50"
    assert lines[-1] == "  and 30 more"
    assert all("\n" not in line and not line.strip().startswith("::") for line in lines)
