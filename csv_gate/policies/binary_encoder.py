"""Growing bytes of a compiled policy: words, texts, octets and index lists as the layout has them."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from csv_gate.model.guid import Guid

_ZERO_WORD = b"\0\0\0\0"
_EMPTY = 2 * _ZERO_WORD
"""An absent text: no length, and the zero that ends every text."""


class Encoder:
    """Collects the parts of a policy in order."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def u32(self, *numbers: int) -> None:
        self._parts.append(pack(f"<{len(numbers)}I", *numbers))

    def u64(self, number: int) -> None:
        self._parts.append(pack("<Q", number))

    def guid(self, value: Guid) -> None:
        self._parts.append(value.octets)

    def blob(self, value: bytes) -> None:
        self._parts.append(pack("<I", len(value)) + value + bytes(-len(value) % 4))

    def string(self, text: str | None) -> None:
        if not text:
            self._parts.append(_EMPTY)
            return
        octets = text.encode("utf-16-le", "surrogatepass")
        self._parts.append(pack("<I", len(octets)) + octets + bytes(-len(octets) % 4) + _ZERO_WORD)

    def indexes(self, numbers: Sequence[int]) -> None:
        self.u32(len(numbers), *numbers)

    def finished(self) -> bytes:
        return b"".join(self._parts)
