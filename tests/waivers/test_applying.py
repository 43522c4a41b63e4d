from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.model.checks import page
from csv_gate.model.result import ArtifactResult
from csv_gate.model.verdict import Decision, Level
from csv_gate.waivers import WaiverFile, apply, waiver_findings, waivers_from
from tests.builders.artifact_results import SHA256, artifact_result, finding, verdict

TODAY = date(2026, 6, 1)
DENIED = verdict(Decision.DENIED, "CSV201")
UNDECIDED = verdict(Decision.UNDECIDED, "CSV803")


def waiver(match: str, *, id: str = "W-1", expires: str = "2026-12-31", broad: bool = False) -> str:
    return (
        f"  - {{id: {id}, reason: vendor mends it, owner: '@team', expires: {expires}, match: {{{match}}}, "
        f"broad: {str(broad).lower()}}}\n"
    )


def waivers(*entries: str) -> WaiverFile:
    return waivers_from(("version: 1\nwaivers:\n" + "".join(entries)).encode(), "waivers.yaml")


def is_waived(result: ArtifactResult, file: WaiverFile, today: date = TODAY) -> bool:
    return apply(result, file, today).result.waiver is not None


@pytest.mark.parametrize(
    "match",
    [
        f"sha256: {SHA256}",
        f"sha256: {SHA256.upper()}",
        "paths: dist/*.dll",
        "paths: dist/a.dll, checks: CSV201",
        f"sha256: {SHA256}, targets: [lab, prod]",
    ],
)
def test_a_matching_waiver_excuses_a_denial_and_leaves_the_verdict(match: str) -> None:
    result = artifact_result(DENIED)
    waived = apply(result, waivers(waiver(match)), TODAY)
    assert waived.result.waiver is not None
    assert waived.result.waiver.id == "W-1"
    assert waived.result.waiver.place is not None
    assert waived.result.waiver.place.line == 3
    assert waived.result.verdicts == result.verdicts
    assert waived.result.findings == result.findings
    assert waived.used == {"W-1"}


@pytest.mark.parametrize(
    "match",
    [
        f"sha256: {'cd' * 32}",
        "paths: dist/*.exe",
        "paths: dist/a.dll, checks: CSV202",
        f"sha256: {SHA256}, targets: lab",
        f"sha256: {'cd' * 32}, paths: dist/a.dll",
    ],
)
def test_a_waiver_for_something_else_excuses_nothing(match: str) -> None:
    waived = apply(artifact_result(DENIED), waivers(waiver(match)), TODAY)
    assert waived.result.waiver is None
    assert not waived.used


def test_a_waiver_holds_through_its_last_day_and_no_longer() -> None:
    file = waivers(waiver("paths: dist/a.dll", expires="2026-06-01"))
    assert is_waived(artifact_result(DENIED), file)
    assert not is_waived(artifact_result(DENIED), file, date(2026, 6, 2))


def test_undecided_is_excused_only_by_name() -> None:
    assert not is_waived(artifact_result(UNDECIDED), waivers(waiver("paths: dist/a.dll")))
    assert not is_waived(artifact_result(UNDECIDED), waivers(waiver("paths: dist/a.dll, checks: [CSV201]")))
    assert is_waived(artifact_result(UNDECIDED), waivers(waiver("paths: dist/a.dll, checks: [CSV803]")))


def test_an_undecided_verdict_without_a_check_is_never_excused() -> None:
    assert not is_waived(artifact_result(verdict(Decision.UNDECIDED)), waivers(waiver("paths: dist/a.dll, checks: [CSV803]")))


def test_one_reason_left_over_waives_nothing_but_uses_the_waiver() -> None:
    result = artifact_result(DENIED, verdict(Decision.DENIED, "CSV202", target="lab"))
    waived = apply(result, waivers(waiver("paths: dist/a.dll, targets: prod")), TODAY)
    assert waived.result.waiver is None
    assert waived.used == {"W-1"}


def test_several_waivers_together_end_with_the_first_of_them() -> None:
    result = artifact_result(DENIED, UNDECIDED)
    file = waivers(
        waiver("paths: dist/a.dll, checks: CSV201", id="W-1", expires="2026-12-31"),
        waiver("paths: dist/a.dll, checks: CSV803", id="W-2", expires="2026-07-31"),
    )
    waived = apply(result, file, TODAY)
    assert waived.result.waiver is not None
    assert waived.result.waiver.id == "W-2"
    assert waived.used == {"W-1", "W-2"}


def test_a_finding_of_the_artifact_itself_needs_a_waiver_for_every_target() -> None:
    result = artifact_result(verdict(Decision.ALLOWED), extra=(finding("CSV112", target=None),))
    assert not is_waived(result, waivers(waiver("paths: dist/a.dll, targets: prod")))
    assert is_waived(result, waivers(waiver("paths: dist/a.dll")))


def test_warnings_need_a_waiver_only_where_they_fail_the_build() -> None:
    result = artifact_result(verdict(Decision.DENIED, "CSV201", audited=True))
    file = waivers(waiver("paths: dist/a.dll"))
    assert not apply(result, file, TODAY).used
    assert apply(result, file, TODAY, fail_on=Level.WARNING).result.waiver is not None


def test_what_does_not_fail_uses_no_waiver() -> None:
    waived = apply(artifact_result(verdict(Decision.ALLOWED)), waivers(waiver("paths: dist/a.dll")), TODAY)
    assert (waived.result.waiver, waived.used) == (None, frozenset())


def test_an_unread_artifact_is_not_met_by_a_digest() -> None:
    result = artifact_result(verdict(Decision.UNDECIDED, "CSV801"), sha256=None)
    assert not is_waived(result, waivers(waiver(f"sha256: {SHA256}, checks: CSV801")))
    assert is_waived(result, waivers(waiver("paths: dist/a.dll, checks: CSV801")))


@pytest.mark.parametrize(
    "match",
    [
        "checks: CSV201",
        "targets: prod",
        "paths: '**/a.dll'",
        "paths: '*.dll'",
        "paths: a.dll",
        "paths: ./a.dll",
        "paths: ['dist/a.dll', '**']",
        "paths: dist/",
        "paths: dist/**",
        "paths: /dist/**/a.dll",
    ],
)
def test_a_broad_waiver_holds_only_when_it_says_that_it_is_meant(match: str) -> None:
    narrow, meant = waivers(waiver(match)), waivers(waiver(match, broad=True))
    assert not is_waived(artifact_result(DENIED), narrow)
    assert is_waived(artifact_result(DENIED), meant)
    assert [found.check for found in waiver_findings(narrow, (), TODAY)] == ["CSV913"]


@pytest.mark.parametrize(
    "match", ["paths: /a.dll", "paths: dist/*", "paths: dist/v/**", "paths: dist/v/", "paths: 'dist/[a]*.dll'"]
)
def test_a_path_that_a_folder_or_a_name_bounds_is_not_broad(match: str) -> None:
    assert waiver_findings(waivers(waiver(match)), {"W-1"}, TODAY) == ()


def test_a_waiver_for_a_folder_reaches_below_it_only_when_it_says_so() -> None:
    result = artifact_result(DENIED, path="dist/v/a.dll")
    assert not is_waived(result, waivers(waiver("paths: dist/v")))
    assert is_waived(result, waivers(waiver("paths: dist/v/")))


def test_a_wide_path_beside_a_digest_is_not_broad() -> None:
    assert is_waived(artifact_result(DENIED), waivers(waiver(f"paths: '**', sha256: {SHA256}")))


def test_stale_and_idle_waivers_are_told_with_their_line() -> None:
    file = waivers(
        waiver("paths: dist/a.dll", id="old", expires="2026-05-31"),
        waiver("paths: dist/a.dll", id="soon", expires="2026-06-15"),
        waiver("paths: dist/a.dll", id="idle"),
        waiver("paths: dist/a.dll, targets: lab", id="elsewhere"),
        waiver("paths: dist/a.dll", id="fine"),
    )
    found = waiver_findings(file, {"soon", "fine"}, TODAY, targets={"prod"})
    assert [(entry.check, entry.level, entry.place.line if entry.place else None) for entry in found] == [
        ("CSV910", Level.ERROR, 3),
        ("CSV911", Level.WARNING, 4),
        ("CSV912", Level.NOTE, 5),
    ]


@pytest.mark.parametrize("check", ["CSV910", "CSV911", "CSV912", "CSV913"])
def test_each_check_of_waivers_has_its_page(check: str) -> None:
    shown = page(check)
    assert shown.what
    assert shown.why
    assert shown.mend


@given(
    decisions=st.lists(st.sampled_from(list(Decision)), min_size=1, max_size=4),
    checks=st.lists(st.sampled_from(["CSV201", "CSV202", "CSV801", "CSV803"]), min_size=1, max_size=3),
    match=st.sampled_from(["", ", checks: [CSV201, CSV202]", ", targets: t0", ", checks: [CSV801]"]),
)
def test_no_waiver_hides_an_undecided_check_that_it_does_not_name(
    decisions: list[Decision], checks: list[str], match: str
) -> None:
    result = artifact_result(*(verdict(entry, *checks, target=f"t{index}") for index, entry in enumerate(decisions)))
    file = waivers(waiver("paths: dist/a.dll" + match))
    named = file.waivers[0].match.checks
    if is_waived(result, file):
        for entry in result.verdicts:
            if entry.decision is Decision.UNDECIDED:
                assert set(entry.checks) <= set(named)
