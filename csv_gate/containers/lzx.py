"""LZX as cabinets have it: frames of 32 KiB, blocks with Huffman codes of their own, matches into a window of 32 KiB to 2 MiB.

A frame ends with a word, and with the data block that it came in. A match that leads before the beginning or over the end of a frame,
and octets that no frame uses, are refused: readers do not agree on them.

Source: [MS-PATCH] "LZX DELTA Compression and Decompression", section 2, without what it adds for deltas and for windows beyond 2 MiB.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.containers.lzx_bits import Bits, Code, code_of
from csv_gate.errors import FormatError, LimitError

FRAME_BYTES: Final = 32768
_VERBATIM, _ALIGNED, _RAW = 1, 2, 3
_POSITION_SLOTS: Final = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
_EXTRA_BITS: Final = (0, 0, *(min(slot // 2 - 1, 17) for slot in range(2, 50)))
_BASES: Final = tuple(sum(1 << bits for bits in _EXTRA_BITS[:slot]) - 2 for slot in range(50))
_LENGTHS: Final = 249
_NO_CODE: Final[Code] = ([0], 0)
_MAX_BLOCKS: Final = 64
"""Of one frame. Each has codes of its own, which cost more than a block of a few octets is worth; packers make one or two."""
_TRANSLATED_FRAMES: Final = 32768
"""Calls of x86 programs are translated in the first gigabyte only."""


class Lzx:
    """One stream. `window_bits`: 15 to 21.

    Raises (when made and by every method):
        FormatError: the data are damaged.
    """

    def __init__(self, window_bits: int) -> None:
        if window_bits not in _POSITION_SLOTS:
            raise FormatError("an LZX window of a size that is not defined", got=f"2 to the power of {window_bits}")
        self._window = 1 << window_bits
        self._main_lengths = bytearray(256 + 8 * _POSITION_SLOTS[window_bits])
        self._length_lengths = bytearray(_LENGTHS)
        self._main = self._length = self._offset = _NO_CODE
        self._recent = (1, 1, 1)
        self._block = self._left = 0
        self._is_odd = False
        """The raw block has an odd size, so that an octet of padding follows."""
        self._made = bytearray()
        self._given = 0
        self._translated_size: int | None = None

    def frame(self, packed: bytes, size: int) -> bytes:
        """The next frame: `size` bytes, 32 KiB but for the last one."""
        if self._given % FRAME_BYTES or not 0 < size <= FRAME_BYTES:
            raise FormatError("an LZX frame that is not the last one is cut short")
        bits = Bits(packed)
        if self._translated_size is None:
            self._translated_size = bits.read(32) if bits.read(1) else 0
        if len(self._made) >= 4 * self._window:
            del self._made[: -self._window]
        begins = len(self._made)
        end = begins + size
        blocks = 0
        while (at := len(self._made)) < end:
            if not self._left:
                self._begin(bits)
                if (blocks := blocks + 1) > _MAX_BLOCKS:
                    raise LimitError("an LZX frame has too many blocks", expected=f"at most {_MAX_BLOCKS}")
            wanted = min(self._left, end - at)
            self._left -= wanted
            if self._block == _RAW:
                self._copy(bits, wanted)
            else:
                self._decode(bits, at + wanted)
        if bits.octet() < len(packed):
            raise FormatError("octets of an LZX data block belong to no frame")
        return self._translated(self._made[begins:])

    def _begin(self, bits: Bits) -> None:
        """The header of a block."""
        if self._is_odd:  # the last block ended with the last frame, and its padding opens this one
            raise FormatError("the padding of an LZX block is missing")
        self._block, self._left = bits.read(3), bits.read(24)
        if not self._left:
            raise FormatError("an LZX block is empty")
        if self._block == _RAW:
            at = bits.octet() if bits.count % 16 else bits.octet() + 2  # 1 to 16 bits lead to the next word
            recent = bits.data[at : at + 12]
            if len(recent) < 12:
                raise FormatError("the LZX data end too early")
            self._recent = struct.unpack("<3I", recent)
            self._is_odd = bool(self._left % 2)
            bits.seek(at + 12)
            return
        if self._block not in (_VERBATIM, _ALIGNED):
            raise FormatError("an LZX block of a kind that is not defined", got=str(self._block))
        self._offset = code_of(bytes(bits.read(3) for _ in range(8))) if self._block == _ALIGNED else _NO_CODE
        _read_lengths(bits, self._main_lengths, 0, 256)
        _read_lengths(bits, self._main_lengths, 256, len(self._main_lengths))
        _read_lengths(bits, self._length_lengths, 0, _LENGTHS)
        self._main, self._length = code_of(self._main_lengths), code_of(self._length_lengths)

    def _copy(self, bits: Bits, wanted: int) -> None:
        """Octets of a raw block."""
        at = bits.octet()
        piece = bits.data[at : at + wanted]
        if len(piece) < wanted:
            raise FormatError("the LZX data end too early")
        self._made += piece
        at += wanted
        if self._is_odd and not self._left and at < len(bits.data):
            at, self._is_odd = at + 1, False
        bits.seek(at)

    def _decode(self, bits: Bits, end: int) -> None:
        """Symbols of a verbatim or aligned block, up to `end` of what was made."""
        made, need = self._made, bits.need
        table, width = self._main
        mask = (1 << width) - 1
        while len(made) < end:
            if bits.count < width:
                need(width)
            entry = table[bits.held >> bits.count - width & mask]
            if not entry:
                raise FormatError("LZX data hold a code that is not defined")
            bits.count -= entry & 31
            if entry < 256 << 5:
                made.append(entry >> 5)
                continue
            symbol = (entry >> 5) - 256
            length = symbol & 7
            if length == 7:
                length += bits.symbol(self._length)
            length += 2
            offset = self._distance(bits, symbol >> 3)
            at = len(made) - offset
            if at < 0 or offset > self._window or not offset:
                raise FormatError("an LZX match leads before the beginning")
            if offset >= length:
                made += made[at : at + length]
            else:
                made += (made[at:] * (length // offset + 1))[:length]
        if len(made) > end:
            raise FormatError("an LZX match leads over the end of its block or frame")

    def _distance(self, bits: Bits, slot: int) -> int:
        """How far back a match begins; the three that were used last have numbers of their own."""
        first, second, third = self._recent
        if slot == 0:
            return first
        if slot == 1:
            self._recent = (second, first, third)
            return second
        if slot == 2:
            self._recent = (third, second, first)
            return third
        extra, offset = _EXTRA_BITS[slot], _BASES[slot]
        if extra < 3 or self._block == _VERBATIM:
            offset += bits.read(extra)
        else:
            offset += (bits.read(extra - 3) << 3) + bits.symbol(self._offset)
        self._recent = (offset, first, second)
        return offset

    def _translated(self, frame: bytearray) -> bytes:
        """With the calls of x86 programs as they were: made absolute before packing, by the place that they stand at."""
        begins = self._given
        self._given += len(frame)
        size = self._translated_size
        if not size or begins >= _TRANSLATED_FRAMES * FRAME_BYTES or len(frame) <= 10:
            return bytes(frame)
        last = len(frame) - 10
        at = frame.find(0xE8, 0, last)
        while at >= 0:
            (target,) = struct.unpack_from("<i", frame, at + 1)
            here = begins + at
            if -here <= target < size:
                struct.pack_into("<I", frame, at + 1, (target - here if target >= 0 else target + size) & 0xFFFF_FFFF)
            at = frame.find(0xE8, at + 5, last)
        return bytes(frame)


def _read_lengths(bits: Bits, lengths: bytearray, first: int, last: int) -> None:
    """Lengths of codes, told as differences to those of the block before, by a code of their own."""
    code = code_of(bytes(bits.read(4) for _ in range(20)))
    at = first
    while at < last:
        symbol = bits.symbol(code)
        run = 1
        if symbol == 17:
            run, length = bits.read(4) + 4, 0
        elif symbol == 18:
            run, length = bits.read(5) + 20, 0
        else:
            if symbol == 19:
                run = bits.read(1) + 4
                symbol = bits.symbol(code)
                if symbol > 16:
                    raise FormatError("the lengths of an LZX code are damaged")
            length = (lengths[at] - symbol) % 17
        if at + run > last:
            raise FormatError("the lengths of an LZX code are damaged")
        lengths[at : at + run] = bytes([length]) * run
        at += run
