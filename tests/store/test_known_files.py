"""A file that was touched is not taken for what it was."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from csv_gate.scan import FileIdentity
from csv_gate.store.database import FILE_NAME, Database
from csv_gate.store.known_files import SETTLED_NS, KnownFiles
from tests.builders.kept import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    one = Database(tmp_path / "kept", clock=clock)
    yield one
    one.close()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def digest_of(known: KnownFiles, path: str, one: FileIdentity) -> bytes | None:
    return known.digests_of([(path, one)]).get(path)


def identity(path: Path) -> FileIdentity:
    return FileIdentity.of(path.lstat())


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Path:
    """A file that was written long before now."""
    path = tmp_path / "app.dll"
    path.write_bytes(b"first content")
    clock.now = identity(path).changed_ns + 2 * SETTLED_NS
    return path


@pytest.fixture
def known(database: Database, file: Path) -> KnownFiles:
    """A store that has seen the file."""
    return looked_at(database, file, identity(file))


def looked_at(database: Database, file: Path, one: FileIdentity) -> KnownFiles:
    known = KnownFiles(database)
    known.keep(str(file), one, sha256(b"first content"), known.now_ns())
    database.flush()
    return known


def test_a_file_that_nobody_touched_is_known(known: KnownFiles, file: Path) -> None:
    assert digest_of(known, str(file), identity(file)) == sha256(b"first content")


def test_an_overwrite_of_the_same_size_with_the_times_set_back_is_seen(known: KnownFiles, file: Path) -> None:
    before = identity(file)
    file.write_bytes(b"other content")
    os.utime(file, ns=(before.modified_ns, before.modified_ns))
    assert identity(file).size == before.size
    assert identity(file).modified_ns == before.modified_ns
    assert digest_of(known, str(file), identity(file)) is None


def test_a_rename_of_another_file_into_the_place_is_seen(known: KnownFiles, file: Path) -> None:
    before = identity(file)
    other = file.with_name("other.dll")
    other.write_bytes(b"other content")
    os.utime(other, ns=(before.modified_ns, before.modified_ns))
    other.rename(file)
    assert digest_of(known, str(file), identity(file)) is None


def test_a_change_through_a_hard_link_is_seen(known: KnownFiles, file: Path) -> None:
    link = file.with_name("link.dll")
    link.hardlink_to(file)
    before = identity(file)
    link.write_bytes(b"other content")
    os.utime(link, ns=(before.modified_ns, before.modified_ns))
    assert digest_of(known, str(file), identity(file)) is None


@pytest.mark.parametrize("field", ["device", "inode", "size", "modified_ns", "changed_ns"])
def test_each_part_of_the_identity_counts(known: KnownFiles, file: Path, field: str) -> None:
    same = identity(file)
    assert digest_of(known, str(file), same._replace(**{field: getattr(same, field) + 1})) is None
    assert digest_of(known, str(file) + "x", same) is None


def test_a_file_that_was_just_written_is_not_remembered(database: Database, file: Path, clock: Clock) -> None:
    clock.now = identity(file).changed_ns + SETTLED_NS - 1
    known = looked_at(database, file, identity(file))
    clock.now += 10 * SETTLED_NS
    assert digest_of(known, str(file), identity(file)) is None


def test_a_file_from_the_future_is_not_remembered(database: Database, file: Path, clock: Clock) -> None:
    later = identity(file)._replace(modified_ns=clock.now + 10**9)
    assert digest_of(looked_at(database, file, later), str(file), later) is None


def test_after_the_clock_was_set_back_nothing_is_believed(known: KnownFiles, file: Path, clock: Clock) -> None:
    clock.now -= 1
    assert digest_of(known, str(file), identity(file)) is None


def test_a_listing_without_inodes_is_never_believed(database: Database, file: Path) -> None:
    bare = identity(file)._replace(inode=0)
    assert digest_of(looked_at(database, file, bare), str(file), bare) is None


def test_a_damaged_identity_is_not_believed(known: KnownFiles, file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE identities SET digest = ?", (sha256(b"other content"),))
    assert digest_of(known, str(file), identity(file)) is None


def test_many_files_are_asked_for_at_once_and_none_is_taken_for_another(
    database: Database, tmp_path: Path, clock: Clock
) -> None:
    files = [tmp_path / f"{number}.dll" for number in range(150)]
    known = KnownFiles(database)
    for file in files:
        file.write_bytes(file.name.encode())
    clock.now = identity(files[-1]).changed_ns + 2 * SETTLED_NS
    for file in files[:140]:
        known.keep(str(file), identity(file), sha256(file.name.encode()), known.now_ns())
    database.flush()
    found = known.digests_of((str(file), identity(file)) for file in files)
    assert found == {str(file): sha256(file.name.encode()) for file in files[:140]}
