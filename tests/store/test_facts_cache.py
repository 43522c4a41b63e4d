"""Kept facts never turn a changed file, another setting or a damaged store into an old answer."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import Limits
from csv_gate.model.facts import FactName, Facts, Gap
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.scan import FileIdentity
from csv_gate.signatures import CatalogIndex, read_catalog
from csv_gate.store import facts_cache
from csv_gate.store.facts_cache import FILE_NAME, SETTLED_NS, FactsCache, settings_key
from csv_gate.store.facts_text import FactsReader, FactsWriter, unwritten
from csv_gate.store.location import cache_folder
from csv_gate.store.upkeep import clean, stats
from tests.builders import ca, cms, pe, signing
from tests.builders import facts as f
from tests.builders.signed_pe import signed_pe

NOW = 1_800_000_000 * 10**9
KEY = b"k" * 32


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., FactsCache]]:
    """Opens the store; closes all doors at the end."""
    opened: list[FactsCache] = []

    def open_(key: bytes = KEY, **options: int) -> FactsCache:
        opened.append(FactsCache(tmp_path / "kept", key, clock=clock, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def facts_of(data: bytes) -> Facts:
    return extract(data, ExtractionSettings())


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


SIGNED = signed_pe(pe.pe(), signing.publisher(), stamps=[cms.Stamp(signing.time_authority())])


def keep(door: Callable[..., FactsCache], data: bytes, key: bytes = KEY) -> Facts:
    facts = facts_of(data)
    cache = door(key)
    cache.keep(facts)
    cache.flush()
    return facts


def test_kept_facts_come_back_as_they_were(door: Callable[..., FactsCache]) -> None:
    for data in (SIGNED, pe.pe(overlay=b"odd"), pe.pe(headers_size=9)):
        facts = keep(door, data)
        assert door().facts(sha256(data)) == facts


@given(text=st.text(st.characters(codec=None), max_size=20), offset=st.none() | st.integers(0, 2**40))
@settings(max_examples=50)
def test_any_text_survives_writing_and_reading(text: str, offset: int | None) -> None:
    parts: dict[str, str] = {}
    facts = replace(
        f.facts(replace(f.signature(f.certificate("Contoso")), program_name=text)),
        problems=(Problem(code=ProblemCode.PE_OVERLAY, detail=text, offset=offset),),
        gaps=(Gap(what=FactName.PE, why=text),),
    )
    text_of = FactsWriter(parts.__setitem__).text(facts)
    assert text_of.isascii()
    assert FactsReader(parts.__getitem__).facts(text_of) == facts


def test_what_a_file_is_by_its_name_too_is_not_kept(door: Callable[..., FactsCache]) -> None:
    for data in (b"MZ", b"#!/bin/sh\n", b"WScript.Echo(1)"):
        keep(door, data)
        assert door().facts(sha256(data)) is None


def test_every_fact_there_is_is_kept() -> None:
    assert unwritten() == ()


def test_other_bytes_are_not_known(door: Callable[..., FactsCache]) -> None:
    keep(door, SIGNED)
    assert door().facts(sha256(SIGNED[:-1] + b"x")) is None


@pytest.mark.parametrize(
    "other",
    [
        ExtractionSettings(limits=Limits(max_sections=3)),
        ExtractionSettings(verify_all_checksums=True),
        ExtractionSettings(openpgp_keys=(b"any octets",)),
        ExtractionSettings(takes_sha1=False),
        ExtractionSettings(
            catalogs=CatalogIndex([read_catalog(cms.catalog(signing.publisher(), [cms.member(bytes(32))]), path="a.cat")])
        ),
    ],
    ids=["limits", "checksums", "keys", "digests", "catalogs"],
)
def test_other_settings_meet_no_old_entry(door: Callable[..., FactsCache], other: ExtractionSettings) -> None:
    usual = settings_key(ExtractionSettings(), "1.0")
    keep(door, SIGNED, usual)
    assert door(usual).facts(sha256(SIGNED)) is not None
    assert door(settings_key(other, "1.0")).facts(sha256(SIGNED)) is None


def test_given_roots_another_release_and_another_extractor_meet_no_old_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = settings_key(ExtractionSettings(), "1.0")
    roots = ExtractionSettings().roots.with_given([ca.root().certificate])
    assert settings_key(ExtractionSettings(roots=roots), "1.0") != usual
    assert settings_key(ExtractionSettings(), "1.1") != usual
    monkeypatch.setattr(facts_cache, "FACTS_VERSION", 10**6)
    assert settings_key(ExtractionSettings(), "1.0") != usual


def test_a_damaged_entry_is_not_used_and_goes_away(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    facts = keep(door, SIGNED)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE facts SET body = replace(body, 'true', 'false')")
    cache = door()
    assert cache.facts(sha256(SIGNED)) is None
    cache.keep(facts)
    cache.flush()
    assert door().facts(sha256(SIGNED)) == facts


def test_an_entry_put_under_another_key_is_not_used(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    keep(door, SIGNED)
    other = pe.pe(code=b"evil" * 300)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE facts SET key = ?", (hashlib.sha256(KEY + sha256(other)).digest(),))
    assert door().facts(sha256(other)) is None


@pytest.mark.parametrize("change", ["DELETE FROM parts", "UPDATE parts SET body = replace(body, 'Test', 'Best')"])
def test_a_missing_or_changed_certificate_makes_its_entries_unknown(
    door: Callable[..., FactsCache], tmp_path: Path, change: str
) -> None:
    keep(door, SIGNED)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute(change)
    assert door().facts(sha256(SIGNED)) is None


def test_a_store_that_is_no_database_is_taken_away_and_the_next_run_starts_anew(
    door: Callable[..., FactsCache], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).write_bytes(b"this is no database, whatever its name says" * 100)
    broken = door()
    broken.keep(facts_of(SIGNED))
    broken.flush()
    assert broken.facts(sha256(SIGNED)) is None
    facts = keep(door, SIGNED)
    assert door().facts(sha256(SIGNED)) == facts


def test_a_store_cut_short_gives_nothing_and_raises_nothing(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    cache = door()
    for number in range(40):
        cache.keep(facts_of(pe.pe(code=bytes([number]) * 700)))
    cache.close()
    path = tmp_path / "kept" / FILE_NAME
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = door()
    for number in range(40):
        data = pe.pe(code=bytes([number]) * 700)
        assert again.facts(sha256(data)) in (None, facts_of(data))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_folder_that_others_can_write_to_is_not_used(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(0o777)
    assert not door().is_usable


def test_a_place_that_cannot_be_made_costs_nothing_but_the_speed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = FactsCache(tmp_path / "file" / "kept", KEY)
    cache.keep(facts_of(SIGNED))
    cache.flush()
    assert cache.facts(sha256(SIGNED)) is None


def test_the_store_stays_below_its_bound(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    cache = door(most_bytes=400_000)
    for number in range(600):
        cache.keep(facts_of(pe.pe(code=number.to_bytes(2, "big") * 300, overlay=b"x" * 64)))
    cache.close()
    assert (tmp_path / "kept" / FILE_NAME).stat().st_size <= 450_000
    latest = pe.pe(code=(599).to_bytes(2, "big") * 300, overlay=b"x" * 64)
    assert door().facts(sha256(latest)) is not None


def _write_many(folder: Path, first: int) -> None:
    cache = FactsCache(folder, KEY)
    for number in range(first, first + 60):
        data = signed_pe(pe.pe(code=bytes([number % 256]) * 700), signing.publisher())
        cache.keep(facts_of(data))
        cache.flush()
        found = cache.facts(sha256(data))
        assert found is None or found == facts_of(data)
    cache.close()


def test_processes_that_write_at_once_do_each_other_no_harm(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(tmp_path / "kept", first)) for first in (0, 30, 60)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    found = stats(tmp_path / "kept")
    assert found is not None
    assert found.facts > 0


# --- files known by their identity ------------------------------------------------------------------------------------


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
def known(door: Callable[..., FactsCache], file: Path) -> FactsCache:
    """A store that has seen the file."""
    cache = door()
    cache.keep_identity(str(file), identity(file), sha256(b"first content"), cache.now_ns())
    cache.flush()
    return cache


def test_a_file_that_nobody_touched_is_known(known: FactsCache, file: Path) -> None:
    assert known.sha256_of(str(file), identity(file)) == sha256(b"first content")


def test_an_overwrite_of_the_same_size_with_the_times_set_back_is_seen(known: FactsCache, file: Path) -> None:
    before = identity(file)
    file.write_bytes(b"other content")
    os.utime(file, ns=(before.modified_ns, before.modified_ns))
    assert identity(file).size == before.size
    assert identity(file).modified_ns == before.modified_ns
    assert known.sha256_of(str(file), identity(file)) is None


def test_a_rename_of_another_file_into_the_place_is_seen(known: FactsCache, file: Path) -> None:
    before = identity(file)
    other = file.with_name("other.dll")
    other.write_bytes(b"other content")
    os.utime(other, ns=(before.modified_ns, before.modified_ns))
    other.rename(file)
    assert known.sha256_of(str(file), identity(file)) is None


def test_a_change_through_a_hard_link_is_seen(known: FactsCache, file: Path) -> None:
    link = file.with_name("link.dll")
    link.hardlink_to(file)
    before = identity(file)
    link.write_bytes(b"other content")
    os.utime(link, ns=(before.modified_ns, before.modified_ns))
    assert known.sha256_of(str(file), identity(file)) is None


@pytest.mark.parametrize("field", ["device", "inode", "size", "modified_ns", "changed_ns"])
def test_each_part_of_the_identity_counts(known: FactsCache, file: Path, field: str) -> None:
    same = identity(file)
    assert known.sha256_of(str(file), same._replace(**{field: getattr(same, field) + 1})) is None
    assert known.sha256_of(str(file) + "x", same) is None


def test_a_file_that_was_just_written_is_not_remembered(door: Callable[..., FactsCache], file: Path, clock: Clock) -> None:
    cache = door()
    clock.now = identity(file).changed_ns + SETTLED_NS - 1
    cache.keep_identity(str(file), identity(file), sha256(b"first content"), cache.now_ns())
    clock.now += 10 * SETTLED_NS
    assert cache.sha256_of(str(file), identity(file)) is None


def test_a_file_from_the_future_is_not_remembered(door: Callable[..., FactsCache], file: Path, clock: Clock) -> None:
    cache = door()
    later = identity(file)._replace(modified_ns=clock.now + 10**9)
    cache.keep_identity(str(file), later, sha256(b"first content"), cache.now_ns())
    cache.flush()
    assert cache.sha256_of(str(file), later) is None


def test_after_the_clock_was_set_back_nothing_is_believed(known: FactsCache, file: Path, clock: Clock) -> None:
    clock.now -= 1
    assert known.sha256_of(str(file), identity(file)) is None


def test_a_listing_without_inodes_is_never_believed(door: Callable[..., FactsCache], file: Path) -> None:
    cache = door()
    bare = identity(file)._replace(inode=0)
    cache.keep_identity(str(file), bare, sha256(b"first content"), cache.now_ns())
    cache.flush()
    assert cache.sha256_of(str(file), bare) is None


def test_a_damaged_identity_is_not_believed(known: FactsCache, file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE files SET sha256 = ?", (sha256(b"other content"),))
    assert known.sha256_of(str(file), identity(file)) is None


# --- where and how much -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/csv-gate"),
        ("linux", {"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/csv-gate"),
        ("linux", {"HOME": "/h"}, "/h/.cache/csv-gate"),
        ("linux", {}, None),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches/csv-gate"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/csv-gate/Cache"),
        ("linux", {"CSV_GATE_CACHE_DIR": "/own", "HOME": "/h"}, "/own"),
    ],
)
def test_the_folder_follows_the_platform(platform: str, environment: dict[str, str], expected: str | None) -> None:
    found = cache_folder(environment, platform)
    assert (None if found is None else found.as_posix()) == expected


def test_what_is_kept_can_be_counted_and_forgotten(door: Callable[..., FactsCache], tmp_path: Path) -> None:
    keep(door, SIGNED)
    found = stats(tmp_path / "kept")
    assert found is not None
    assert found.facts == 1
    assert clean(tmp_path / "kept") > 0
    assert clean(tmp_path / "kept") == 0
    empty = stats(tmp_path / "kept")
    assert empty is not None
    assert empty.facts == 0
