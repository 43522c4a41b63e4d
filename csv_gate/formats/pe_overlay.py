"""Bytes of a PE image that the loader does not map: between the last section and the certificate table, and behind it.

The first are covered by Authenticode (self-extracting installers keep their payload there), the second never are in a valid file. A second
format in them makes the file a polyglot: another program may run it as something else. Only places where a reader of
that format would look are searched, so this costs little however large the file is.
"""

from __future__ import annotations

from typing import Final

from csv_gate.formats.pe_layout import PeLayout
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass

_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
_ZIP_TAIL: Final = _ZIP_END_BYTES + 0xFFFF
"""A zip reader looks for the end record this far from the end (APPNOTE 4.3.16: the comment has at most 65535 bytes)."""
_WINDOW: Final = 64 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP: Final = (b"<html", b"<!doctype html", b"<script", b"<hta:application")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    size: int
    """Bytes outside headers, sections, symbol table and certificate table; alignment zeros before the table do not count."""
    problems: tuple[Problem, ...]


def read_overlay(view: memoryview, layout: PeLayout) -> Overlay:
    """Measure the overlay and name the formats that hide in it or in the certificate table. Never raises on bad input."""
    ranges = _ranges(view, layout)
    problems = [
        Problem(code=ProblemCode.PE_OVERLAY, detail=f"{end - start} bytes belong to no section", offset=start)
        for start, end in ranges
    ]
    table_start, table_size = layout.table
    searched = list(ranges)
    if table_start and table_size and table_start < layout.size:
        searched.append((table_start, min(table_start + table_size, layout.size)))
    problems += _polyglots(view, layout, searched)
    return Overlay(size=sum(end - start for start, end in ranges), problems=tuple(problems))


def _ranges(view: memoryview, layout: PeLayout) -> list[tuple[int, int]]:
    start, (table_start, table_size) = layout.image_end, layout.table
    if not table_start or not table_size or not start <= table_start < layout.size:
        ranges = [(start, layout.size)]
    else:
        before = (start, table_start)
        if table_start - start < 8 and not any(view[start:table_start]):
            before = (start, start)
        ranges = [before, (min(table_start + table_size, layout.size), layout.size)]
    return [(first, end) for first, end in ranges if first < end]


def _polyglots(view: memoryview, layout: PeLayout, ranges: list[tuple[int, int]]) -> list[Problem]:
    problems: list[Problem] = []

    def report(what: str, offset: int) -> None:
        problems.append(Problem(code=ProblemCode.PE_OVERLAY_POLYGLOT, detail=f"it can also be read as {what}", offset=offset))

    for start, end in ranges:
        window = bytes(view[start : min(end, start + _WINDOW)])
        if (at := window.find(_OLE)) >= 0:
            report("an OLE compound file (MSI)", start + at)
        if (at := window.find(b"%PDF-")) >= 0:
            report("a PDF document", start + at)
        lowered = window.lower()
        hits = [at for mark in _MARKUP if (at := lowered.find(mark)) >= 0]
        if hits:
            report("HTML", start + min(hits))
    if (found := _zip_end(view, layout, ranges)) is not None:
        end_record, is_jar = found
        report("a Java archive (JAR)" if is_jar else "a zip archive", end_record)
    return problems


def _zip_end(view: memoryview, layout: PeLayout, ranges: list[tuple[int, int]]) -> tuple[int, bool] | None:
    """Offset of a zip end record that a zip reader would find, and whether the directory names a Java manifest."""
    tail_start = max(0, layout.size - _ZIP_TAIL)
    for start, end in ranges:
        start = max(start, tail_start)
        part = bytes(view[start:end]) if start < end else b""
        at = part.rfind(_ZIP_END)
        while at >= 0:
            offset = start + at
            record = bytes(view[offset : offset + _ZIP_END_BYTES])
            comment = int.from_bytes(record[20:22], "little")
            if len(record) == _ZIP_END_BYTES and offset + _ZIP_END_BYTES + comment <= layout.size:
                directory_size = int.from_bytes(record[12:16], "little")
                directory = bytes(view[max(0, offset - min(directory_size, _WINDOW)) : offset])
                return offset, b"META-INF/MANIFEST.MF" in directory
            at = part.rfind(_ZIP_END, 0, at)
    return None
