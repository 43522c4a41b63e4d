from __future__ import annotations

from pathlib import Path

import pytest

from csv_gate.errors import ExitCode, NoArtifactsError, UsageError
from csv_gate.testing import assert_allowed, judge, read_judgement, write_judgement
from tests.builders.tree import AUDIT, code, policy_for, tree

GOOD, BAD = code("good"), code("bad")


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tree(tmp_path, {"b/good.dll": GOOD, "b/bad.dll": BAD, "p.xml": policy_for(GOOD)}))
    return tmp_path


def test_what_the_policy_allows_passes() -> None:
    assert_allowed("b/good.dll", policy="p.xml")


def test_what_it_does_not_allow_fails_with_the_check_and_the_path() -> None:
    with pytest.raises(AssertionError, match=r"CSV201(.|\n)*b/bad.dll"):
        assert_allowed("b", policy="p.xml")


def test_a_denial_that_is_only_logged_is_no_allowance(build: Path) -> None:
    tree(build, {"p.xml": policy_for(GOOD, options=AUDIT)})
    assert judge(["b/bad.dll"], policies=["p.xml"]).exit_code is ExitCode.OK
    with pytest.raises(AssertionError, match="CSV201"):
        assert_allowed("b/bad.dll", policy="p.xml")


def test_what_no_policy_governs_is_no_allowance(build: Path) -> None:
    tree(build, {"p.xml": policy_for(GOOD, options=())})
    assert judge(["b/good.dll"], policies=["p.xml"]).exit_code is ExitCode.OK
    with pytest.raises(AssertionError, match="no policy of policy governs it"):
        assert_allowed("b/good.dll", policy="p.xml")


def test_what_goes_to_no_target_is_no_allowance(build: Path) -> None:
    config = b"version: 1\ntargets:\n  prod:\n    policies: [p.xml]\n    paths: [elsewhere/]\n"
    tree(build, {"csv-gate.yaml": config})
    with pytest.raises(AssertionError, match="no target gets it"):
        assert_allowed("b/good.dll", config="csv-gate.yaml")


def test_nothing_to_judge_is_an_error(build: Path) -> None:
    (build / "empty").mkdir()
    with pytest.raises(NoArtifactsError):
        assert_allowed("empty", policy="p.xml")


def test_a_path_that_looks_like_an_option_is_a_path(build: Path) -> None:
    tree(build, {"--config": GOOD})
    assert_allowed("--config", policy="p.xml")


def test_without_a_policy_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(UsageError):
        assert_allowed("b/good.dll")


def test_the_cases_fail_exactly_where_the_run_fails() -> None:
    for path in ("b", "b/good.dll", "b/bad.dll"):
        judged = judge([path], policies=["p.xml"])
        assert any(case.fails for case in judged.cases) == (judged.exit_code is not ExitCode.OK)


def test_a_judgement_survives_being_kept(build: Path) -> None:
    judged = judge(["b"], policies=["p.xml"])
    write_judgement(judged, build / "kept")
    assert read_judgement(build / "kept") == judged
