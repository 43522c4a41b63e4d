"""Facts come apart into what files have in common and what is a file's own, and together again as they were."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from csv_gate.model.facts import Digests, Facts, SignatureFacts, TimestampFacts, VersionFacts
from csv_gate.model.split_facts import SplitFacts, split
from tests.builders import facts as f
from tests.builders.any_record import any_record

OWN: dict[type[Any], set[str]] = {
    Facts: {"size"},
    Digests: {one.name for one in fields(Digests)},
    VersionFacts: {one.name for one in fields(VersionFacts)},
    SignatureFacts: {"signed_digest"},
    TimestampFacts: {"time"},
}
"""What a file has for itself. All else is of its shape: also a field that is new."""
STAMP = f.timestamp(datetime(2025, 1, 1, 12, 30, 15, 250, tzinfo=UTC))
FILE = f.facts(f.signature(f.certificate("Contoso"), stamp=STAMP, program_name="App"))


@given(any_record(Facts))
def test_facts_come_together_as_they_were(facts: Facts) -> None:
    if facts.digests is not None:
        assert split(facts).whole() == facts
        assert split(facts).version() == facts.version


def another(value: object) -> object:
    match value:
        case int():
            return value + 1
        case str():
            return value + "x"
        case datetime():
            return value.replace(year=2001)
        case tuple():
            return (9, 9, 9, 9)
    raise AssertionError(value)


def with_part(kind: type[Any], change: dict[str, Any]) -> Facts:
    signature, stamp = FILE.signatures[0], FILE.signatures[0].timestamp
    assert FILE.digests
    assert FILE.version
    assert stamp
    match kind.__name__:
        case "Facts":
            return replace(FILE, **change)
        case "Digests":
            return replace(FILE, digests=replace(FILE.digests, **change))
        case "VersionFacts":
            return replace(FILE, version=replace(FILE.version, **change))
        case "SignatureFacts":
            return replace(FILE, signatures=(replace(signature, **change),))
    return replace(FILE, signatures=(replace(signature, timestamp=replace(stamp, **change)),))


def value_of(kind: type[Any], name: str) -> object:
    parts: dict[str, object] = {
        "Facts": FILE,
        "Digests": FILE.digests,
        "VersionFacts": FILE.version,
        "SignatureFacts": FILE.signatures[0],
        "TimestampFacts": FILE.signatures[0].timestamp,
    }
    return getattr(parts[kind.__name__], name)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in OWN.items() for name in sorted(names)])
def test_what_is_a_files_own_is_not_in_its_shape_but_that_it_is_there(kind: type[Any], name: str) -> None:
    value = value_of(kind, name)
    if value is None:
        value = "abc"
    with_it, with_another = with_part(kind, {name: value}), with_part(kind, {name: another(value)})
    assert split(with_it).shape == split(with_another).shape
    assert split(with_another).whole() == with_another != with_it
    if (kind, name) not in {(Facts, "size"), (Digests, "sha256")}:
        assert split(with_part(kind, {name: None})).shape != split(with_it).shape


OTHER: dict[type[Any], Any] = {
    kind: {one.name for one in fields(kind)} - names - {"digests", "version", "signatures", "timestamp"}
    for kind, names in OWN.items()
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in OTHER.items() for name in sorted(names)])
def test_all_else_is_told_apart_by_shapes(kind: type[Any], name: str) -> None:
    changed = with_part(kind, {name: "something else"})
    assert split(changed).shape != split(FILE).shape


def test_no_version_is_another_shape_than_an_empty_one() -> None:
    empty = replace(FILE, version=VersionFacts())
    assert split(empty).shape != split(replace(FILE, version=None)).shape
    assert split(empty).version() == VersionFacts()
    assert split(replace(FILE, version=None)).version() is None


def test_files_with_more_signatures_are_of_another_shape() -> None:
    assert split(replace(FILE, signatures=FILE.signatures * 2)).shape != split(FILE).shape


@pytest.mark.parametrize(
    "own", [(), split(FILE).own[:-1], (*split(FILE).own, "more")], ids=["none", "one too few", "one too many"]
)
def test_a_wrong_number_of_own_values_is_refused(own: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="own values"):
        SplitFacts(split(FILE).shape, 1, own).whole()
