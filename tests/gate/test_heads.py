"""What files are is the same however many processes look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csv_gate.gate import heads, workers
from csv_gate.gate.heads import formats_of
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.scan import Entry, walk
from tests.builders.containers import zip_of
from tests.builders.plans import plan
from tests.builders.tree import code, tree

FILES = {
    "a.dll": code("a"),
    "b.txt": b"text",
    "c.zip": zip_of({"x": b"y"}),
    "d.json": b"{}",
    "e": b"",
    "f.bin": b"\0\1\2\3" * 99,
}


@pytest.fixture
def entries(tmp_path: Path) -> tuple[Entry, ...]:
    tree(tmp_path, {f"{number}/{name}": data for number in range(8) for name, data in FILES.items()})
    listed = walk([tmp_path], limits=DEFAULT_LIMITS).entries
    gone = listed[7]
    Path(gone.location).unlink()
    return listed


@pytest.fixture
def parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    monkeypatch.setattr(workers, "START_METHOD", "fork")
    monkeypatch.setattr(heads, "MIN_PARALLEL_FILES", 0)
    monkeypatch.setattr(heads, "PORTION_FILES", 5)


def found(entries: tuple[Entry, ...], jobs: int, **trusted: bytes) -> list[str | None]:
    return list(formats_of(plan(Path(), targets=[], jobs=jobs), entries, trusted))


@pytest.mark.usefixtures("parallel")
def test_several_processes_see_what_one_sees(entries: tuple[Entry, ...]) -> None:
    alone = found(entries, 1)
    assert found(entries, 3) == alone
    assert alone[7] is None
    assert {"pe", "text", "zip", "empty"} <= set(alone)


@pytest.mark.usefixtures("parallel")
def test_a_process_that_dies_costs_nothing(entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    alone, parent, real = found(entries, 1), os.getpid(), heads.format_of

    def deadly(entry: Entry, limits: object) -> str:
        if entry.path.endswith("3/b.txt") and os.getpid() != parent:
            os._exit(9)
        return real(entry, DEFAULT_LIMITS)

    monkeypatch.setattr(heads, "format_of", deadly)
    assert found(entries, 2) == alone


def test_what_is_trusted_is_not_opened(entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "format_of", lambda *_: pytest.fail("it was opened"))
    assert found(entries, 1, **{entry.location: b"" for entry in entries}) == ["pe"] * len(entries)


@pytest.mark.usefixtures("parallel")
def test_stopping_early_leaves_no_process_behind(entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[int] = []
    real = os.fork

    def counted() -> int:
        children.append(real())
        return children[-1]

    monkeypatch.setattr(os, "fork", counted)
    looking = formats_of(plan(Path(), targets=[], jobs=2), entries, {})
    next(looking)
    looking.close()
    assert len(children) == 2
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
