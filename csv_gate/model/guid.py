"""A GUID, by which policies name themselves, each other and the platform.

The standard library's `uuid.UUID` is the same and more; it asks `platform` what it runs on, and loading both took every start four
milliseconds.
"""

from __future__ import annotations

import hashlib

from csv_gate.records import dataclass

_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Guid:
    """128 bits, compared by value."""

    text: str
    """32 lower-case hex digits with hyphens after the 8th, 12th, 16th and 20th."""

    @classmethod
    def read(cls, written: str) -> Guid:
        """From hex digits in any letter case, with or without hyphens and braces.

        Raises:
            ValueError: there are not 32 of them.
        """
        digits = written.strip("{}").replace("-", "").lower()
        if len(digits) != 32 or not _DIGITS.issuperset(digits):
            raise ValueError(f"this is no GUID: {written[:80]!r}")
        return cls(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")

    @classmethod
    def of(cls, octets: bytes) -> Guid:
        """From its 16 octets in Windows' layout: the first three groups little-endian ([MS-DTYP], 2.3.4.2)."""
        return cls.read(_swapped(octets).hex())

    def naming(self, name: str) -> Guid:
        """The GUID that a name has within this one's: the same for the same name (RFC 9562, 5.5, version 5)."""
        named = bytes.fromhex(self.text.replace("-", "")) + name.encode("utf-8")
        digits = bytearray(hashlib.sha1(named, usedforsecurity=False).digest()[:16])
        digits[6] = digits[6] & 0x0F | 0x50
        digits[8] = digits[8] & 0x3F | 0x80
        return Guid.read(digits.hex())

    @property
    def octets(self) -> bytes:
        """As `of` takes them."""
        return _swapped(bytes.fromhex(self.text.replace("-", "")))

    @property
    def braced(self) -> str:
        """As policies write it: upper case, in braces."""
        return f"{{{self.text.upper()}}}"

    def __str__(self) -> str:
        return self.text


def _swapped(octets: bytes) -> bytes:
    return octets[3::-1] + octets[5:3:-1] + octets[7:5:-1] + octets[8:]
