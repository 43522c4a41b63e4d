"""Packs by LZX, simply: greedy matches, codes of nearly equal lengths, every kind of block."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

FRAME = 32768
SLOTS = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
EXTRA = (0, 0, *(min(slot // 2 - 1, 17) for slot in range(2, 50)))
BASES = tuple(sum(1 << bits for bits in EXTRA[:slot]) - 2 for slot in range(51))
VERBATIM, ALIGNED, RAW = 1, 2, 3

Token = int | tuple[int, int]
"""A literal, or (length, distance) of a match."""


class Writer:
    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, count: int) -> None:
        self.bits += f"{value:0{count}b}" if count else ""

    def octets(self) -> bytes:
        padded = self.bits + "0" * (-len(self.bits) % 16)
        return b"".join(struct.pack("<H", int(padded[at : at + 16], 2)) for at in range(0, len(padded), 16))


def code_lengths(used: Sequence[int], count: int) -> list[int]:
    """A complete code of nearly equal lengths for the symbols that are used."""
    symbols = sorted({*used, *(range(2) if used else ())})
    lengths = [0] * count
    if symbols:
        longest = max(1, (len(symbols) - 1).bit_length())
        shorter = (1 << longest) - len(symbols) if longest > 1 else 0
        for number, symbol in enumerate(symbols):
            lengths[symbol] = longest - (number < shorter)
    return lengths


def codes(lengths: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Symbol -> (code, length), canonical."""
    found, code = {}, 0
    for length in range(1, 17):
        for symbol, of in enumerate(lengths):
            if of == length:
                found[symbol] = (code, length)
                code += 1
        code <<= 1
    return found


def tokens(data: bytes, start: int, end: int, window: int, recent: dict[bytes, int]) -> Iterator[Token]:
    at = start
    while at < end:
        key = data[at : at + 3]
        before = recent.get(key)
        if before is not None and at - before <= window - 3 and at + 3 <= end:
            length, most = 3, min(257, end - at)
            while length < most and data[before + length] == data[at + length]:
                length += 1
            yield length, at - before
            for inner in range(at, at + length):
                recent[data[inner : inner + 3]] = inner
            at += length
        else:
            recent[key] = at
            yield data[at]
            at += 1


def translated(data: bytes, size: int) -> bytes:
    """Calls made absolute, frame by frame, as the packer does it."""
    made = bytearray(data)
    for begins in range(0, len(data), FRAME):
        at, last = begins, min(begins + FRAME, len(data)) - 10
        while at < last:
            if made[at] != 0xE8:
                at += 1
                continue
            (to,) = struct.unpack_from("<i", made, at + 1)
            if -at <= to < size - at:
                struct.pack_into("<i", made, at + 1, to + at)
            elif size - at <= to < size:
                struct.pack_into("<i", made, at + 1, to - size)
            at += 5
    return bytes(made)


def frames(
    data: bytes, *, window_bits: int = 15, kind: int = VERBATIM, translated_size: int = 0, first_raw: bool = False
) -> list[bytes]:
    """The octets of each frame, one block to a frame. `first_raw`: the first frame's block is raw, whatever `kind`."""
    if translated_size:
        data = translated(data, translated_size)
    known: dict[bytes, int] = {}
    old_main, old_length = [0] * (256 + 8 * SLOTS[window_bits]), [0] * 249
    last = (1, 1, 1)
    made = []
    for start in range(0, len(data), FRAME):
        end = min(start + FRAME, len(data))
        out = Writer()
        if start == 0:
            out.put(bool(translated_size), 1)
            if translated_size:
                out.put(translated_size, 32)
        if kind == RAW or (first_raw and start == 0):
            out.put(RAW, 3)
            out.put(end - start, 24)
            out.bits += "0" * (16 - len(out.bits) % 16)
            size = end - start
            made.append(out.octets() + struct.pack("<3I", *last) + data[start:end] + bytes(size % 2))
            for at in range(start, end):
                known[data[at : at + 3]] = at
            continue
        symbols: list[tuple[int, int | None, int, int]] = []  # main symbol, length symbol, offset bits, how many
        for token in tokens(data, start, end, 1 << window_bits, known):
            if isinstance(token, int):
                symbols.append((token, None, 0, 0))
                continue
            length, distance = token
            if distance in last:
                slot = last.index(distance)
                rest = extra = 0
                moved = list(last)
                moved[0], moved[slot] = moved[slot], moved[0]
                last = (moved[0], moved[1], moved[2])
            else:
                slot = next(n for n in range(3, 50) if BASES[n] <= distance < BASES[n + 1])
                rest, extra = distance - BASES[slot], EXTRA[slot]
                last = (distance, last[0], last[1])
            header = min(length - 2, 7)
            symbols.append((256 + slot * 8 + header, length - 9 if header == 7 else None, rest, extra))
        main = code_lengths([symbol for symbol, *_ in symbols], len(old_main))
        lengths = code_lengths([symbol for _, symbol, *_ in symbols if symbol is not None], 249)
        out.put(kind, 3)
        out.put(end - start, 24)
        if kind == ALIGNED:
            for _ in range(8):
                out.put(3, 3)
        put_lengths(out, old_main[:256], main[:256])
        put_lengths(out, old_main[256:], main[256:])
        put_lengths(out, old_length, lengths)
        old_main, old_length = main, lengths
        main_codes, length_codes = codes(main), codes(lengths)
        for symbol, length_symbol, rest, extra in symbols:
            out.put(*main_codes[symbol])
            if length_symbol is not None:
                out.put(*length_codes[length_symbol])
            if kind == ALIGNED and extra >= 3:
                out.put(rest >> 3, extra - 3)
                out.put(rest & 7, 3)
            else:
                out.put(rest, extra)
        made.append(out.octets())
    return made


def put_lengths(out: Writer, old: Sequence[int], new: Sequence[int]) -> None:
    """Differences by a code of 20 symbols of which twelve have 4 bits and eight have 5; runs of zeros and of equal lengths are used."""
    widths = [4] * 12 + [5] * 8
    coded = codes(widths)
    for width in widths:
        out.put(width, 4)
    at = 0
    while at < len(new):
        run = 1
        while at + run < len(new) and new[at + run] == new[at] and run < 51:
            run += 1
        if new[at] == 0 and run >= 20:
            out.put(*coded[18])
            out.put(run - 20, 5)
        elif new[at] == 0 and run >= 4:
            run = min(run, 19)
            out.put(*coded[17])
            out.put(run - 4, 4)
        elif run >= 4:
            run = min(run, 5)
            out.put(*coded[19])
            out.put(run - 4, 1)
            out.put(*coded[(old[at] - new[at]) % 17])
        else:
            run = 1
            out.put(*coded[(old[at] - new[at]) % 17])
        at += run
