"""Kept facts never turn a changed file, another setting or a damaged store into an old answer."""

from __future__ import annotations

import hashlib
import json
import mmap
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
from csv_gate.signatures import CatalogIndex, read_catalog
from csv_gate.store import facts_cache
from csv_gate.store.content_hash import SHA256, ContentHash, content_hash
from csv_gate.store.database import FILE_NAME, Database
from csv_gate.store.facts_cache import FactsCache, settings_key
from csv_gate.store.facts_text import UNREADABLE, FactsReader, FactsWriter, unwritten
from csv_gate.store.location import cache_folder
from csv_gate.store.upkeep import clean, stats
from tests.builders import ca, cms, pe, signing
from tests.builders import facts as f
from tests.builders.kept import Clock, Kept
from tests.builders.signed_pe import signed_pe

KEY = b"k" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Kept]]:
    """Opens the store; closes all doors at the end."""
    opened: list[Kept] = []

    def open_(key: bytes = KEY, **options: int) -> Kept:
        opened.append(Kept(tmp_path / "kept", key, clock=clock, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def facts_of(data: bytes) -> Facts:
    return extract(data, ExtractionSettings())


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


SIGNED = signed_pe(pe.pe(), signing.publisher(), stamps=[cms.Stamp(signing.time_authority())])


def keep(door: Callable[..., Kept], data: bytes, key: bytes = KEY) -> Facts:
    facts = facts_of(data)
    cache = door(key)
    cache.keep_facts(facts)
    cache.flush()
    return facts


def test_kept_facts_come_back_as_they_were(door: Callable[..., Kept]) -> None:
    for data in (SIGNED, pe.pe(overlay=b"odd"), pe.pe(headers_size=9)):
        facts = keep(door, data)
        assert door().found(sha256(data)) == facts


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
    assert FactsReader(parts.__getitem__).facts(text_of).whole() == facts


def written(facts: Facts) -> tuple[FactsReader, list[object]]:
    parts: dict[str, str] = {}
    row = json.loads(FactsWriter(parts.__setitem__).text(facts))
    return FactsReader(parts.__getitem__), row


STAMPED = f.facts(f.signature(f.certificate("Contoso"), stamp=f.timestamp()))


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row[:-1],
        lambda row: [*row, "more"],
        lambda row: [*row[:2], None, *row[3:]],
        lambda row: [row[0], "12", *row[2:]],
        lambda row: ["0" * 32, *row[1:]],
        lambda row: {"a": 1},
        lambda row: [],
    ],
    ids=["too few values", "too many", "no text", "no size", "no shape", "no row", "nothing"],
)
def test_what_is_no_row_of_facts_raises_what_readers_of_it_expect(damage: Callable[[list[object]], object]) -> None:
    reader, row = written(STAMPED)
    with pytest.raises(UNREADABLE):
        reader.facts(json.dumps(damage(row)))


@pytest.mark.parametrize("place", [-1, 11], ids=["time", "version"])
def test_own_values_that_are_none_are_seen_when_the_facts_come_together(place: int) -> None:
    reader, row = written(STAMPED)
    row[place] = "yesterday"
    with pytest.raises(ValueError, match=r"yesterday|unpack"):
        reader.facts(json.dumps(row)).whole()


def test_files_of_one_shape_get_one_object_for_it_and_one_part() -> None:
    parts: dict[str, str] = {}
    writer, signature = FactsWriter(parts.__setitem__), f.signature(f.certificate("Contoso"))
    texts = [
        writer.text(f.facts(signature, taken=f.digests(sha256=f.hex_digest(name)), resource=f.version(name))) for name in "ab"
    ]
    count = len(parts)
    other = writer.text(f.facts(signature, resource=f.version(None)))
    assert len(parts) == count + 1
    reader = FactsReader(parts.__getitem__)
    first, second, third = (reader.facts(text) for text in (*texts, other))
    assert first.shape is second.shape is not third.shape


def test_what_a_file_is_by_its_name_too_is_not_kept(door: Callable[..., Kept]) -> None:
    for data in (b"MZ", b"#!/bin/sh\n", b"WScript.Echo(1)"):
        keep(door, data)
        assert door().found(sha256(data)) is None


def test_every_fact_there_is_is_kept() -> None:
    assert unwritten() == ()


def test_facts_kept_under_one_hash_are_not_found_under_another(tmp_path: Path) -> None:
    database = Database(tmp_path)
    other = ContentHash("other", SHA256.new)
    facts = facts_of(SIGNED)
    assert FactsCache(database, KEY, SHA256).keep(SHA256.digest(SIGNED), facts)
    database.flush()
    assert FactsCache(database, KEY, other).facts(other.digest(SIGNED)) is None
    kept = FactsCache(database, KEY, SHA256).facts(SHA256.digest(SIGNED))
    assert kept is not None
    assert kept.whole() == facts
    database.close()


def test_a_hash_tells_bytes_apart_and_takes_them_from_memory_and_from_maps(tmp_path: Path) -> None:
    one = content_hash()
    path = tmp_path / "a"
    path.write_bytes(SIGNED)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert one.digest(mapped) == one.digest(SIGNED) != one.digest(SIGNED[:-1])
    assert one.is_sha256 == (one.digest(b"") == sha256(b""))


def test_other_bytes_are_not_known(door: Callable[..., Kept]) -> None:
    keep(door, SIGNED)
    assert door().found(sha256(SIGNED[:-1] + b"x")) is None


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
def test_other_settings_meet_no_old_entry(door: Callable[..., Kept], other: ExtractionSettings) -> None:
    usual = settings_key(ExtractionSettings(), "1.0")
    keep(door, SIGNED, usual)
    assert door(usual).found(sha256(SIGNED)) is not None
    assert door(settings_key(other, "1.0")).found(sha256(SIGNED)) is None


def test_given_roots_another_release_and_another_extractor_meet_no_old_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = settings_key(ExtractionSettings(), "1.0")
    roots = ExtractionSettings().roots.with_given([ca.root().certificate])
    assert settings_key(ExtractionSettings(roots=roots), "1.0") != usual
    assert settings_key(ExtractionSettings(), "1.1") != usual
    monkeypatch.setattr(facts_cache, "FACTS_VERSION", 10**6)
    assert settings_key(ExtractionSettings(), "1.0") != usual


def test_entries_that_were_written_in_another_way_are_not_met(
    door: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(door, SIGNED)
    monkeypatch.setattr(facts_cache, "_TEXT_VERSION", b"1")
    assert door().found(sha256(SIGNED)) is None


def test_a_damaged_entry_is_not_used_and_goes_away(door: Callable[..., Kept], tmp_path: Path) -> None:
    facts = keep(door, SIGNED)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE facts SET body = replace(body, '0', '1')")
    cache = door()
    assert cache.found(sha256(SIGNED)) is None
    cache.keep_facts(facts)
    cache.flush()
    assert door().found(sha256(SIGNED)) == facts


def test_an_entry_put_under_another_key_is_not_used(door: Callable[..., Kept], tmp_path: Path) -> None:
    keep(door, SIGNED)
    other = pe.pe(code=b"evil" * 300)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute("UPDATE facts SET key = ?", (hashlib.sha256(b"2sha256" + KEY + sha256(other)).digest(),))
    assert door().found(sha256(other)) is None


@pytest.mark.parametrize("change", ["DELETE FROM parts", "UPDATE parts SET body = replace(body, 'Test', 'Best')"])
def test_a_missing_or_changed_certificate_makes_its_entries_unknown(
    door: Callable[..., Kept], tmp_path: Path, change: str
) -> None:
    keep(door, SIGNED)
    with closing(sqlite3.connect(tmp_path / "kept" / FILE_NAME, isolation_level=None)) as raw:
        raw.execute(change)
    assert door().found(sha256(SIGNED)) is None


def test_what_is_fetched_ahead_is_what_would_be_found_one_by_one(door: Callable[..., Kept]) -> None:
    files = [pe.pe(code=bytes([number]) * 700) for number in range(3)]
    for data in files:
        keep(door, data)
    cache = door()
    cache.look_ahead([sha256(files[0]), sha256(files[1]), sha256(b"unknown")])
    for data in (files[1], files[0], files[2], files[0]):
        assert cache.found(sha256(data)) == facts_of(data)
    assert cache.found(sha256(b"unknown")) is None


def test_a_store_that_is_no_database_is_taken_away_and_the_next_run_starts_anew(
    door: Callable[..., Kept], tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).write_bytes(b"this is no database, whatever its name says" * 100)
    broken = door()
    broken.keep_facts(facts_of(SIGNED))
    broken.flush()
    assert broken.found(sha256(SIGNED)) is None
    facts = keep(door, SIGNED)
    assert door().found(sha256(SIGNED)) == facts


def test_a_store_cut_short_gives_nothing_and_raises_nothing(door: Callable[..., Kept], tmp_path: Path) -> None:
    cache = door()
    for number in range(40):
        cache.keep_facts(facts_of(pe.pe(code=bytes([number]) * 700)))
    cache.close()
    path = tmp_path / "kept" / FILE_NAME
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = door()
    for number in range(40):
        data = pe.pe(code=bytes([number]) * 700)
        assert again.found(sha256(data)) in (None, facts_of(data))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_folder_that_others_can_write_to_is_not_used(door: Callable[..., Kept], tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(0o777)
    assert not door().is_usable


def test_a_place_that_cannot_be_made_costs_nothing_but_the_speed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Kept(tmp_path / "file" / "kept", KEY)
    cache.keep_facts(facts_of(SIGNED))
    cache.flush()
    assert cache.found(sha256(SIGNED)) is None


def test_the_store_stays_below_its_bound(door: Callable[..., Kept], tmp_path: Path) -> None:
    cache = door(most_bytes=400_000)
    for number in range(600):
        cache.keep_facts(facts_of(pe.pe(code=number.to_bytes(2, "big") * 300, overlay=b"x" * 64)))
    cache.close()
    assert (tmp_path / "kept" / FILE_NAME).stat().st_size <= 450_000
    latest = pe.pe(code=(599).to_bytes(2, "big") * 300, overlay=b"x" * 64)
    assert door().found(sha256(latest)) is not None


def _write_many(folder: Path, first: int) -> None:
    cache = Kept(folder, KEY)
    for number in range(first, first + 60):
        data = signed_pe(pe.pe(code=bytes([number % 256]) * 700), signing.publisher())
        cache.keep_facts(facts_of(data))
        cache.flush()
        found = cache.found(sha256(data))
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


def test_what_is_kept_can_be_counted_and_forgotten(door: Callable[..., Kept], tmp_path: Path) -> None:
    keep(door, SIGNED)
    found = stats(tmp_path / "kept")
    assert found is not None
    assert found.facts == 1
    assert clean(tmp_path / "kept") > 0
    assert clean(tmp_path / "kept") == 0
    empty = stats(tmp_path / "kept")
    assert empty is not None
    assert empty.facts == 0
