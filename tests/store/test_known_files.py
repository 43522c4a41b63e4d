"""A file that was touched is not taken for what it was."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from csv_gate.scan import Entry, FileIdentity
from csv_gate.store.database import FILE_NAME, Database, Row
from csv_gate.store.known_files import SETTLED_NS, KnownFiles
from csv_gate.store.upkeep import stats
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


def listed(path: str | Path, one: FileIdentity | None = None) -> Entry:
    return Entry(path=str(path), scope=str(path), location=str(path), identity=one or identity(Path(path)))


def digest_of(known: KnownFiles, path: str | Path, one: FileIdentity | None = None) -> bytes | None:
    return known.digests_of([listed(path, one)]).get(str(path))


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


def test_a_renamed_file_is_unknown_under_its_new_name_and_nothing_is_known_under_the_old(known: KnownFiles, file: Path) -> None:
    before = identity(file)
    moved = file.rename(file.with_name("moved.dll"))
    assert digest_of(known, moved) is None
    assert digest_of(known, moved, before) is None
    file.write_bytes(b"other content")
    assert digest_of(known, file) is None


def test_files_of_a_renamed_folder_are_unknown_until_it_is_named_back(database: Database, file: Path, clock: Clock) -> None:
    folder = file.parent / "bin"
    folder.mkdir()
    inside = file.rename(folder / file.name)
    clock.now = identity(inside).changed_ns + 2 * SETTLED_NS
    known = looked_at(database, inside, identity(inside))
    moved = folder.rename(folder.with_name("lib"))
    assert digest_of(known, moved / file.name) is None
    moved.rename(folder)
    assert digest_of(known, inside) == sha256(b"first content")  # a folder's name is no part of what is in it


def test_each_name_of_one_inode_is_known_by_itself(database: Database, file: Path, clock: Clock) -> None:
    link = file.with_name("link.dll")
    link.hardlink_to(file)
    clock.now = identity(file).changed_ns + 2 * SETTLED_NS
    known = looked_at(database, file, identity(file))
    assert known.digests_of([listed(file), listed(link)]) == {str(file): sha256(b"first content")}
    looked_at(database, link, identity(link))
    assert known.digests_of([listed(file), listed(link)]) == dict.fromkeys([str(file), str(link)], sha256(b"first content"))


def test_files_of_one_name_in_two_folders_are_two(known: KnownFiles, file: Path, clock: Clock) -> None:
    other = file.parent / "other" / file.name
    other.parent.mkdir()
    other.write_bytes(b"other content")
    clock.now = identity(other).changed_ns + 2 * SETTLED_NS
    assert digest_of(known, other) is None
    assert digest_of(known, other, identity(file)) is None
    known.keep(str(other), identity(other), sha256(b"other content"), known.now_ns())
    known._database.flush()
    found = known.digests_of([listed(file), listed(other)])
    assert found == {str(file): sha256(b"first content"), str(other): sha256(b"other content")}


def test_a_relative_path_and_the_absolute_one_are_the_same_file(
    known: KnownFiles, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    for path in (file.name, f".{os.sep}{file.name}", f"..{os.sep}{file.parent.name}{os.sep}{file.name}"):
        assert digest_of(known, path) == sha256(b"first content"), path
    there = file.parent / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    assert digest_of(KnownFiles(known._database), file.name, identity(file)) is None


def test_a_file_in_the_root_is_not_one_in_the_current_folder(
    known: KnownFiles, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert digest_of(known, f"{os.sep}{file.name}", identity(file)) is None


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


def raw(tmp_path: Path) -> closing[sqlite3.Connection]:
    """The store, for whoever can write to it."""
    return closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None))


def test_an_entry_in_which_any_byte_is_damaged_is_not_believed(known: KnownFiles, file: Path, tmp_path: Path) -> None:
    with raw(tmp_path) as store:
        ((whole,),) = store.execute("SELECT entry FROM files").fetchall()
        for at in range(len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 1
            store.execute("UPDATE files SET entry = ?", (bytes(damaged),))
            assert digest_of(known, file) is None, at
        store.execute("UPDATE files SET entry = ?", (whole,))
    assert digest_of(known, file) == sha256(b"first content")


@pytest.mark.parametrize("value", [7, 7.5, "text", "t" * 96, b"", b"short", b"\0" * 96, b"\0" * 97])
def test_an_entry_of_another_shape_is_as_good_as_not_there(
    known: KnownFiles, file: Path, tmp_path: Path, value: object
) -> None:
    with raw(tmp_path) as store:
        store.execute("UPDATE files SET entry = ?", (value,))
    assert digest_of(known, file) is None
    looked_at(known._database, file, identity(file))
    assert digest_of(known, file) == sha256(b"first content")


def test_an_entry_under_the_path_of_another_file_is_not_believed(known: KnownFiles, file: Path, tmp_path: Path) -> None:
    other = file.with_name("other.dll")
    with raw(tmp_path) as store:
        store.execute("INSERT INTO files SELECT ?, entry FROM files", (os.fsencode(other),))
    assert digest_of(known, other, identity(file)) is None
    assert digest_of(known, file) == sha256(b"first content")


@pytest.mark.parametrize("path", [7, None, "/", "\U0010ffff", b"\xff"])
def test_rows_without_a_path_do_no_harm(known: KnownFiles, file: Path, tmp_path: Path, path: object) -> None:
    with raw(tmp_path) as store:
        try:
            store.execute("INSERT INTO files SELECT ?, entry FROM files", (path,))
        except sqlite3.IntegrityError:
            assert path is None
    assert digest_of(known, file) == sha256(b"first content")


@pytest.mark.parametrize("name", [b"caf\xe9.dll", b"\xff\xfe.dll", "gr\u00fc\u00dfe \U0001f600.dll".encode(), b"new\nline.dll"])
def test_any_name_is_known_and_taken_for_no_other(database: Database, tmp_path: Path, clock: Clock, name: bytes) -> None:
    file = tmp_path / os.fsdecode(name)
    try:
        file.write_bytes(b"first content")
    except (OSError, UnicodeError):
        pytest.skip("no name on this file system")
    clock.now = identity(file).changed_ns + 2 * SETTLED_NS
    known = looked_at(database, file, identity(file))
    assert digest_of(known, file) == sha256(b"first content")
    assert digest_of(known, str(file).replace(".dll", "\udcff.dll"), identity(file)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("device", 2**64 - 1), ("inode", 2**64 - 1), ("size", 2**63), ("modified_ns", -(2**63)), ("changed_ns", -1), ("size", 0)],
)
def test_numbers_up_to_64_bits_are_remembered(database: Database, file: Path, field: str, value: int) -> None:
    one = identity(file)._replace(**{field: value})
    assert digest_of(looked_at(database, file, one), file, one) == sha256(b"first content")


@pytest.mark.parametrize(
    ("field", "value"), [("device", 2**64), ("inode", 2**128 - 1), ("modified_ns", -(2**63) - 1), ("size", -1)]
)
def test_numbers_beyond_64_bits_are_not_remembered(database: Database, file: Path, field: str, value: int) -> None:
    one = identity(file)._replace(**{field: value})
    assert digest_of(looked_at(database, file, one), file, one) is None
    assert database.is_usable


def test_a_rewritten_file_takes_the_place_of_what_it_was(known: KnownFiles, file: Path, tmp_path: Path, clock: Clock) -> None:
    file.write_bytes(b"other content")
    clock.now = identity(file).changed_ns + 2 * SETTLED_NS
    known.keep(str(file), identity(file), sha256(b"other content"), known.now_ns())
    known._database.flush()
    assert digest_of(known, file) == sha256(b"other content")
    found = stats(tmp_path / "kept")
    assert found is not None
    assert found.files == 1


def test_a_store_that_an_earlier_version_made_and_uses_serves_both(database: Database, file: Path, tmp_path: Path) -> None:
    before = "CREATE TABLE IF NOT EXISTS identities (key BLOB PRIMARY KEY, looked_ns INTEGER, digest BLOB, sum BLOB)"
    (tmp_path / "kept").mkdir(mode=0o700)
    with raw(tmp_path) as store:
        store.execute("CREATE TABLE facts (key BLOB PRIMARY KEY, day INTEGER NOT NULL, sum BLOB NOT NULL, body TEXT NOT NULL)")
        store.execute(before)
        found = stats(tmp_path / "kept")
        assert found is not None
        assert found.files == 0
        known = looked_at(database, file, identity(file))
        store.execute(before)
        store.execute("INSERT INTO identities VALUES (x'00', 1, x'00', x'00')")
        assert digest_of(known, file) == sha256(b"first content")
        assert store.execute("SELECT count(*) FROM identities").fetchall() == [(1,)]


def test_what_is_trimmed_is_forgotten_with_what_an_earlier_version_left(tmp_path: Path, file: Path, clock: Clock) -> None:
    database = Database(tmp_path / "kept", clock=clock, most_bytes=0)
    with closing(database):
        assert database.is_usable
        with raw(tmp_path) as store:
            store.execute("CREATE TABLE identities (key BLOB PRIMARY KEY)")
        assert digest_of(looked_at(database, file, identity(file)), file) is None
        assert database.is_usable
        with raw(tmp_path) as store:
            tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"facts", "parts", "files"}


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
    found = known.digests_of(listed(file) for file in files)
    assert found == {str(file): sha256(file.name.encode()) for file in files[:140]}


@pytest.mark.parametrize(
    "asked", [[0], [999], [0, 999], [5, 6, 7, 500, 501, 990], range(0, 1000, 2), range(0, 1000, 90), range(1000)]
)
def test_few_files_of_many_are_found_wherever_they_lie(database: Database, file: Path, asked: Iterable[int]) -> None:
    known, one = KnownFiles(database), identity(file)
    paths = [f"{file.parent}/{number % 7}/{number:04}.dll" for number in range(1000)]
    for path in paths:
        known.keep(path, one, sha256(path.encode()), known.now_ns())
    database.flush()
    some = [paths[number] for number in asked]
    unknown = [f"{path}x" for path in some]
    found = known.digests_of(listed(path, one) for path in (*some, *unknown))
    assert found == {path: sha256(path.encode()) for path in some}


def test_few_files_of_many_do_not_cost_what_all_would(database: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, one = KnownFiles(database), identity(file)
    paths = [f"{file.parent}/{number:04}.dll" for number in range(2000)]
    for path in paths:
        known.keep(path, one, sha256(path.encode()), known.now_ns())
    database.flush()
    read = 0
    rows = Database.rows

    def counted(self: Database, statement: str, values: Sequence[object]) -> list[Row]:
        nonlocal read
        found = rows(self, statement, values)
        read += len(found)
        return found

    monkeypatch.setattr(Database, "rows", counted)
    few = paths[::200]
    assert len(known.digests_of(listed(path, one) for path in few)) == len(few)
    assert read <= 4 * len(few)
