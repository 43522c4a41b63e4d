"""Compound files and installer packages: the digest, what it does not cover, and files that contradict themselves."""

from __future__ import annotations

import struct

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import Limits
from csv_gate.model.facts import FactName, Facts
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import compound
from tests.builders.signing import codes, publisher

TREE: compound.Tree = {
    "Tables": b"rows " * 40,
    "Files.cab": b"cabinet " * 900,
    "Tab": b"a name that begins another",
    "Empty": b"",
    "Storage": {"Inner": b"i" * 70, "Deep": {"Leaf": b"leaf"}},
}


def read(data: bytes, limits: Limits | None = None) -> Facts:
    return extract(data, ExtractionSettings(limits=limits) if limits else ExtractionSettings())


@pytest.mark.parametrize("with_metadata", [False, True])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_signed_package_holds(with_metadata: bool, digest: str) -> None:
    facts = read(compound.signed(TREE, publisher(), with_metadata=with_metadata, digest=digest))
    assert [one.valid for one in facts.signatures] == [True], facts
    assert facts.format == "msi"
    assert facts.compound is not None
    assert facts.compound.has_metadata_digest is with_metadata
    assert (Code.COMPOUND_METADATA_UNSIGNED in codes(facts.problems)) is not with_metadata


@pytest.mark.parametrize("part", [b"rows rows", b"cabinet cab", b"iiii", b"leaf"])
def test_a_changed_byte_of_any_stream_makes_the_digest_mismatch(part: bytes) -> None:
    data = compound.signed(TREE, publisher())
    facts = read(data.replace(part, b"X" + part[1:], 1))
    assert [(one.valid, one.digest_matches) for one in facts.signatures] == [(False, False)]


def test_a_renamed_stream_is_seen_only_where_names_are_signed() -> None:
    old, new = (name.encode("utf-16-le") for name in ("Tables", "Tablet"))
    plain = read(compound.signed(TREE, publisher()).replace(old, new))
    covered = read(compound.signed(TREE, publisher(), with_metadata=True).replace(old, new))
    assert [one.valid for one in plain.signatures] == [True]
    assert [one.valid for one in covered.signatures] == [False]
    assert Code.COMPOUND_METADATA_WRONG in codes(covered.problems)


def test_a_signature_for_another_file_type_is_none_for_a_package() -> None:
    facts = read(compound.signed(TREE, publisher(), data_type="1.3.6.1.4.1.311.2.1.15", value=None))
    assert not facts.signatures[0].valid
    assert Code.CMS_OTHER_SUBJECT in codes(facts.signatures[0])


def test_appended_data_leaves_the_signature_valid_and_is_told() -> None:
    data = compound.signed(TREE, publisher())
    facts = read(data + b"PK\x03\x04 a java archive")
    assert facts.signatures[0].valid
    assert Code.COMPOUND_APPENDED_DATA in codes(facts.problems)
    assert facts.compound is not None
    assert facts.compound.appended_bytes == 19
    assert Code.COMPOUND_APPENDED_DATA not in codes(read(data).problems)


def test_a_sector_that_belongs_to_nothing_is_told() -> None:
    facts = read(compound.compound(TREE, loose=b"hidden"))
    assert facts.compound is not None
    assert facts.compound.unreachable_sectors == 1
    assert Code.COMPOUND_UNREACHABLE_SECTORS in codes(facts.problems)
    assert read(compound.compound(TREE)).compound.unreachable_sectors == 0  # type: ignore[union-attr]


def test_a_compound_file_of_another_class_is_no_package() -> None:
    facts = read(compound.compound(TREE, class_id=bytes(16)))
    assert (facts.format, facts.signatures) == ("ole", ())
    assert facts.digests is not None
    assert facts.digests.authenticode_sha256 is None


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (24, 0),
        (28, 0xFEFF),
        (30, 0xFFFF),
        (44, 0xFFFFFFFF),
        (48, 0x7FFFFFFF),
        (56, 0),
        (60, 0x7FFFFFFF),
        (68, 0),
        (76, 0x7FFFFFFF),
    ],
)
def test_a_header_that_lies_is_malformed(offset: int, value: int) -> None:
    data = bytearray(compound.compound(TREE))
    struct.pack_into("<I", data, offset, value)
    if offset == 68:
        struct.pack_into("<I", data, 72, 1)
    facts = read(bytes(data))
    assert codes(facts.problems) == {Code.COMPOUND_MALFORMED}
    assert facts.gap(FactName.SIGNATURES)


def test_a_loop_in_the_directory_is_malformed() -> None:
    data = compound.compound({"A": b"x", "B": b"y"})
    at = data.index("A\0\0".encode("utf-16-le"))
    looped = data[: at + 68] + struct.pack("<I", 1) + data[at + 72 :]
    assert codes(read(looped).problems) == {Code.COMPOUND_MALFORMED}


def test_a_loop_in_a_chain_is_malformed() -> None:
    data = bytearray(compound.compound({"A": b"x" * 5000}))
    (first,) = struct.unpack_from("<I", data, 76)
    struct.pack_into("<I", data, (first + 1) * 512 + 4, 0)
    assert codes(read(bytes(data)).problems) == {Code.COMPOUND_MALFORMED}


def test_two_streams_of_one_name_are_malformed() -> None:
    data = compound.compound({"Aa": b"x", "Ab": b"y"})
    assert codes(read(data.replace("Ab".encode("utf-16-le"), "Aa".encode("utf-16-le"))).problems) == {Code.COMPOUND_MALFORMED}


def test_too_many_entries_are_a_limit_that_is_named() -> None:
    tree: compound.Tree = {f"S{number}": b"" for number in range(40)}
    facts = read(compound.compound(tree), Limits(max_compound_entries=8))
    assert facts.gap(FactName.SIGNATURES)


def test_storages_in_storages_are_walked_without_recursion() -> None:
    tree: compound.Tree = {"Leaf": b"x"}
    for _ in range(600):
        tree = {"S": tree}
    facts = read(compound.compound(tree))
    assert facts.compound is not None
    assert facts.compound.streams == 1
