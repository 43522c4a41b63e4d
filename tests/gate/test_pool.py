import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csv_gate.gate import pool, portions, workers
from csv_gate.gate.artifact_facts import ArtifactFacts, Known
from csv_gate.gate.catalogs import Catalogs
from csv_gate.gate.judge import Judge
from csv_gate.gate.judged import gathered
from csv_gate.gate.opening import Looked
from csv_gate.limits import DEFAULT_LIMITS, MIB
from csv_gate.model.verdict import Decision
from csv_gate.scan import Entry, FileIdentity, walk
from tests.builders.plans import plan, target
from tests.builders.tree import code, policy_for, tree


def entry(number: int, size: int = 1000) -> Entry:
    identity = FileIdentity(device=1, inode=number, size=size, modified_ns=0, changed_ns=0)
    return Entry(path=f"{number:05}", scope="", location=f"{number}", identity=identity)


def work(*entries: Entry, **changes: Any) -> portions.Work:
    return portions.Work(plan=plan(Path(), targets=[], **changes), catalogs=Catalogs(), entries=entries)


def test_little_work_gets_one_process_and_much_work_all_that_are_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "usable_processors", lambda: 8)
    assert pool.job_count(work(*(entry(n) for n in range(20)), jobs=None)) == 1
    assert pool.job_count(work(*(entry(n, 10 * MIB) for n in range(20)), jobs=None)) == 8
    assert pool.job_count(work(entry(1, 900 * MIB), jobs=None)) == 1


def test_files_that_need_not_be_opened_are_little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "usable_processors", lambda: 8)
    large = [entry(n, 10 * MIB) for n in range(20)]
    trusted = {one.location: b"" for one in large}
    assert pool.job_count(replace(work(*large, jobs=None), trusted=trusted)) == 1
    assert list(portions.portions(replace(work(*large), trusted=trusted))) == [range(20)]


def test_what_was_asked_for_is_obeyed_up_to_the_number_of_files() -> None:
    assert pool.job_count(work(*(entry(n) for n in range(20)), jobs=5)) == 5
    assert pool.job_count(work(entry(1), jobs=5)) == 1


def test_portions_keep_the_order_and_lose_nothing() -> None:
    entries = [entry(n, size=(n * 7919) % (3 * MIB)) for n in range(500)]
    found = list(portions.portions(work(*entries)))
    assert [place for portion in found for place in portion] == list(range(len(entries)))
    assert max(map(len, found)) <= portions.PORTION_BYTES // portions.FILE_COST_BYTES


def test_a_large_file_closes_its_portion() -> None:
    assert list(portions.portions(work(entry(1), entry(2, 100 * MIB), entry(3)))) == [range(2), range(2, 3)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_lines_and_sums_are_those_of_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(workers, "START_METHOD", method)
    seeds = [str(n) for n in range(6)]
    tree(tmp_path, {f"{n}.dll": code(n) for n in seeds})
    entries = walk([tmp_path], limits=DEFAULT_LIMITS).entries
    of = plan(tmp_path, targets=[target(policy_for(code("1"), code("3")))], jobs=2)
    told: list[tuple[int, int]] = []
    (parallel,) = pool.judge_all(
        portions.Work(plan=of, catalogs=Catalogs(), entries=entries), lambda files, size: told.append((files, size))
    )
    judge = Judge(of, Catalogs())
    assert parallel == gathered(judge.rows(entries), judge.lines)
    assert sum(files for files, _ in told) == 6
    assert sum(size for _, size in told) == sum(one.size for one in entries)


def test_a_file_that_kills_its_worker_is_undecided_and_costs_no_other_file_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = [str(n) for n in range(5)]
    tree(tmp_path, {f"{n}.dll": code(n) for n in seeds})
    entries = walk([tmp_path], limits=DEFAULT_LIMITS).entries
    parent, real = os.getpid(), ArtifactFacts.read

    def deadly(facts: ArtifactFacts, one: Entry, looked: Looked | None) -> list[Known]:
        if one.path.endswith("2.dll") and os.getpid() != parent:
            os._exit(7)
        return real(facts, one, looked)

    monkeypatch.setattr(workers, "START_METHOD", "fork")
    monkeypatch.setattr(ArtifactFacts, "read", deadly)
    of = plan(tmp_path, targets=[target(policy_for(*map(code, seeds)))], jobs=2)
    judged = list(pool.judge_all(portions.Work(plan=of, catalogs=Catalogs(), entries=entries), lambda files, size: None))
    lines = b"".join(one.lines for one in judged).decode().splitlines()
    allowed = Decision.ALLOWED
    decisions = [json.loads(line)["verdicts"][0]["decision"] for line in lines]
    assert decisions == [allowed, allowed, Decision.UNDECIDED, allowed, allowed]
    assert "worker process" in lines[2]
    assert sum(one.tally.decisions[Decision.UNDECIDED] for one in judged) == 1


def test_a_bug_names_the_file_it_was_met_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a.dll": code("a"), "b.dll": code("b")})
    entries = walk([tmp_path], limits=DEFAULT_LIMITS).entries

    def broken(facts: ArtifactFacts, one: Entry, formats: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(workers, "START_METHOD", "fork")
    monkeypatch.setattr(ArtifactFacts, "read", broken)
    of = plan(tmp_path, targets=[target(policy_for(code("a")))], jobs=2)
    with pytest.raises(ZeroDivisionError) as caught:
        list(pool.judge_all(portions.Work(plan=of, catalogs=Catalogs(), entries=entries), lambda files, size: None))
    assert any("a.dll" in note for note in caught.value.__notes__)
