"""Runs that keep facts say what runs without say, whatever happens to the files in between."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from csv_gate.formats import extraction
from csv_gate.gate import artifact_facts, run
from csv_gate.gate.trusted import trusted_files
from csv_gate.limits import Limits
from csv_gate.report import render
from csv_gate.scan import walk
from csv_gate.store.content_hash import ContentHash
from csv_gate.store.database import FILE_NAME
from csv_gate.store.facts_cache import checksum
from csv_gate.store.known_files import SETTLED_NS
from tests.builders import cms, pe, signing
from tests.builders.containers import zip_of
from tests.builders.plans import plan, target
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import code, policy_for, tree

GOOD, BAD = code("good"), code("evil")


class Extractions:
    """Counts files that were really read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0

        def counted(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            return extract(*arguments, **options)

        extract = extraction.extract
        monkeypatch.setattr(extraction, "extract", counted)


@pytest.fixture
def extractions(monkeypatch: pytest.MonkeyPatch) -> Extractions:
    return Extractions(monkeypatch)


def result(root: Path, **changes: Any) -> str:
    of = plan(root / "build", targets=[target(policy_for(GOOD))], jobs=1, **changes)
    out = io.StringIO()
    with run(of) as found:
        render("json", found, out)
    return out.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    signed = signed_pe(pe.pe(), signing.publisher())
    return tree(
        tmp_path, {"build/good.dll": GOOD, "build/signed.dll": signed, "build/cut.dll": signed[:-9], "build/a.txt": b"a"}
    )


@pytest.mark.parametrize("trusts_files", [False, True])
def test_the_second_run_says_the_same_and_extracts_nothing(root: Path, extractions: Extractions, trusts_files: bool) -> None:
    plain = result(root)
    assert extractions.count == 3
    kept = {"kept_facts": root / "kept", "trusts_files": trusts_files}
    assert result(root, **kept) == plain
    assert extractions.count == 6
    assert result(root, **kept) == plain
    assert extractions.count == 6


def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything on disk was written long ago."""
    import time

    ahead = time.time_ns() + 3 * SETTLED_NS
    monkeypatch.setattr("csv_gate.store.known_files.KnownFiles.now_ns", lambda self: ahead)
    monkeypatch.setattr(
        "csv_gate.store.database.Database.__init__.__kwdefaults__", {"clock": lambda: ahead + 1, "most_bytes": 2**28}
    )


def test_files_that_are_trusted_are_not_opened_for_their_content(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)
    kept = {"kept_facts": root / "kept", "trusts_files": True}
    first = result(root, **kept)
    monkeypatch.setattr(artifact_facts, "open_content", lambda *_: pytest.fail("a trusted file was opened"))
    assert result(root, **kept) == first


@pytest.mark.parametrize("trusts_files", [False, True])
def test_a_file_overwritten_in_place_with_its_times_set_back_gets_its_own_verdict(
    root: Path, monkeypatch: pytest.MonkeyPatch, trusts_files: bool
) -> None:
    old(monkeypatch)
    kept = {"kept_facts": root / "kept", "trusts_files": trusts_files}
    path = root / "build" / "good.dll"
    assert '"denied":1' in result(root, **kept)
    before = path.stat()
    assert len(BAD) == len(GOOD)
    path.write_bytes(BAD)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert '"denied":2' in result(root, **kept)
    assert result(root, **kept) == result(root)


def test_a_store_shared_by_worker_processes_changes_nothing(root: Path) -> None:
    tree(root, {f"build/more/{number}.dll": code(str(number)) for number in range(70)})
    plain = result(root)
    for _ in range(2):
        of = plan(root / "build", targets=[target(policy_for(GOOD))], jobs=2, kept_facts=root / "kept")
        out = io.StringIO()
        with run(of) as found:
            render("json", found, out)
        assert out.getvalue() == plain


def test_entries_that_somebody_else_wrote_are_not_believed_and_do_not_end_the_run(root: Path) -> None:
    stamped = signed_pe(pe.pe(code=b"stamped" * 99), signing.publisher(), stamps=[cms.Stamp(signing.time_authority())])
    tree(root, {"build/stamped.dll": stamped})
    plain = result(root)
    assert result(root, kept_facts=root / "kept") == plain
    with closing(sqlite3.connect(root / "kept" / FILE_NAME, isolation_level=None)) as raw:
        ((key, body),) = [row for row in raw.execute("SELECT key, body FROM facts") if row[1].endswith('Z"]')]
        wrong = json.dumps([*json.loads(body)[:-1], "yesterday"])
        raw.execute("UPDATE facts SET body = ?, sum = ? WHERE key = ?", (wrong, checksum(key, wrong.encode()), key))
    assert result(root, kept_facts=root / "kept") == plain


def test_a_container_is_opened_in_every_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)
    tree(root, {"build/a.zip": zip_of({"evil.dll": BAD, "good.dll": GOOD})})
    kept = {"kept_facts": root / "kept", "trusts_files": True}
    plain = result(root)
    assert "a.zip!/evil.dll" in plain
    assert [result(root, opens_containers=False, **kept) == plain, result(root, **kept) == plain] == [False, True]
    assert result(root, **kept) == plain


def test_a_file_with_kept_facts_is_hashed_and_not_read_into_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"kept_facts": root / "kept"}
    first = result(root, **kept)
    monkeypatch.setattr(artifact_facts, "open_content", lambda *_: pytest.fail("a file was read whole"))
    assert result(root, **kept) == first


def test_files_that_are_trusted_are_not_opened_at_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)
    kept = {"kept_facts": root / "kept", "trusts_files": True}
    first = result(root, **kept)
    opened: list[str] = []
    real = os.open

    def counted(path: Any, *arguments: Any, **options: Any) -> int:
        opened.append(str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", counted)
    assert result(root, **kept) == first
    assert [Path(path).name for path in opened if "build" in path] == ["a.txt"]


def test_a_trusted_file_whose_facts_are_gone_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)
    kept = {"kept_facts": root / "kept", "trusts_files": True}
    first = result(root, **kept)
    with closing(sqlite3.connect(root / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("DELETE FROM facts")
    assert result(root, **kept) == first


def test_a_file_that_was_known_by_another_hash_is_read_once_more_and_then_trusted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the extra `fast` comes or goes."""
    old(monkeypatch)
    kept = {"kept_facts": root / "kept"}
    first = result(root, **kept)
    with monkeypatch.context() as other:
        other.setattr("csv_gate.gate.kept.content_hash", lambda: ContentHash("sha3_256", hashlib.sha3_256))
        assert result(root, trusts_files=True, **kept) == first
    assert result(root, trusts_files=True, **kept) == first
    monkeypatch.setattr(artifact_facts, "open_content", lambda *_: pytest.fail("a trusted file was opened"))
    assert result(root, trusts_files=True, **kept) == first


def test_a_file_beside_which_a_signature_lies_is_read_for_it(root: Path) -> None:
    kept = {"kept_facts": root / "kept"}
    result(root, **kept)
    tree(root, {"build/good.dll.p7s": b"no signature"})
    assert result(root, **kept) == result(root)


def test_a_file_that_becomes_a_container_is_opened(root: Path) -> None:
    kept = {"kept_facts": root / "kept"}
    result(root, **kept)
    (root / "build" / "good.dll").write_bytes(zip_of({"evil.dll": BAD}))
    plain = result(root)
    assert "good.dll!/evil.dll" in plain
    assert result(root, **kept) == result(root, **kept) == plain


def test_a_file_that_is_too_large_says_so_in_every_run(root: Path) -> None:
    kept = {"kept_facts": root / "kept", "limits": Limits(max_artifact_bytes=len(GOOD) - 1)}
    first = result(root, **kept)
    assert "max_artifact_bytes" in first
    assert result(root, **kept) == first


def test_asking_for_trusted_files_where_nothing_was_kept_makes_no_store(root: Path) -> None:
    of = plan(root / "build", targets=[], kept_facts=root / "kept", trusts_files=True)
    assert trusted_files(of, walk([root / "build"], limits=Limits()).entries) == {}
    assert not (root / "kept").exists()
