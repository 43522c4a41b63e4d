"""PE headers as raw ranges: where the parts of an image lie in the file, and what is wrong with that.

Source: "PE Format" (Microsoft Learn, windows/win32/debug/pe-format). Only fixed-size header structures are read, each behind a bounds
check; nothing is searched and nothing is mapped. An anomaly becomes a `Problem`, a header that cannot be read becomes a `BrokenHeader`.
All numbers are attacker-controlled.

Authenticode can lay out an image ("Windows Authenticode Portable Executable Signature Format", March 2008) when CheckSum and the
certificate-table entry exist and the table lies behind the headers and all section data and within the file. Where it cannot,
`not_authenticode` says why.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.formats.pe_sections import SECTION_BYTES, Run, Section, read_sections
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass

SECURITY_DIRECTORY: Final = 4
"""Its "RVA" is a file offset."""
_DIRECTORY_COUNT: Final = 16
_SYMBOL_BYTES: Final = 18
_SECTOR: Final = 512
_LOADER_PAGE: Final = 4096

_COFF = struct.Struct("<HHIIIHH")
_PAIR = struct.Struct("<II")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeLayout:
    """Where everything lies. Offsets count from the start of the file."""

    size: int
    """Of the file."""
    machine: int
    characteristics: int
    optional_offset: int
    is_plus: bool
    """PE32+ rather than PE32."""
    section_alignment: int
    headers_size: int
    """SizeOfHeaders as the file says."""
    checksum: int
    subsystem: int
    dll_characteristics: int
    directories: tuple[tuple[int, int], ...]
    """(RVA, size), as many as the header really holds, at most 16."""
    security_entry_offset: int | None
    """Of the certificate table's directory entry; `None`: the header has no such entry."""
    sections: tuple[Section, ...]
    symbols_end: int
    """End of the COFF symbol and string tables, 0 where there are none."""
    problems: tuple[Problem, ...]
    not_authenticode: str | None
    """Why Authenticode cannot lay this file out, for people."""

    @property
    def checksum_offset(self) -> int:
        return self.optional_offset + 64

    @property
    def table(self) -> tuple[int, int]:
        """(file offset, size) of the certificate table as the directory says; (0, 0): no table."""
        return self.directory(SECURITY_DIRECTORY)

    @property
    def image_end(self) -> int:
        """First byte behind headers, section data and symbol table; not more than the file's size."""
        ends = [self.headers_size, self.symbols_end, *(section.raw_end for section in self.sections)]
        return min(max(ends), self.size)

    @property
    def page_size(self) -> int:
        """Of a page-hash table: by architecture, whatever SectionAlignment says (8 KiB on IA-64, 4 KiB everywhere else)."""
        return 8192 if self.machine == 0x200 else 4096

    def directory(self, index: int) -> tuple[int, int]:
        return self.directories[index] if index < len(self.directories) else (0, 0)

    def run_at(self, rva: int) -> Run | None:
        """The run of the file's own bytes that is mapped around an RVA; `None`: none is."""
        if self.section_alignment < _LOADER_PAGE:
            # Sections closer than a page (old drivers): the whole file is mapped as it lies.
            return Run(0, 0, self.size) if rva < self.size else None
        if rva < self.headers_size:
            return Run(0, 0, min(self.headers_size, self.size))
        for section in self.sections:
            if section.virtual_address <= rva < section.virtual_address + section.raw_size:
                # The loader maps whole sectors: the low bits of PointerToRawData do not count.
                offset = section.raw_offset - section.raw_offset % _SECTOR
                return Run(section.virtual_address, offset, min(section.raw_size, max(0, self.size - offset)))
        return None

    def offset_of(self, rva: int, length: int) -> int | None:
        """File offset of `length` bytes at an RVA, `None` where they are not all in the file's own bytes."""
        run = self.run_at(rva)
        return None if run is None else run.offset_of(rva, length)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenHeader:
    """The headers cannot be read as those of a PE image."""

    problem: Problem


def read_layout(view: memoryview, limits: Limits) -> PeLayout | BrokenHeader:
    """Read the headers of a file that starts with `MZ`. Never raises on bad input."""
    size = len(view)
    if size < 64:
        return _broken(ProblemCode.PE_TRUNCATED, "the DOS header is not complete", 0)
    pe_offset = _PAIR.unpack_from(view, 0x38)[1]
    if pe_offset + 24 > size:
        return _broken(ProblemCode.PE_TRUNCATED, f"the PE header would lie at {pe_offset:#x}, past the end of the file", 0x3C)
    if bytes(view[pe_offset : pe_offset + 4]) != b"PE\0\0":
        return _broken(ProblemCode.PE_HEADER_INVALID, "there is no PE signature", pe_offset)
    machine, section_count, _, symbols_at, symbol_count, optional_size, characteristics = _COFF.unpack_from(view, pe_offset + 4)
    optional = pe_offset + 24
    if optional + optional_size > size:
        return _broken(ProblemCode.PE_TRUNCATED, "the optional header is not complete", optional)
    magic = int.from_bytes(view[optional : optional + 2], "little") if optional_size >= 2 else 0
    if magic not in (0x10B, 0x20B):
        return _broken(ProblemCode.PE_HEADER_INVALID, f"optional header magic {magic:#06x} is neither PE32 nor PE32+", optional)
    fixed_size = 96 if magic == 0x10B else 112
    if optional_size < fixed_size:
        return _broken(ProblemCode.PE_HEADER_INVALID, f"the optional header has only {optional_size} bytes", optional)
    fields = _OptionalFields(view, optional, optional_size, fixed_size)
    sections, problems = read_sections(view, optional + optional_size, section_count, limits)
    if pe_offset < 64:
        problems.append(
            Problem(code=ProblemCode.PE_DOS_HEADER_OVERLAP, detail="the PE header lies inside the DOS header", offset=pe_offset)
        )
    header_end = optional + optional_size + section_count * SECTION_BYTES
    fault = _check_ranges(fields, sections, size, header_end, problems)
    if fault is not None:
        problems.append(Problem(code=ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT, detail=fault, offset=optional))
    return PeLayout(
        size=size,
        machine=machine,
        characteristics=characteristics,
        optional_offset=optional,
        is_plus=magic == 0x20B,
        section_alignment=fields.section_alignment,
        headers_size=fields.headers_size,
        checksum=fields.checksum,
        subsystem=fields.subsystem,
        dll_characteristics=fields.dll_characteristics,
        directories=fields.directories,
        security_entry_offset=fields.security_entry_offset,
        sections=tuple(sections),
        symbols_end=_symbols_end(view, symbols_at, symbol_count),
        problems=tuple(problems),
        not_authenticode=fault,
    )


class _OptionalFields:
    """The fields of the optional header that matter here; PE32 and PE32+ differ only in where the directories start."""

    def __init__(self, view: memoryview, at: int, size: int, fixed_size: int) -> None:
        self.section_alignment, self.file_alignment = _PAIR.unpack_from(view, at + 32)
        self.headers_size, self.checksum = _PAIR.unpack_from(view, at + 60)
        self.subsystem, self.dll_characteristics = struct.unpack_from("<HH", view, at + 68)
        self.declared_count = int.from_bytes(view[at + fixed_size - 4 : at + fixed_size], "little")
        held = min(self.declared_count, (size - fixed_size) // 8, _DIRECTORY_COUNT)
        first = at + fixed_size
        self.directories = tuple(_PAIR.unpack_from(view, first + 8 * index) for index in range(held))
        self.security_entry_offset = first + 8 * SECURITY_DIRECTORY if held > SECURITY_DIRECTORY else None
        self.offset = at


def _broken(code: ProblemCode, detail: str, offset: int) -> BrokenHeader:
    return BrokenHeader(problem=Problem(code=code, detail=detail, offset=offset))


def _symbols_end(view: memoryview, at: int, count: int) -> int:
    """COFF symbols and the string table behind them (MinGW leaves them in images). Lies about them are ignored."""
    strings = at + count * _SYMBOL_BYTES
    if at == 0 or count == 0 or strings + 4 > len(view):
        return 0
    end = strings + max(4, int.from_bytes(view[strings : strings + 4], "little"))
    return end if end <= len(view) else strings


def _check_ranges(
    fields: _OptionalFields, sections: list[Section], size: int, header_end: int, problems: list[Problem]
) -> str | None:
    """Report what contradicts itself; return why Authenticode cannot lay the file out, if it cannot."""
    faults: list[str] = []
    if fields.security_entry_offset is None:
        detail = f"NumberOfRvaAndSizes is {fields.declared_count}: there is no certificate-table entry"
        problems.append(Problem(code=ProblemCode.PE_DIRECTORY_COUNT_LOW, detail=detail, offset=fields.offset))
        faults.append(detail)
    faults += [p.detail for p in problems if p.code in (ProblemCode.PE_TRUNCATED, ProblemCode.PE_SECTIONS_TOO_MANY)]
    if not header_end <= fields.headers_size <= size:
        detail = f"SizeOfHeaders is {fields.headers_size:#x}; the headers end at {header_end:#x}, the file at {size:#x}"
        problems.append(Problem(code=ProblemCode.PE_HEADERS_SIZE_WRONG, detail=detail, offset=fields.offset + 60))
        faults.append(detail)
    faults += _check_sections(fields.headers_size, sections, size, problems)
    if len(fields.directories) > SECURITY_DIRECTORY:
        faults += _check_table(fields, sections, size, header_end, problems)
    return faults[0] if faults else None


def _check_sections(headers_size: int, sections: list[Section], size: int, problems: list[Problem]) -> list[str]:
    faults: list[str] = []
    with_data = sorted((s for s in sections if s.raw_size), key=lambda s: (s.raw_offset, s.raw_size))
    if any(section.raw_end > size for section in with_data):
        detail = "section data would reach past the end of the file"
        problems.append(Problem(code=ProblemCode.PE_TRUNCATED, detail=detail, offset=size))
        faults.append(detail)
    if with_data and with_data[0].raw_offset < headers_size:
        problems.append(
            Problem(
                code=ProblemCode.PE_SECTIONS_OVERLAP_HEADERS,
                detail=f"section data starts at {with_data[0].raw_offset:#x}, inside SizeOfHeaders ({headers_size:#x})",
                offset=with_data[0].raw_offset,
            )
        )
    end = 0
    for section in with_data:
        if section.raw_offset < end:
            problems.append(
                Problem(
                    code=ProblemCode.PE_SECTIONS_OVERLAP,
                    detail=f"section data at {section.raw_offset:#x} overlaps that of another section",
                    offset=section.raw_offset,
                )
            )
            break
        end = section.raw_end
    return faults


def _check_table(
    fields: _OptionalFields, sections: list[Section], size: int, header_end: int, problems: list[Problem]
) -> list[str]:
    """Where the certificate table lies. Its contents are read elsewhere."""
    offset, length = fields.directories[SECURITY_DIRECTORY]
    if offset == 0 and length == 0:
        return []
    at = fields.security_entry_offset
    if offset == 0 or length == 0:
        detail = f"the directory gives offset {offset:#x} and size {length:#x} for the certificate table"
        problems.append(Problem(code=ProblemCode.TABLE_MISSING, detail=detail, offset=at))
        return [detail]
    if offset >= size:
        detail = f"the directory points to a certificate table at {offset:#x}, but the file ends at {size:#x}"
        problems.append(Problem(code=ProblemCode.TABLE_MISSING, detail=detail, offset=at))
        return [detail]
    faults: list[str] = []
    if offset + length > size:
        detail = f"the certificate table ends at {offset + length:#x}, past the end of the file ({size:#x})"
        problems.append(Problem(code=ProblemCode.TABLE_PAST_END, detail=detail, offset=at))
        faults.append(detail)
    if offset < max(header_end, fields.headers_size):
        detail = f"the certificate table lies inside the headers, at {offset:#x}"
        problems.append(Problem(code=ProblemCode.TABLE_IN_HEADERS, detail=detail, offset=at))
        faults.append(detail)
    if any(s.raw_size and s.raw_offset < offset + length and offset < s.raw_end for s in sections):
        detail = "the certificate table overlaps section data"
        problems.append(Problem(code=ProblemCode.TABLE_IN_SECTIONS, detail=detail, offset=at))
        faults.append(detail)
    if offset % 8:
        problems.append(Problem(code=ProblemCode.TABLE_NOT_ALIGNED, detail="it starts at no multiple of 8", offset=offset))
    if offset + length < size:
        detail = f"{size - offset - length} bytes stand behind the certificate table"
        problems.append(Problem(code=ProblemCode.TABLE_NOT_LAST, detail=detail, offset=offset + length))
    return faults
