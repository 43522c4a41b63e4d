"""The attribute certificate table of a PE image: a row of WIN_CERTIFICATE structures, each of which may hold one PKCS#7.

Source: "PE Format" (Microsoft Learn), "The Attribute Certificate Table (Image Only)". An entry is {u32 dwLength, u16 wRevision,
u16 wCertificateType, data}; dwLength counts the 8 bytes of its header, and the next entry starts at the next multiple of 8.

Authenticode hashes none of these bytes, so whatever stands in them beside the PKCS#7 is unauthenticated (CVE-2013-3900): the room
behind the DER may hold fewer than 8 bytes, all zero. A table that contradicts itself is read as far as it makes sense and sets
`unclear`: how Windows reads it is not specified.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.formats.pe_layout import PeLayout
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass

REVISION_2_0: Final = 0x0200
TYPE_PKCS_SIGNED_DATA: Final = 0x0002
_LEFT_OVER_WINDOW: Final = 1024 * 1024
"""How far from the end a left-over table is looked for: it is a note only, and real tables have below 100 KB."""
_MAX_LEFT_OVER_MARKS: Final = 4096
"""Places looked at that begin like an entry; a real left-over table begins at the first."""
_HEADER = struct.Struct("<IHH")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One PKCS#7 in the table."""

    index: int
    """Among all entries of the table, from 0."""
    offset: int
    """Of the DER, in the file."""
    der: bytes
    """Without what stands behind it. Attacker-controlled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTable:
    entries: tuple[TableEntry, ...] = ()
    problems: tuple[Problem, ...] = ()
    unclear: str | None = None
    """Why it is not certain that Windows finds exactly these signatures."""


def read_certificate_table(view: memoryview, layout: PeLayout, limits: Limits) -> CertificateTable:
    """Read the table that the directory points to. Never raises on bad input."""
    start, size = layout.table
    if start == 0 and size == 0:
        return _left_over(view, layout)
    if start == 0 or size == 0 or start >= layout.size:
        return CertificateTable()  # The layout has said that the table is missing.
    if size > limits.max_certificate_table_bytes:
        detail = f"the table has {size} bytes, more than max_certificate_table_bytes ({limits.max_certificate_table_bytes})"
        problem = Problem(code=ProblemCode.TABLE_TOO_LARGE, detail=detail, offset=start)
        return CertificateTable(problems=(problem,), unclear=detail)
    end = min(start + size, layout.size)
    reader = _TableReader(bytes(view[start:end]), start, limits)
    reader.read()
    if layout.not_authenticode is not None:
        reader.unclear = reader.unclear or layout.not_authenticode
    elif start % 8:
        reader.unclear = reader.unclear or "the certificate table is not aligned"
    return CertificateTable(entries=tuple(reader.entries), problems=tuple(reader.problems), unclear=reader.unclear)


class _TableReader:
    def __init__(self, table: bytes, base: int, limits: Limits) -> None:
        self.table = table
        self.base = base
        self.limits = limits
        self.entries: list[TableEntry] = []
        self.problems: list[Problem] = []
        self.unclear: str | None = None

    def read(self) -> None:
        at = index = 0
        while at < len(self.table):
            if len(self.table) - at < _HEADER.size or not any(self.table[at:]):
                self._report(
                    ProblemCode.TABLE_SIZE_MISMATCH, f"{len(self.table) - at} bytes behind the last entry belong to none", at
                )
                self.unclear = self.unclear or "the directory's Size is not the sum of the table's entries"
                break
            if index >= self.limits.max_certificate_table_entries:
                limit = f"more than max_certificate_table_entries ({self.limits.max_certificate_table_entries})"
                self._report(ProblemCode.TABLE_TOO_LARGE, limit, at)
                self.unclear = f"the certificate table has {limit}"
                break
            length, revision, kind = _HEADER.unpack_from(self.table, at)
            if length < _HEADER.size or at + length > len(self.table):
                self._report(
                    ProblemCode.ENTRY_LENGTH_INVALID, f"dwLength is {length:#x}, room is {len(self.table) - at:#x}", at
                )
                self.unclear = "an entry of the certificate table has an impossible length"
                break
            self._entry(index, at, length, revision, kind)
            at += length + -length % 8
            index += 1
        if at > len(self.table):
            self._report(
                ProblemCode.TABLE_SIZE_MISMATCH, "the last entry is not rounded up to a multiple of 8", len(self.table)
            )
        if index > 1:
            self._report(ProblemCode.ENTRIES_SEVERAL, f"the table has {index} entries", 0)

    def _entry(self, index: int, at: int, length: int, revision: int, kind: int) -> None:
        if kind != TYPE_PKCS_SIGNED_DATA:
            self._report(ProblemCode.ENTRY_TYPE_UNKNOWN, f"entry {index} has wCertificateType {kind:#06x}, no PKCS#7", at)
            return
        if revision != REVISION_2_0:
            self._report(ProblemCode.ENTRY_REVISION_UNKNOWN, f"entry {index} has wRevision {revision:#06x}", at)
            self.unclear = self.unclear or "an entry of the certificate table has a revision other than 2.0"
            return
        data = self.table[at + _HEADER.size : at + length]
        der_length = der_total_length(data)
        if der_length is not None and der_length < len(data):
            self._trailing(data[der_length:], at + _HEADER.size + der_length)
            data = data[:der_length]
        padding = self.table[at + length : at + length + -length % 8]
        if any(padding):
            self._report(
                ProblemCode.ENTRY_PADDING_NOT_ZERO, f"{len(padding)} bytes between the entries are not zero", at + length
            )
        self.entries.append(TableEntry(index=index, offset=self.base + at + _HEADER.size, der=data))

    def _trailing(self, rest: bytes, at: int) -> None:
        """What Windows' EnableCertPaddingCheck refuses: more than alignment needs, or not zero."""
        if len(rest) >= 8:
            kind = "zero bytes" if not any(rest) else "bytes"
            detail = f"{len(rest)} {kind} stand behind the PKCS#7, and no signature covers them"
            self._report(ProblemCode.ENTRY_TRAILING_DATA, detail, at)
        elif any(rest):
            detail = f"the {len(rest)} bytes behind the PKCS#7 are not zero, and no signature covers them"
            self._report(ProblemCode.ENTRY_PADDING_NOT_ZERO, detail, at)

    def _report(self, code: ProblemCode, detail: str, at: int) -> None:
        self.problems.append(Problem(code=code, detail=detail, offset=self.base + at))


def der_total_length(data: bytes) -> int | None:
    """Length of the DER value that `data` starts with, tag and length included; `None` where there is no definite one within `data`."""
    if len(data) < 2 or data[0] != 0x30:
        return None
    first = data[1]
    if first < 0x80:
        total = 2 + first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4 or len(data) < 2 + count:
            return None
        total = 2 + count + int.from_bytes(data[2 : 2 + count], "big")
    return total if total <= len(data) else None


def _left_over(view: memoryview, layout: PeLayout) -> CertificateTable:
    """A table that no directory points to any more: a WIN_CERTIFICATE in the overlay that fits up to the end of the file."""
    window_start = max(layout.image_end, layout.size - _LEFT_OVER_WINDOW)
    window = bytes(view[window_start:])
    mark = struct.pack("<HH", REVISION_2_0, TYPE_PKCS_SIGNED_DATA) + b"\x30"
    found = 0
    for _ in range(_MAX_LEFT_OVER_MARKS):
        found = window.find(mark, max(4, found + 1))
        if found < 0:
            break
        at = window_start + found - 4
        length = _HEADER.unpack_from(view, at)[0]
        if at % 8 == 0 and _HEADER.size < length <= layout.size - at:
            detail = f"a WIN_CERTIFICATE of {length} bytes stands at {at:#x}, but the directory points to no table"
            return CertificateTable(problems=(Problem(code=ProblemCode.TABLE_LEFT_OVER, detail=detail, offset=at),))
    return CertificateTable()
