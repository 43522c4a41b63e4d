"""A tree judged in parts gives, joined, the result of judging it whole; what does not belong together is not joined."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from csv_gate.errors import UsageError
from csv_gate.gate.shards import is_in, read_shard
from csv_gate.model.result import Shard
from tests.builders.containers import ZipEntry, raw_zip, zip_of
from tests.builders.tree import code, policy_for, tree
from tests.cli.conftest import Build, Command

COUNT = 3


@pytest.fixture
def many(build: Build) -> Build:
    tree(build.output, {f"part{number}/file{number}.dll": code(str(number)) for number in range(12)})
    (build.output / "notes.txt").write_bytes(b"text")
    return build


def shard(gate: Command, build: Build, number: int, *more: str, count: int = COUNT, name: str = "") -> Path:
    path = build.root / f"{name or number}.json"
    gate(*build.check(), "--shard", f"{number}/{count}", "-o", f"json={path}", *more)
    return path


def change(path: Path, key: str, value: object) -> Path:
    data = json.loads(path.read_text("utf-8"))
    *way, last = key.split(".")
    inner: Any = data
    for step in way:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    inner[last] = value
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_all_shards_joined_are_the_whole(gate: Command, many: Build) -> None:
    whole = gate(*many.check(), "-o", "json")
    parts = [shard(gate, many, number) for number in (2, 3, 1)]
    sizes = [len(json.loads(part.read_text("utf-8"))["artifacts"]) for part in parts]
    assert sum(sizes) == 13
    assert all(sizes)
    merged = gate("merge", *parts)
    assert merged.out == whole.out
    assert merged.code == whole.code == 1


def test_a_shard_says_which_it_is(gate: Command, many: Build) -> None:
    saved = json.loads(shard(gate, many, 2).read_text("utf-8"))
    assert saved["run"]["shard"] == {"number": 2, "count": 3}


def test_a_shard_without_files_is_no_fault(gate: Command, build: Build) -> None:
    codes = [gate(*build.check(), "--shard", f"{number}/{COUNT}").code for number in (1, 2, 3)]
    assert codes == [0, 0, 0]


def test_a_green_tree_stays_green(gate: Command, build: Build) -> None:
    merged = gate("merge", *(shard(gate, build, number) for number in (1, 2, 3)), "-o", "text")
    assert merged.code == 0


@pytest.mark.parametrize("numbers", [(1, 2), (2,), (3, 2)])
def test_a_missing_shard_is_refused(gate: Command, many: Build, numbers: tuple[int, ...]) -> None:
    merged = gate("merge", *(shard(gate, many, number) for number in numbers))
    assert merged.code == 2
    assert "shards are missing" in merged.err


def test_a_shard_that_is_there_twice_is_refused(gate: Command, many: Build) -> None:
    merged = gate("merge", *(shard(gate, many, number) for number in (1, 2, 3)), shard(gate, many, 2, name="again"))
    assert merged.code == 2
    assert "twice" in merged.err


def test_a_result_of_no_shard_is_refused(gate: Command, many: Build) -> None:
    whole = many.root / "whole.json"
    gate(*many.check(), "-o", f"json={whole}")
    assert "not of a shard" in gate("merge", whole).err


def test_shards_of_different_splits_are_refused(gate: Command, many: Build) -> None:
    merged = gate("merge", shard(gate, many, 1), shard(gate, many, 2, count=2, name="of2"))
    assert "different splits" in merged.err


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("tool.version", "9.9", "tool versions"),
        ("run.config_sha256", "0" * 64, "configurations"),
        ("targets.0.mode", "audit", "targets or policies"),
        ("run.inputs", ["elsewhere"], "inputs"),
        ("summary.skipped", 7, "trees"),
    ],
)
def test_shards_of_different_runs_are_refused(gate: Command, many: Build, key: str, value: object, said: str) -> None:
    parts = [shard(gate, many, number) for number in (1, 2, 3)]
    change(parts[1], key, value)
    merged = gate("merge", *parts)
    assert merged.code == 2
    assert f"different {said}" in merged.err


def test_another_policy_is_refused(gate: Command, many: Build) -> None:
    parts = [shard(gate, many, 1), shard(gate, many, 2)]
    many.policy.write_bytes(policy_for(code("3")))
    merged = gate("merge", *parts, shard(gate, many, 3))
    assert "different targets or policies" in merged.err


def test_an_artifact_in_two_shards_is_refused(gate: Command, many: Build) -> None:
    parts = [shard(gate, many, number) for number in (1, 2, 3)]
    rows = json.loads(parts[0].read_text("utf-8"))["artifacts"]
    change(parts[1], "artifacts", [*json.loads(parts[1].read_text("utf-8"))["artifacts"], rows[0]])
    assert "in two shards" in gate("merge", *parts).err


def test_what_no_target_takes_is_told_once_and_as_the_whole_tells_it(gate: Command, many: Build) -> None:
    tree(many.output, {"pack.zip": zip_of({"x.dll": code("x")})})
    config = many.root / "csv-gate.yaml"
    config.write_text('version: 1\ntargets: {one: {policies: [policy.xml], paths: ["build/part1/**"]}}\n', encoding="utf-8")
    check = ("check", many.output, "--config", config, "--evaluated-at", "2026-11-24T12:00:00Z")
    for number in (1, 2, 3):
        gate(*check, "--shard", f"{number}/3", "-o", f"json={many.root / f'{number}.json'}")
    merged = gate("merge", *(many.root / f"{number}.json" for number in (1, 2, 3)))
    assert merged.out == gate(*check, "-o", "json").out
    (told,) = [one["message"] for one in json.loads(merged.out)["findings"] if one["check"] == "CSV905"]
    assert "and 8 more" in told


@pytest.mark.parametrize("written", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/99999999"])
def test_what_is_no_shard_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        read_shard(written)


def test_each_path_is_in_exactly_one_shard_for_ever() -> None:
    paths = [f"bin/{number}.dll" for number in range(200)]
    for path in paths:
        assert sum(is_in(Shard(number=number, count=8), path) for number in range(1, 9)) == 1
    assert [path for path in paths[:16] if is_in(Shard(number=2, count=8), path)] == ["bin/1.dll", "bin/6.dll", "bin/8.dll"]


def test_a_result_is_written_and_read_with_its_shard(gate: Command, many: Build) -> None:
    path = shard(gate, many, 3)
    again = gate("report", path, "-o", "json")
    assert again.out == path.read_text("utf-8")
    assert io.StringIO(again.out).readline() == "{\n"


def test_containers_are_judged_by_the_shard_of_the_outer_file(gate: Command, many: Build) -> None:
    twice = raw_zip(ZipEntry(name="a.dll", data=code("1")), ZipEntry(name="a.dll", data=code("2")))
    tree(many.output, {f"pack{number}.zip": zip_of({"x.dll": code("x"), "y.dll": code("y")}) for number in range(5)})
    tree(many.output, {"twice.zip": twice})
    whole = gate(*many.check(), "-o", "json")
    assert whole.out.count("twice.zip!/a.dll") >= 2
    merged = gate("merge", *(shard(gate, many, number) for number in (1, 2, 3)))
    assert merged.out == whole.out
