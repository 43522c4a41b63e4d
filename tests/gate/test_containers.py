"""Runs over containers: what is inside is judged like loose files, and nothing inside is passed over in silence."""

import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from csv_gate.errors import ExitCode, NoArtifactsError, Place
from csv_gate.gate import Plan, run
from csv_gate.gate.inspection import inspect
from csv_gate.globs import Glob, GlobSet
from csv_gate.limits import Limits
from csv_gate.model.result import Owner
from csv_gate.model.verdict import Decision
from csv_gate.waivers import Match, Waiver, WaiverFile
from tests.builders import ca, cms
from tests.builders.containers import ZipEntry, deb_of, raw_zip, tar_of, zip_of
from tests.builders.every_container import EVERY_KIND
from tests.builders.plans import plan, target
from tests.builders.tree import authenticode_sha256, code, policy_for, tree

GOOD, BAD = code("good"), code("bad")
TARGET = target(policy_for(GOOD))
ENCRYPTED = ZipEntry(name="secret.bin", data=b"x", flags=1)


def decisions(of: Plan, below: Path) -> dict[str, str]:
    with run(of) as result:
        return {
            str(Path(a.artifact.path).relative_to(below)): " ".join(verdict.decision.value for verdict in a.verdicts)
            for a in result.artifacts
        }


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_members_get_the_verdicts_of_loose_files(tmp_path: Path, kind: str) -> None:
    tree(tmp_path, {kind: EVERY_KIND[kind]({"bin/good.dll": GOOD, "bin/bad.dll": BAD, "readme": b"words"})})
    found = decisions(plan(tmp_path, targets=[TARGET]), tmp_path)
    assert {path: decision for path, decision in found.items() if path != kind} == {
        f"{kind}!/bin/bad.dll": "denied",
        f"{kind}!/bin/good.dll": "allowed",
    }


def test_members_of_members_too(tmp_path: Path) -> None:
    tree(tmp_path, {"a.tar": tar_of({"in.zip": zip_of({"x.deb": deb_of({"./bad.dll": BAD})}), "good.dll": GOOD})})
    with run(plan(tmp_path, targets=[TARGET])) as result:
        paths = [Path(a.artifact.path).relative_to(tmp_path).as_posix() for a in result.artifacts]
        assert paths == ["a.tar!/good.dll", "a.tar!/in.zip!/x.deb!/data.tar.xz!/bad.dll"]
        assert (result.summary.containers, result.summary.exit_code) == (5, ExitCode.FINDINGS)


@pytest.mark.parametrize(
    "broken",
    [raw_zip(ENCRYPTED), zip_of({"a": GOOD})[:-30], zip_of({"a": BAD})[:40] + zip_of({"a": BAD})[60:], b"\x1f\x8bnot gzip"],
)
def test_what_cannot_be_opened_is_undecided(tmp_path: Path, broken: bytes) -> None:
    tree(tmp_path, {"good.dll": GOOD, "a.zip": broken})
    with run(plan(tmp_path, targets=[TARGET])) as result:
        assert result.summary.exit_code is ExitCode.UNDECIDED
        assert result.summary.undecided == 1


def test_a_bound_that_is_reached_is_undecided_and_names_the_bound(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"in.zip": zip_of({"bad.dll": BAD}), "good.dll": GOOD})})
    with run(plan(tmp_path, targets=[TARGET], limits=Limits(max_container_depth=1))) as result:
        told = {a.artifact.path[-6:]: a.verdicts[0] for a in result.artifacts}
        assert told["in.zip"].decision is Decision.UNDECIDED
        assert "max_container_depth" in told["in.zip"].because
        assert told["in.zip"].checks == ("CSV805",)


def test_a_sound_container_without_code_is_nothing_to_check(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"readme": b"words"})})
    with pytest.raises(NoArtifactsError) as caught:
        run(plan(tmp_path, targets=[TARGET]))
    assert "1 text" in str(caught.value)
    assert "1 containers" in str(caught.value)


def test_a_container_with_odd_names_is_told_but_blocks_nothing(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of([("../good.dll", GOOD), ("../good.dll", GOOD)])})
    with run(plan(tmp_path, targets=[TARGET])) as result:
        container, *members = result.artifacts
        assert {finding.check for finding in container.findings} == {"CSV301", "CSV302"}
        assert container.verdicts[0].decision is Decision.NOT_APPLICABLE
        assert [m.artifact.path[-16:] for m in members] == ["zip!/../good.dll"] * 2
        assert result.summary.exit_code is ExitCode.OK


def test_a_catalog_in_a_container_signs_what_it_lists(tmp_path: Path) -> None:
    signer = ca.root().issue()
    catalog = cms.catalog(signer, [cms.member(bytes.fromhex(authenticode_sha256(GOOD)))])
    tree(tmp_path, {"a.zip": zip_of({"app.cat": catalog, "good.dll": GOOD}), "good.dll": GOOD})
    with run(plan(tmp_path, targets=[TARGET])) as result:
        signed = [[s.place.rpartition("/a.zip")[2] for s in a.artifact.facts.signatures] for a in result.artifacts]
        assert signed == [["!/app.cat"]] * 2


def test_exclude_patterns_see_the_paths_of_members(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"test/bad.dll": BAD, "good.dll": GOOD, "in.zip": zip_of({"bad.dll": BAD})})})
    of = plan(tmp_path, targets=[TARGET], base=tmp_path, exclude=GlobSet.of(["a.zip!/test/**", "**/in.zip"]))
    assert decisions(of, tmp_path) == {"a.zip!/good.dll": "allowed"}
    with run(of) as result:
        assert result.summary.excluded == 2
        assert result.findings == ()


def test_include_patterns_see_the_paths_of_members(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"x.dll": BAD, "y.exe": BAD}), "b.exe": BAD, "readme": b"words"})
    for pattern, expected in {
        "*.dll": {"a.zip!/x.dll"},
        "a.zip": {"a.zip!/x.dll", "a.zip!/y.exe"},
        "a.zip!/y.exe": {"a.zip!/y.exe"},
    }.items():
        of = plan(tmp_path, targets=[TARGET], base=tmp_path, include=GlobSet.of([pattern]))
        assert set(decisions(of, tmp_path)) == expected


def test_a_pattern_that_meets_neither_file_nor_member_is_told(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"good.dll": GOOD})})
    with run(plan(tmp_path, targets=[TARGET], base=tmp_path, exclude=GlobSet.of(["*.sys"]))) as result:
        assert [finding.check for finding in result.findings] == ["CSV901"]


def test_closed_containers_are_told(tmp_path: Path) -> None:
    tree(tmp_path, {"a.zip": zip_of({"bad.dll": BAD}), "good.dll": GOOD})
    of = plan(tmp_path, targets=[TARGET], opens_containers=False)
    assert decisions(of, tmp_path) == {"good.dll": "allowed"}
    with run(of) as result:
        assert [finding.check for finding in result.findings] == ["CSV904"]
        assert (result.summary.containers, result.summary.skipped) == (0, 1)


def test_a_broken_container_that_no_target_takes_is_undecided_all_the_same(tmp_path: Path) -> None:
    class Dlls:
        def context_for(self, scope: str) -> object:
            return TARGET.routes.context_for(scope) if scope.endswith(".dll") else None

    tree(tmp_path, {"good.dll": GOOD, "a.zip": zip_of({"a.dll": GOOD})[:-30]})
    with run(plan(tmp_path, targets=[replace(TARGET, routes=Dlls())])) as result:  # type: ignore[arg-type]
        assert result.summary.exit_code is ExitCode.UNDECIDED


def test_owners_and_waivers_go_by_the_path_of_the_member(tmp_path: Path) -> None:
    class Owners:
        def owner_of(self, path: str, sha256: str | None = None) -> Owner | None:
            return Owner(name=path)

    waiver = Waiver(
        id="w",
        match=Match(paths=(Glob("a.zip!/bad.dll"),), place=Place(path="w.yaml")),
        reason="known",
        owner="me",
        expires=date(2027, 1, 1),
        place=Place(path="w.yaml"),
    )
    tree(tmp_path, {"a.zip": zip_of({"bad.dll": BAD})})
    of = plan(tmp_path, targets=[TARGET], base=tmp_path, owners=Owners(), waivers=WaiverFile(version=1, waivers=(waiver,)))
    with run(of) as result:
        (artifact,) = result.artifacts
        assert artifact.owner == Owner(name="a.zip!/bad.dll")
        assert (result.summary.waived, result.summary.exit_code) == (1, ExitCode.OK)


def test_several_processes_give_the_rows_of_one(tmp_path: Path) -> None:
    tree(tmp_path, {f"{n}.zip": zip_of({"good.dll": GOOD, "bad.dll": BAD, "x.zip": b"PK\3\4"}) for n in range(4)})
    lines = []
    for jobs in (1, 2):
        with run(plan(tmp_path, targets=[TARGET], jobs=jobs)) as result:
            lines.append("".join(result.artifact_blocks()))
    assert lines[0] == lines[1]
    assert lines[0].count("\n") == 12


def test_a_plan_crosses_to_another_process(tmp_path: Path) -> None:
    of = plan(tmp_path, targets=[])
    assert pickle.loads(pickle.dumps(of)).stopwatch is of.stopwatch


def test_inspection_shows_the_container_and_all_members(tmp_path: Path) -> None:
    tree(tmp_path, {"a.nupkg": EVERY_KIND["app.nupkg"]({"good.dll": GOOD, "readme": b"words"})})
    found = {Path(a.path).name: a.facts.format for a in inspect([str(tmp_path)])}
    assert found == {"a.nupkg": "nupkg", "good.dll": "pe", "readme": "text", "demo.nuspec": "text"}
