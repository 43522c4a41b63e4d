"""The section table of a PE image ("PE Format", Microsoft Learn, "Section Table"): which bytes of the file are mapped where."""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.records.rows import NamedTuple

SECTION_BYTES: Final = 40
_SECTION = struct.Struct("<8sIIII")


class Run(NamedTuple):
    """Bytes that lie together both in memory and in the file."""

    rva: int
    offset: int
    length: int

    def offset_of(self, rva: int, length: int) -> int | None:
        """File offset of `length` bytes at an RVA; `None` where they are not all in this run."""
        within = rva - self.rva
        return self.offset + within if within >= 0 and within + length <= self.length else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section header. Offsets and sizes in bytes."""

    name: bytes
    virtual_size: int
    virtual_address: int
    raw_size: int
    raw_offset: int

    @property
    def raw_end(self) -> int:
        return self.raw_offset + self.raw_size if self.raw_size else 0


def read_sections(view: memoryview, at: int, count: int, limits: Limits) -> tuple[list[Section], list[Problem]]:
    """At most `max_sections` section headers at a file offset, and what is wrong with their number. Never raises on bad input."""
    problems: list[Problem] = []
    if count > limits.max_sections:
        problems.append(
            Problem(
                code=ProblemCode.PE_SECTIONS_TOO_MANY,
                detail=f"{count} sections, more than max_sections ({limits.max_sections})",
                offset=at,
            )
        )
    readable = min(count, limits.max_sections, max(0, len(view) - at) // SECTION_BYTES)
    if readable < min(count, limits.max_sections):
        problems.append(Problem(code=ProblemCode.PE_TRUNCATED, detail="the section table is not complete", offset=at))
    sections = []
    for index in range(readable):
        name, virtual_size, address, raw_size, raw_offset = _SECTION.unpack_from(view, at + index * SECTION_BYTES)
        sections.append(
            Section(name=name, virtual_size=virtual_size, virtual_address=address, raw_size=raw_size, raw_offset=raw_offset)
        )
    return sections, problems
