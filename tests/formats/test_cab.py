"""Cabinets: the reserved area, the signature behind, and what it does not cover."""

from __future__ import annotations

import struct

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import FactName, Facts
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import cabinets
from tests.builders.signing import codes, publisher


def read(data: bytes) -> Facts:
    return extract(data, ExtractionSettings())


def test_a_signed_cabinet_holds() -> None:
    facts = read(cabinets.signed(publisher()))
    assert [one.valid for one in facts.signatures] == [True], facts
    assert facts.cabinet is not None
    assert (facts.cabinet.files, facts.cabinet.folders, facts.cabinet.reserve_bytes) == (2, 1, 20)
    assert facts.problems == ()


@pytest.mark.parametrize("offset", [9, 28, 58, 80])
def test_a_changed_byte_breaks_it(offset: int) -> None:
    data = bytearray(cabinets.signed(publisher()))
    data[offset] ^= 1
    assert not any(one.valid for one in read(bytes(data)).signatures)


@pytest.mark.parametrize("offset", [4, 34])
def test_the_number_in_the_set_and_the_first_reserved_field_are_not_covered(offset: int) -> None:
    data = bytearray(cabinets.signed(publisher()))
    if offset == 4:  # it is part of what a cabinet is recognised by
        assert extract(bytes(data), ExtractionSettings()).format == "cab"
        return
    data[offset] ^= 1
    assert read(bytes(data)).signatures[0].valid


def test_bytes_behind_the_signature_spoil_it() -> None:
    facts = read(cabinets.signed(publisher(), behind=b"more"))
    assert not facts.signatures[0].valid
    assert Code.CABINET_TRAILING_DATA in codes(facts.problems)


def test_bytes_behind_an_unsigned_cabinet_are_told() -> None:
    assert Code.CABINET_TRAILING_DATA in codes(read(cabinets.cabinet() + b"more").problems)


def test_an_empty_reserve_of_any_size_is_unsigned_and_nothing_to_tell() -> None:
    facts = read(cabinets.cabinet(reserve=bytes(6144)))
    assert (facts.signatures, facts.problems, facts.gaps) == ((), (), ())
    assert facts.cabinet is not None
    assert facts.cabinet.reserve_bytes == 6144


def test_a_filled_reserve_without_a_signature_is_told() -> None:
    assert codes(read(cabinets.cabinet(reserve=b"x" * 30)).problems) == {Code.CABINET_RESERVE}


def test_a_signature_in_a_larger_reserve_is_not_known_to_hold() -> None:
    plain = cabinets.cabinet(reserve=bytes(64))
    data = plain[:40] + struct.pack("<III", 0x100000, len(plain), 4) + plain[52:] + b"0\x82\0\0"
    facts = read(data)
    assert not facts.signatures[0].valid
    assert facts.gap(FactName.SIGNATURES)


def test_a_volume_of_several_is_told() -> None:
    facts = read(cabinets.cabinet(flags=1))
    assert facts.cabinet is not None
    assert facts.cabinet.is_part
    assert codes(facts.problems) == {Code.CABINET_PART}


@pytest.mark.parametrize(
    "data", [cabinets.cabinet()[:30], cabinets.cabinet(length=9999), cabinets.cabinet(reserve=bytes(20))[:50]]
)
def test_a_cut_cabinet_is_malformed(data: bytes) -> None:
    facts = read(data)
    assert codes(facts.problems) == {Code.CABINET_MALFORMED}
    assert facts.gap(FactName.SIGNATURES)


def test_a_signature_outside_of_the_file_is_malformed() -> None:
    data = bytearray(cabinets.signed(publisher()))
    struct.pack_into("<I", data, 48, 0xFFFFFFFF)
    assert Code.CABINET_MALFORMED in codes(read(bytes(data)).problems)


def test_a_signature_for_another_file_type_is_none_for_a_cabinet() -> None:
    facts = read(cabinets.signed(publisher(), data_type="1.3.6.1.4.1.311.2.1.15", value=None))
    assert not facts.signatures[0].valid
    assert Code.CMS_OTHER_SUBJECT in codes(facts.signatures[0])
