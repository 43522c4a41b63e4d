import pytest

from csv_gate.formats.pe_certificates import CertificateTable, der_total_length, read_certificate_table
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.problems import ProblemCode as Code
from tests.builders.pe import certificate, pe

DER = b"\x30\x0e" + b"fourteen bytes"


def _table(data: bytes, limits: Limits = DEFAULT_LIMITS) -> CertificateTable:
    view = memoryview(data)
    layout = read_layout(view, limits)
    assert isinstance(layout, PeLayout)
    return read_certificate_table(view, layout, limits)


def _codes(table: CertificateTable) -> list[Code]:
    return [problem.code for problem in table.problems]


@pytest.mark.parametrize("padding", range(8))
def test_zeros_up_to_alignment_behind_the_pkcs7_are_normal(padding: int) -> None:
    data = pe(table=certificate(DER + bytes(padding)))
    table = _table(data)
    assert table.problems == ()
    assert table.unclear is None
    (entry,) = table.entries
    assert entry.der == DER
    assert data[entry.offset : entry.offset + len(DER)] == DER


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (b"\0\0\0\x01", Code.ENTRY_PADDING_NOT_ZERO),
        (bytes(8), Code.ENTRY_TRAILING_DATA),
        (b"payload" * 100, Code.ENTRY_TRAILING_DATA),
    ],
)
def test_what_hides_behind_the_pkcs7_is_reported_and_does_not_reach_the_signature(rest: bytes, code: Code) -> None:
    table = _table(pe(table=certificate(DER + rest)))
    assert _codes(table) == [code]
    assert [entry.der for entry in table.entries] == [DER]
    assert table.unclear is None


def test_every_entry_of_several_is_given() -> None:
    table = _table(pe(table=certificate(DER) + certificate(DER)))
    assert [entry.index for entry in table.entries] == [0, 1]
    assert _codes(table) == [Code.ENTRIES_SEVERAL]


@pytest.mark.parametrize("kind", [1, 3, 4, 0x0EF1])
def test_another_type_is_no_signature(kind: int) -> None:
    table = _table(pe(table=certificate(DER, kind=kind)))
    assert table.entries == ()
    assert _codes(table) == [Code.ENTRY_TYPE_UNKNOWN]


def test_revision_1_is_no_signature_but_leaves_open_what_windows_reads() -> None:
    table = _table(pe(table=certificate(DER, revision=0x0100)))
    assert table.entries == ()
    assert _codes(table) == [Code.ENTRY_REVISION_UNKNOWN]
    assert table.unclear


@pytest.mark.parametrize("length", [0, 7, 25, 0xFFFFFFF0])
def test_an_impossible_length_ends_the_reading(length: int) -> None:
    table = _table(pe(table=certificate(DER) + certificate(DER, length=length)))
    assert [entry.index for entry in table.entries] == [0]
    assert Code.ENTRY_LENGTH_INVALID in _codes(table)
    assert table.unclear


def test_a_directory_larger_than_its_entries_is_unclear() -> None:
    table = _table(pe(table=certificate(DER) + bytes(64)))
    assert _codes(table) == [Code.TABLE_SIZE_MISMATCH]
    assert len(table.entries) == 1
    assert table.unclear


def test_an_entry_that_is_not_rounded_up_is_reported() -> None:
    table = _table(pe(table=certificate(b"\x30\x0fhello, fifteen!", rounded=False)))
    assert _codes(table) == [Code.TABLE_SIZE_MISMATCH]
    assert table.unclear is None


def test_bytes_between_entries_have_to_be_zero() -> None:
    first = certificate(b"\x30\x0fhello, fifteen!")
    table = _table(pe(table=first[:-1] + b"x" + certificate(DER)))
    assert Code.ENTRY_PADDING_NOT_ZERO in _codes(table)
    assert len(table.entries) == 2


def test_the_table_is_bounded_in_size_and_count() -> None:
    assert _codes(_table(pe(table=certificate(DER)), Limits(max_certificate_table_bytes=16))) == [Code.TABLE_TOO_LARGE]
    many = _table(pe(table=certificate(DER) * 3), Limits(max_certificate_table_entries=2))
    assert Code.TABLE_TOO_LARGE in _codes(many)
    assert len(many.entries) == 2
    assert many.unclear


def test_a_table_without_a_directory_entry_is_found_in_the_overlay() -> None:
    table = _table(pe(table=certificate(DER), table_offset=0, table_size=0))
    assert table.entries == ()
    assert _codes(table) == [Code.TABLE_LEFT_OVER]


def test_a_stripped_table_has_no_entries() -> None:
    assert _table(pe(table_offset=1 << 20, table_size=64)) == CertificateTable()


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (DER + b"x", 16),
        (b"\x30\x81\x01x", 4),
        (b"\x30\x80\0\0", None),
        (b"\x30\x85\0\0\0\0\1x", None),
        (b"\x31\x01x", None),
        (b"\x30", None),
    ],
)
def test_the_length_of_a_der_value_is_told_only_where_it_is_definite(data: bytes, length: int | None) -> None:
    assert der_total_length(data) == length
