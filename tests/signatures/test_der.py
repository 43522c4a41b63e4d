from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.signatures.der import Element, Source, dotted, read_time
from tests.builders import der


def root(data: bytes, *, max_nodes: int = 1000) -> Element:
    return Source(data, max_nodes=max_nodes).root()


def test_an_element_keeps_its_octets_as_they_were_written() -> None:
    inner = der.octets(b"abc")
    element = root(der.seq(inner, der.null()) + b"behind")
    assert element.raw == der.seq(inner, der.null())
    assert element.children()[0].raw == inner
    assert element.children()[0].octets() == b"abc"
    assert not element.source.not_der


def test_lengths_longer_than_needed_and_indefinite_lengths_are_read_and_noted() -> None:
    for data in (b"\x30\x81\x02\x05\x00", b"\x30\x80\x05\x00\x00\x00", b"\x30\x82\x00\x02\x05\x00"):
        element = root(data)
        assert element.contents == b"\x05\x00"
        assert element.stop == len(data)
        assert element.source.not_der


def test_indefinite_lengths_nest() -> None:
    element = root(b"\x30\x80\x30\x80\x05\x00\x00\x00\x00\x00")
    assert [child.contents for child in element.children()] == [b"\x05\x00"]


def test_an_octet_string_in_parts_is_joined() -> None:
    assert root(b"\x24\x80\x04\x01a\x04\x01b\x00\x00").octets() == b"ab"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x05\x04\x01a",
        b"\x04\x80a\x00\x00",
        b"\x30\x85\x01\x00\x00\x00\x00",
        b"\x30\x80\x05\x00",
        b"\x1f\xff",
    ],
)
def test_what_does_not_add_up_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        root(data)


def test_a_child_does_not_reach_past_its_parent() -> None:
    with pytest.raises(FormatError):
        root(b"\x30\x03\x04\x02a" + b"behind").children()


def test_depth_and_number_are_bounded() -> None:
    with pytest.raises(LimitError):
        root(b"\x30\x80" * 5000 + b"\0\0" * 5000)
    with pytest.raises(LimitError):
        root(der.seq(*[der.null()] * 100), max_nodes=50).children()
    with pytest.raises(LimitError):
        root(der.seq(der.null(), der.null())).children(most=1)


@pytest.mark.parametrize(
    "oid", ["1.2.840.113549.1.7.2", "2.5.4.3", "2.999.1", "0.9.2342.19200300.100.1.25", "1.3.6.1.4.1.311.2.1.4"]
)
def test_object_identifiers_read_back(oid: str) -> None:
    first, second = map(int, oid.split(".")[:2])
    encoded = der.oid(oid) if first < 2 or second < 40 else b"\x06\x03\x88\x37\x01"
    assert root(encoded).oid() == oid


@pytest.mark.parametrize("contents", [b"", b"\x80\x01", b"\x2a\x80\x01", b"\x2a\x86", b"\x01" * 200])
def test_malformed_object_identifiers_are_refused(contents: bytes) -> None:
    with pytest.raises(FormatError):
        dotted(contents)


@pytest.mark.parametrize(
    ("text", "generalized", "expected"),
    [
        (b"491231235959Z", False, datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"500101000000Z", False, datetime(1950, 1, 1, tzinfo=UTC)),
        (b"9901010000Z", False, datetime(1999, 1, 1, tzinfo=UTC)),
        (b"990101000000+0100", False, datetime(1998, 12, 31, 23, tzinfo=UTC)),
        (b"20240601120000Z", True, datetime(2024, 6, 1, 12, tzinfo=UTC)),
        (b"20240601120000.5Z", True, datetime(2024, 6, 1, 12, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_utc(text: bytes, generalized: bool, expected: datetime) -> None:
    assert read_time(text, generalized=generalized) == expected


@pytest.mark.parametrize(
    "text", [b"", b"991301000000Z", b"990101000000", b"99010100000aZ", b"990101000000+9999x", b"\xb2" * 13]
)
def test_malformed_times_are_refused(text: bytes) -> None:
    for generalized in (False, True):
        with pytest.raises(FormatError):
            read_time(text, generalized=generalized)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    try:
        element = root(data)
        assert element.stop <= len(data)
        assert element.start <= element.body <= element.end <= element.stop
        for child in element.children():
            assert element.body <= child.start < child.stop <= element.end
    except ArtifactError:
        pass
