"""Bits and codes of LZX: 16-bit little-endian words, the highest bit first, and canonical Huffman codes.

Source: [MS-PATCH] "LZX DELTA Compression and Decompression", sections 2.2 and 2.5.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.errors import FormatError

Code = tuple[list[int], int]
"""A Huffman code as a table over as many bits as its longest code has, `symbol << 5 | length` for each (0: no code), and that number."""
PADDING: Final = 32
"""Zeros behind the data, so that looking ahead needs no care."""


class Bits:
    """Bits of the octets of one data block."""

    __slots__ = ("at", "count", "data", "held", "pairs")

    def __init__(self, data: bytes) -> None:
        padded = data + bytes(-len(data) % 4 + PADDING)
        swapped = bytearray(len(padded))
        swapped[0::2], swapped[1::2] = padded[1::2], padded[0::2]
        self.data = data
        self.pairs = struct.unpack(f">{len(padded) // 4}I", swapped)
        """Two words each."""
        self.at = 0
        self.held = 0
        self.count = 0
        """How many bits of `held` are still to be read; bits above them are old."""

    def need(self, count: int) -> None:
        """Hold at least `count` bits, up to 32.

        Raises:
            FormatError: far past the end.
        """
        while self.count < count:
            if self.at >= len(self.pairs):
                raise _ended()
            self.held = (self.held & (1 << self.count) - 1) << 32 | self.pairs[self.at]
            self.at += 1
            self.count += 32

    def read(self, count: int) -> int:
        """The next bits, up to 32, as a number."""
        self.need(count)
        self.count -= count
        return self.held >> self.count & (1 << count) - 1

    def symbol(self, code: Code) -> int:
        """The next symbol.

        Raises:
            FormatError: no symbol has this code.
        """
        table, width = code
        self.need(width)
        entry = table[self.held >> self.count - width & (1 << width) - 1]
        if not entry:
            raise FormatError("LZX data hold a code that is not defined")
        self.count -= entry & 31
        return entry >> 5

    def octet(self) -> int:
        """Where in the data the next whole word begins.

        Raises:
            FormatError: past the end.
        """
        self.count -= self.count % 16
        at = self.at * 4 - self.count // 8
        if at > len(self.data) + len(self.data) % 2:
            raise _ended()
        return at

    def seek(self, at: int) -> None:
        """Go on with the word at an even place, or at the end."""
        at += at % 2
        self.at, self.held, self.count = at // 4, 0, 0
        if at % 4:
            self.read(16)


def _ended() -> FormatError:
    return FormatError("the LZX data end too early")


def code_of(lengths: bytes | bytearray) -> Code:
    """The canonical code of these lengths (0: the symbol has none), by length, then by symbol.

    Raises:
        FormatError: the lengths make no code.
    """
    width = max(lengths)
    table: list[int] = []
    for length in range(1, width + 1):
        at = lengths.find(length)
        while at >= 0:
            table += [at << 5 | length] * (1 << width - length)
            at = lengths.find(length, at + 1)
        if len(table) > 1 << width:
            raise FormatError("the lengths of an LZX code do not fit together")
    return table + [0] * ((1 << width) - len(table)), width
