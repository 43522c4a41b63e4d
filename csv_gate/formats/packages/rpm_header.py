"""The parts of an RPM package: lead, signature header, main header, payload ("RPM V4 Package format", rpm.org documentation).

A header is an index of entries and a store of their values. Everything is attacker-controlled; offsets and counts are checked where a
value is read. What rpm refuses of a header's layout is refused here, or two readers would see two headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.records import dataclass

LEAD_BYTES: Final = 96
_LEAD_MAGIC: Final = b"\xed\xab\xee\xdb"
_HEADER_MAGIC: Final = b"\x8e\xad\xe8\x01\0\0\0\0"
_PREAMBLE_BYTES: Final = 16
_ENTRY_BYTES: Final = 16
SIGNATURE_REGION: Final = 62
MAIN_REGION: Final = 63
_MAX_STRING_BYTES: Final = 65_536
"""Of the single strings that are read here: names, versions, digests."""

INT32: Final = 4
INT64: Final = 5
STRING: Final = 6
BIN: Final = 7
STRING_ARRAY: Final = 8
I18N_STRING: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a header's index."""

    type: int
    offset: int
    """In the store."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One header: its entries by tag, and where it lies."""

    entries: Mapping[int, Entry]
    store: memoryview
    start: int
    stop: int
    """Without padding behind it."""
    repeated: frozenset[int]
    """Tags that more than one entry has, so that readers may take either."""

    def _entry(self, tag: int, *types: int) -> Entry | None:
        """Raises FormatError where the tag is there more than once, or with another type."""
        entry = self.entries.get(tag)
        if entry is None:
            return None
        if tag in self.repeated:
            raise FormatError("a header has a tag twice", got=f"tag {tag}")
        if entry.type not in types:
            raise FormatError("a tag of a header has another type than it must have", got=f"tag {tag}, type {entry.type}")
        return entry

    def octets(self, tag: int) -> bytes | None:
        """A binary value.

        Raises:
            FormatError: it does not lie in the header.
        """
        entry = self._entry(tag, BIN)
        if entry is None:
            return None
        if entry.offset + entry.count > len(self.store):
            raise FormatError("a value ends behind its header", got=f"tag {tag}")
        return bytes(self.store[entry.offset : entry.offset + entry.count])

    def number(self, tag: int) -> int | None:
        """The first of the 32-bit or 64-bit numbers of a tag. Raises FormatError as `octets`."""
        entry = self._entry(tag, INT32, INT64)
        if entry is None:
            return None
        width = 4 if entry.type == INT32 else 8
        if entry.count < 1 or entry.offset + width > len(self.store):
            raise FormatError("a value ends behind its header", got=f"tag {tag}")
        return int.from_bytes(self.store[entry.offset : entry.offset + width], "big")

    def strings(self, tag: int, most: int) -> tuple[str, ...]:
        """The strings of a tag, none where it is not there; of a translated one the first, which is not translated.

        Raises:
            FormatError: one has no end within the header, or there are more than `most`.
        """
        entry = self._entry(tag, STRING, STRING_ARRAY, I18N_STRING)
        if entry is None:
            return ()
        count = entry.count if entry.type == STRING_ARRAY else 1
        if count > most:
            raise FormatError("a tag of a header has too many strings", got=f"tag {tag}, {count}", expected=f"at most {most}")
        if entry.offset > len(self.store):
            raise FormatError("a value begins behind its header", got=f"tag {tag}")
        stop = len(self.store) if entry.type == STRING_ARRAY else min(entry.offset + _MAX_STRING_BYTES, len(self.store))
        rest = bytes(self.store[entry.offset : stop]).split(b"\0", count)
        if len(rest) <= count:
            raise FormatError("a string of a header has no end", got=f"tag {tag}")
        return tuple(text.decode("utf-8", "replace") for text in rest[:count])

    def string(self, tag: int) -> str | None:
        """The one string of a tag. Raises FormatError as `strings`, or where there are several."""
        found = self.strings(tag, 1)
        return found[0] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A package taken apart. `payload_start` is where the main header stops."""

    signatures: Header
    main: Header
    payload_start: int
    is_source: bool
    """By the lead."""


def read_parts(data: memoryview, limits: Limits) -> Parts:
    """Take a package apart.

    Raises:
        FormatError: it breaks the format.
        LimitError: a header is larger than `max_rpm_header_bytes`.
    """
    lead = bytes(data[:LEAD_BYTES])
    if len(lead) < LEAD_BYTES or not lead.startswith(_LEAD_MAGIC):
        raise FormatError("this is no RPM package")
    if lead[4] not in (3, 4):
        raise FormatError("the package has a format version that rpm does not read", got=str(lead[4]), expected="3 or 4")
    if lead[78:80] != b"\0\x05":
        raise FormatError("the lead names another kind of signature than a header", got=lead[78:80].hex(), expected="0005")
    signatures = _header(data, LEAD_BYTES, SIGNATURE_REGION, limits)
    padded = signatures.stop + -signatures.stop % 8
    main = _header(data, padded, MAIN_REGION, limits)
    return Parts(signatures=signatures, main=main, payload_start=main.stop, is_source=lead[6:8] == b"\0\x01")


def _header(data: memoryview, start: int, region: int, limits: Limits) -> Header:
    preamble = bytes(data[start : start + _PREAMBLE_BYTES])
    if len(preamble) < _PREAMBLE_BYTES or not preamble.startswith(_HEADER_MAGIC):
        raise FormatError("no header of RPM stands where one must", got=f"offset {start:#x}")
    count, size = int.from_bytes(preamble[8:12], "big"), int.from_bytes(preamble[12:], "big")
    total = _PREAMBLE_BYTES + count * _ENTRY_BYTES + size
    if total > limits.max_rpm_header_bytes:
        raise LimitError(f"a header of {total} bytes, more than max_rpm_header_bytes ({limits.max_rpm_header_bytes})")
    if count == 0 or start + total > len(data):
        raise FormatError("a header of RPM is empty or cut short", got=f"offset {start:#x}")
    index = bytes(data[start + _PREAMBLE_BYTES : start + _PREAMBLE_BYTES + count * _ENTRY_BYTES])
    entries: dict[int, Entry] = {}
    repeated: set[int] = set()
    for at in range(0, len(index), _ENTRY_BYTES):
        tag, type, offset, values = (int.from_bytes(index[at + k : at + k + 4], "big") for k in (0, 4, 8, 12))
        if tag in entries:
            repeated.add(tag)
        entries.setdefault(tag, Entry(type=type, offset=offset, count=values))
    store = data[start + total - size : start + total]
    header = Header(entries=entries, store=store, start=start, stop=start + total, repeated=frozenset(repeated))
    _check_region(header, index, region)
    return header


def _check_region(header: Header, index: bytes, region: int) -> None:
    """The region says which entries are the package's own. In the main header it must be all of them, as rpm has it; a package of before
    2000 has none."""
    if region not in header.entries:
        return
    first = tuple(int.from_bytes(index[k : k + 4], "big") for k in (0, 4, 8, 12))
    if first[:2] != (region, BIN) or first[3] != _ENTRY_BYTES or region in header.repeated:
        raise FormatError("the region of a header is not its first entry, or is not stated as one", got=f"tag {region}")
    trailer = bytes(header.store[first[2] : first[2] + _ENTRY_BYTES])
    if len(trailer) < _ENTRY_BYTES:
        raise FormatError("the region of a header ends behind it")
    tag, type, count = (int.from_bytes(trailer[k : k + 4], "big") for k in (0, 4, 12))
    size = -int.from_bytes(trailer[8:12], "big", signed=True)
    if (tag, type, count) != (region, BIN, _ENTRY_BYTES) or size <= 0 or size % _ENTRY_BYTES:
        raise FormatError("the end of a header's region is malformed", got=f"tag {tag}")
    if region == MAIN_REGION and (size != len(index) or first[2] + _ENTRY_BYTES != len(header.store)):
        raise FormatError("entries of the main header stand outside of its region")
