import pytest

from csv_gate.errors import ExitCode
from csv_gate.gate.tally import Tally, count
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision, Level, Verdict
from tests.builders.results import allowed, artifact, denied, not_applicable, undecided

ODD = Finding(check="CSV110", level=Level.NOTE, message="odd")
STALE = Finding(check="CSV901", level=Level.WARNING, message="stale")


def code(*results: ArtifactResult, fail_on: Level | None = Level.ERROR, findings: tuple[Finding, ...] = ()) -> ExitCode:
    tally = Tally()
    for result in results:
        tally.add(count(result, fail_on))
    return tally.summary(findings, fail_on, excluded=0, skipped=0).exit_code


def test_allowed_and_not_applicable_pass() -> None:
    assert code(artifact("a", allowed()), artifact("b", not_applicable())) is ExitCode.OK


def test_a_denial_fails() -> None:
    assert code(artifact("a", allowed()), artifact("b", denied())) is ExitCode.FINDINGS


def test_undecided_fails_with_its_own_code() -> None:
    assert code(artifact("a", allowed()), artifact("b", undecided())) is ExitCode.UNDECIDED


def test_a_denial_wins_over_undecided_in_any_order() -> None:
    results = artifact("a", denied()), artifact("b", undecided())
    assert code(*results) is code(*reversed(results)) is ExitCode.FINDINGS


def test_one_target_that_denies_fails_an_artifact_that_another_allows() -> None:
    assert code(artifact("a", allowed("x"), denied("y"))) is ExitCode.FINDINGS


def test_an_audited_denial_does_not_fail() -> None:
    assert code(artifact("a", denied(audited=True))) is ExitCode.OK


def test_an_audited_denial_fails_where_warnings_fail() -> None:
    assert code(artifact("a", denied(audited=True)), fail_on=Level.WARNING) is ExitCode.FINDINGS


def test_what_only_an_auditing_target_leaves_undecided_does_not_fail() -> None:
    verdict = Verdict(target="t", decision=Decision.UNDECIDED, audited=True, checks=("CSV802",))
    assert code(artifact("a", verdict)) is ExitCode.OK


def test_a_waiver_lets_a_denial_and_an_undecided_pass() -> None:
    assert code(artifact("a", denied(), waived=True), artifact("b", undecided(), waived=True)) is ExitCode.OK


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [(Level.ERROR, ExitCode.OK), (Level.WARNING, ExitCode.OK), (Level.NOTE, ExitCode.FINDINGS), (None, ExitCode.OK)],
)
def test_a_note_fails_only_where_notes_fail(fail_on: Level | None, expected: ExitCode) -> None:
    assert code(artifact("a", allowed(), findings=(ODD,)), fail_on=fail_on) is expected


def test_findings_of_the_run_count_like_those_of_artifacts() -> None:
    assert code(artifact("a", allowed()), findings=(STALE,)) is ExitCode.OK
    assert code(artifact("a", allowed()), findings=(STALE,), fail_on=Level.WARNING) is ExitCode.FINDINGS


def test_never_failing_on_findings_still_fails_on_undecided() -> None:
    assert code(artifact("a", denied()), fail_on=None) is ExitCode.OK
    assert code(artifact("a", denied()), artifact("b", undecided()), fail_on=None) is ExitCode.UNDECIDED


def test_a_denial_without_a_check_fails_all_the_same() -> None:
    assert code(ArtifactResult(artifact=artifact("a").artifact, verdicts=(Verdict(target="t", decision=Decision.DENIED),))) is (
        ExitCode.FINDINGS
    )


def test_the_summary_counts_each_artifact_once_by_its_worst_verdict() -> None:
    tally = Tally()
    for result in (
        artifact("a", allowed("x"), denied("y")),
        artifact("b", allowed()),
        artifact("c", undecided()),
        artifact("d", denied(audited=True)),
        artifact("e", not_applicable()),
        artifact("f", denied(), waived=True),
    ):
        tally.add(count(result, Level.ERROR))
    summary = tally.summary((), Level.ERROR, excluded=7, skipped=8)
    assert (summary.artifacts, summary.allowed, summary.denied, summary.audited) == (6, 1, 3, 1)
    assert (summary.undecided, summary.not_applicable, summary.waived) == (1, 1, 1)
    assert (summary.excluded, summary.skipped) == (7, 8)


def test_tallies_of_parts_join_to_that_of_the_whole() -> None:
    results = [
        artifact("a", allowed("x"), denied("y")),
        artifact("b", allowed()),
        artifact("c", undecided(), findings=(ODD,)),
        artifact("d", denied(audited=True)),
        artifact("e"),
        artifact("f", denied(), waived=True),
    ]
    whole, joined = Tally(), Tally()
    for number, result in enumerate(results):
        whole.add(count(result, Level.ERROR, {f"w{number % 2}"}))
    for part in (results[:2], results[2:3], [], results[3:]):
        tally = Tally()
        for result in part:
            tally.add(count(result, Level.ERROR, {f"w{results.index(result) % 2}"}))
        joined.join(tally)
    assert joined == whole
    assert joined.unrouted == ["e"]
