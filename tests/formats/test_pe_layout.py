import pytest

from csv_gate.formats.pe_layout import BrokenHeader, PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import certificate, pe


def _layout(data: bytes) -> PeLayout:
    layout = read_layout(memoryview(data), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    return layout


def _codes(data: bytes) -> set[ProblemCode]:
    return {problem.code for problem in _layout(data).problems}


@pytest.mark.parametrize("plus", [True, False])
@pytest.mark.parametrize("table", [b"", certificate(b"0\x03\x02\x01\x01")])
def test_an_ordinary_image_has_no_problems(plus: bool, table: bytes) -> None:
    layout = _layout(pe(plus=plus, table=table))
    assert layout.problems == ()
    assert layout.not_authenticode is None
    assert layout.is_plus is plus


@pytest.mark.parametrize("length", [2, 63, 130, 151, 160, 300])
def test_a_header_that_ends_too_early_is_broken(length: int) -> None:
    layout = read_layout(memoryview(pe()[:length]), DEFAULT_LIMITS)
    assert isinstance(layout, BrokenHeader)
    assert layout.problem.code is ProblemCode.PE_TRUNCATED


def test_an_unknown_optional_header_is_broken() -> None:
    layout = read_layout(memoryview(pe(magic=0x107)), DEFAULT_LIMITS)
    assert isinstance(layout, BrokenHeader)
    assert layout.problem.code is ProblemCode.PE_HEADER_INVALID


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pe(directory_count=4), ProblemCode.PE_DIRECTORY_COUNT_LOW),
        (pe(directory_count=16, optional_size=112), ProblemCode.PE_DIRECTORY_COUNT_LOW),
        (pe(headers_size=8), ProblemCode.PE_HEADERS_SIZE_WRONG),
        (pe(headers_size=1 << 30), ProblemCode.PE_HEADERS_SIZE_WRONG),
        (pe(section_count=97), ProblemCode.PE_SECTIONS_TOO_MANY),
        (pe(pe_offset=124)[:900], ProblemCode.PE_TRUNCATED),
        (pe(table=certificate(b"0\0"), table_offset=0x40), ProblemCode.TABLE_IN_HEADERS),
        (pe(table=certificate(b"0\0"), table_offset=0x208), ProblemCode.TABLE_IN_SECTIONS),
        (pe(table=certificate(b"0\0"), table_size=4096), ProblemCode.TABLE_PAST_END),
        (pe(table_offset=1 << 20, table_size=64), ProblemCode.TABLE_MISSING),
        (pe(table_offset=0, table_size=64), ProblemCode.TABLE_MISSING),
    ],
)
def test_a_layout_that_authenticode_cannot_follow_says_why(data: bytes, code: ProblemCode) -> None:
    assert {code, ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT} <= _codes(data)
    assert _layout(data).not_authenticode


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pe(headers_size=1024), ProblemCode.PE_SECTIONS_OVERLAP_HEADERS),
        (pe(pe_offset=16), ProblemCode.PE_DOS_HEADER_OVERLAP),
        (pe(sections=[b"x" * 512], first_raw_offset=1024), ProblemCode.PE_SECTIONS_OVERLAP),
        (pe(table=certificate(b"0\0"), after_table=b"tail"), ProblemCode.TABLE_NOT_LAST),
        (pe(overlay=b"x" * 4, table=certificate(b"0\0"), table_offset=1540, table_size=16), ProblemCode.TABLE_NOT_ALIGNED),
    ],
)
def test_an_unusual_layout_is_reported_and_still_hashed(data: bytes, code: ProblemCode) -> None:
    assert code in _codes(data)
    assert _layout(data).not_authenticode is None


def test_an_rva_maps_to_the_bytes_of_its_section_only() -> None:
    layout = _layout(pe(code=b"c" * 512, sections=[b"d" * 100]))
    second = layout.sections[1]
    assert layout.offset_of(0, 64) == 0
    assert layout.offset_of(second.virtual_address + 10, 90) == second.raw_offset + 10
    assert layout.offset_of(second.virtual_address, 513) is None
    assert layout.offset_of(0x7FFF_0000, 1) is None


def test_an_image_with_sections_closer_than_a_page_is_mapped_as_it_lies_in_the_file() -> None:
    layout = _layout(pe(section_alignment=32))
    assert layout.offset_of(600, 100) == 600
    assert layout.offset_of(layout.size - 10, 11) is None


def test_the_loader_maps_whole_sectors() -> None:
    """The low bits of PointerToRawData do not count, as the Windows loader has it."""
    layout = _layout(pe(first_raw_offset=512 + 100, code=b"c" * 512, sections=[b"d" * 512]))
    assert layout.offset_of(layout.sections[0].virtual_address, 16) == 512
