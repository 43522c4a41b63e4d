import io
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from csv_gate.errors import ConfigError, ExitCode, NoArtifactsError, Place
from csv_gate.gate import Plan, run
from csv_gate.globs import GlobSet
from csv_gate.limits import Limits
from csv_gate.model.context import Mode
from csv_gate.model.result import Owner
from csv_gate.model.verdict import Decision, Level
from csv_gate.report import render
from csv_gate.waivers import Match, Waiver, WaiverFile
from tests.builders.plans import plan, target
from tests.builders.policy import policy_xml, scenario_xml
from tests.builders.tree import AUDIT, code, policy_for, tree

GOOD, BAD = code("good"), code("bad")


def decisions(of: Plan) -> dict[str, Decision]:
    with run(of) as result:
        return {Path(a.artifact.path).name: a.verdicts[0].decision for a in result.artifacts}


def as_json(of: Plan) -> tuple[dict[str, Any], str]:
    out = io.StringIO()
    with run(of) as result:
        render("json", result, out)
    return json.loads(out.getvalue()), out.getvalue()


def test_a_file_that_a_hash_rule_allows_is_allowed_and_its_neighbour_is_not(tmp_path: Path) -> None:
    tree(tmp_path, {"a/good.dll": GOOD, "bad.exe": BAD})
    assert decisions(plan(tmp_path, targets=[target(policy_for(GOOD))])) == {
        "good.dll": Decision.ALLOWED,
        "bad.exe": Decision.DENIED,
    }


def test_code_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    tree(tmp_path, {"readme.txt": GOOD, "fake.dll": b"no code at all"})
    with run(plan(tmp_path, targets=[target(policy_for(GOOD))])) as result:
        assert [Path(a.artifact.path).name for a in result.artifacts] == ["readme.txt"]
        assert result.summary.skipped == 1


def test_one_policy_of_two_targets_decides_for_its_target_alone(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    targets = [target(policy_for(GOOD), name="one"), target(policy_for(BAD), name="two")]
    with run(plan(tmp_path, targets=targets)) as result:
        (artifact,) = result.artifacts
        assert [(v.target, v.decision) for v in artifact.verdicts] == [("one", Decision.ALLOWED), ("two", Decision.DENIED)]
        assert result.summary.exit_code is ExitCode.FINDINGS


def test_an_audit_policy_fails_no_build_and_fails_it_when_enforced(tmp_path: Path) -> None:
    tree(tmp_path, {"bad.dll": BAD})
    policy = policy_for(GOOD, options=AUDIT)
    with run(plan(tmp_path, targets=[target(policy)])) as result:
        assert (result.summary.exit_code, result.summary.audited, result.targets[0].mode) == (ExitCode.OK, 1, "audit")
    with run(plan(tmp_path, targets=[target(policy, mode=Mode.ENFORCE)])) as result:
        assert (result.summary.exit_code, result.summary.audited, result.targets[0].mode) == (ExitCode.FINDINGS, 0, "enforce")


def test_an_unreadable_file_is_undecided_and_never_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"good.dll": GOOD, "locked.dll": BAD})
    real = os.open

    def opened(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith("locked.dll"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", opened)
    with run(plan(tmp_path, targets=[target(policy_for(GOOD, BAD))])) as result:
        _, locked = result.artifacts
        assert locked.verdicts[0].decision is Decision.UNDECIDED
        assert locked.verdicts[0].checks == ("CSV801",)
        assert "Permission denied" in locked.artifact.facts.gaps[0].why
        assert result.summary.exit_code is ExitCode.UNDECIDED


def test_code_beyond_the_size_limit_is_undecided_also_where_a_rule_denies_by_default(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    limits = Limits(max_artifact_bytes=len(GOOD) - 1)
    assert decisions(plan(tmp_path, targets=[target(policy_for(GOOD))], limits=limits)) == {"good.dll": Decision.UNDECIDED}


@pytest.mark.parametrize("size", [64, 200, 600, 1200])
def test_truncated_code_is_never_allowed(tmp_path: Path, size: int) -> None:
    tree(tmp_path, {"cut.dll": GOOD[:size]})
    found = decisions(plan(tmp_path, targets=[target(policy_for(GOOD))]))
    assert found["cut.dll"] is not Decision.ALLOWED


@pytest.mark.parametrize("files", [{}, {"a.txt": b"text", "empty": b""}], ids=["no files", "no code"])
def test_nothing_to_judge_is_an_error_that_says_what_was_seen(tmp_path: Path, files: dict[str, bytes]) -> None:
    tree(tmp_path, files)
    with pytest.raises(NoArtifactsError) as caught:
        run(plan(tmp_path, targets=[target(policy_for(GOOD))]))
    assert caught.value.exit_code is ExitCode.NOTHING_FOUND
    assert caught.value.got == ("1 empty, 1 text" if files else "no files at all")


def test_excluding_everything_is_nothing_to_check_and_not_success(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    with pytest.raises(NoArtifactsError) as caught:
        run(plan(tmp_path, targets=[target(policy_for(GOOD))], exclude=GlobSet.of(["*.dll"])))
    assert caught.value.got == "1 excluded"


def test_what_is_excluded_is_counted_and_a_stale_pattern_is_a_finding_of_the_run(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD, "vendor/bad.dll": BAD})
    with run(plan(tmp_path, targets=[target(policy_for(GOOD))], exclude=GlobSet.of(["vendor/", "vendr/"]))) as result:
        assert result.summary.excluded == 1
        assert [finding.check for finding in result.findings] == ["CSV901"]
        assert result.summary.exit_code is ExitCode.OK


def test_an_idle_exclude_fails_a_build_that_fails_on_warnings(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    of = plan(tmp_path, targets=[target(policy_for(GOOD))], exclude=GlobSet.of(["x/"]), fail_on=Level.WARNING)
    with run(of) as result:
        assert result.summary.exit_code is ExitCode.FINDINGS


def waiver() -> WaiverFile:
    place = Place(path="waivers.yaml", line=1)
    match = Match(paths=GlobSet.of(["/bad.dll"]).globs, place=place)
    one = Waiver(id="W1", match=match, reason="known", owner="@team", expires=date(2026, 12, 31), place=place)
    return WaiverFile(version=1, waivers=(one,))


def test_a_waived_denial_passes_and_stays_visible(tmp_path: Path) -> None:
    tree(tmp_path, {"bad.dll": BAD})
    with run(plan(tmp_path, targets=[target(policy_for(GOOD))], waivers=waiver())) as result:
        (artifact,) = result.artifacts
        assert artifact.verdicts[0].decision is Decision.DENIED
        assert artifact.waiver is not None
        assert (result.summary.waived, result.summary.exit_code) == (1, ExitCode.OK)


def test_a_waiver_that_excuses_nothing_is_a_finding_of_the_run(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    with run(plan(tmp_path, targets=[target(policy_for(GOOD))], waivers=waiver())) as result:
        assert [finding.check for finding in result.findings] == ["CSV912"]


class OwnedByPath:
    def owner_of(self, path: str, sha256: str | None = None) -> Owner | None:
        return Owner(name=f"owner of {path}")


def test_each_artifact_names_its_owner_by_the_path_that_patterns_see(tmp_path: Path) -> None:
    tree(tmp_path, {"out/good.dll": GOOD})
    with run(plan(tmp_path / "out", targets=[target(policy_for(GOOD))], base=tmp_path, owners=OwnedByPath())) as result:
        (artifact,) = result.artifacts
        assert artifact.owner == Owner(name="owner of out/good.dll")


def test_a_given_catalog_that_is_none_stops_the_run(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD, "x.cat": b"nothing"})
    with pytest.raises(ConfigError, match="catalog"):
        run(plan(tmp_path, targets=[target(policy_for(GOOD))], catalogs=(str(tmp_path / "x.cat"),)))


def test_the_same_bytes_come_out_however_many_processes_work(tmp_path: Path) -> None:
    seeds = [str(n) for n in range(70)]
    tree(tmp_path, {f"{n}/a{n}.dll": code(n) for n in seeds})
    (tmp_path / "bad\udcff.dll").write_bytes(BAD)
    of = target(policy_for(*(code(n) for n in seeds[::2]), denied=[code("3")]))
    _, serial = as_json(plan(tmp_path, targets=[of], jobs=1))
    _, parallel = as_json(plan(tmp_path, targets=[of], jobs=3))
    assert serial == parallel


def test_the_same_run_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD, "bad.dll": BAD})
    of = plan(tmp_path, targets=[target(policy_for(GOOD))])
    assert as_json(of)[1] == as_json(of)[1]


def test_the_result_can_be_walked_again_and_says_the_same(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD, "bad.dll": BAD})
    with run(plan(tmp_path, targets=[target(policy_for(GOOD))])) as result:
        assert list(result.artifacts) == list(result.artifacts)
        assert [Path(a.artifact.path).name for a in result.notable_artifacts] == ["bad.dll"]


def test_a_policy_without_user_mode_judges_no_user_code_and_the_run_passes(tmp_path: Path) -> None:
    tree(tmp_path, {"bad.dll": BAD})
    only_kernel = policy_xml(options=(), scenarios=[scenario_xml(value="131")])
    with run(plan(tmp_path, targets=[target(only_kernel)])) as result:
        assert result.summary.not_applicable == 1
        assert result.summary.exit_code is ExitCode.OK
