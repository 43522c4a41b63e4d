"""A bounded cursor over compiled policy bytes. Every read that does not fit is a `PolicyError` with offset, got and expected."""

from __future__ import annotations

from struct import Struct
from typing import NoReturn

from csv_gate.errors import Place, PolicyError
from csv_gate.limits import Limits
from csv_gate.model.guid import Guid

_U32 = Struct("<I")
_U64 = Struct("<Q")
_I64 = Struct("<q")
_EMPTY = bytes(8)
"""An absent text: no length, and the zero that ends every text."""


class Cursor:
    """Position in the bytes of one policy; `base` is where they begin in the file (behind an envelope's head).

    `limits.max_policy_elements` bounds all counted things together, so that few bytes can't become much memory.
    """

    __slots__ = ("_base", "_budget", "_data", "_path", "position")

    def __init__(self, data: bytes, *, path: str, limits: Limits, base: int = 0) -> None:
        self._budget = limits.max_policy_elements
        self._data = data
        self._path = path
        self._base = base
        self.position = 0

    @property
    def size(self) -> int:
        return len(self._data)

    def place(self, position: int | None = None) -> Place:
        """Place in the file of a position, or of the next byte to read."""
        return Place(path=self._path, offset=self._base + (self.position if position is None else position))

    def fault(self, title: str, *, got: str, expected: str, at: int | None = None, help: str | None = None) -> PolicyError:
        """The error of a damaged policy, at a position or at the next byte to read."""
        return PolicyError(
            title,
            place=self.place(at),
            got=got,
            expected=expected,
            help=help or "the file is damaged or was cut short: take it from the target or compile it again",
        )

    def refuse(self, title: str, *, got: str, expected: str, at: int | None = None, help: str | None = None) -> NoReturn:
        """Raise `fault`."""
        raise self.fault(title, got=got, expected=expected, at=at, help=help)

    def refuse_at(self, offset: int, title: str, *, got: str, expected: str) -> NoReturn:
        """As `refuse`, for an offset in the file that was noted before."""
        self.refuse(title, got=got, expected=expected, at=offset - self._base)

    def _take(self, count: int, what: str) -> int:
        start = self.position
        left = len(self._data) - start
        if count > left:
            self.refuse(f"the policy ends inside {what}", got=f"{left} bytes", expected=f"{count} bytes")
        self.position = start + count
        return start

    def u8(self, what: str) -> int:
        return self._data[self._take(1, what)]

    def u32(self, what: str) -> int:
        number: int = _U32.unpack_from(self._data, self._take(4, what))[0]
        return number

    def u64(self, what: str) -> int:
        number: int = _U64.unpack_from(self._data, self._take(8, what))[0]
        return number

    def i64(self, what: str) -> int:
        number: int = _I64.unpack_from(self._data, self._take(8, what))[0]
        return number

    def guid(self, what: str) -> Guid:
        start = self._take(16, what)
        return Guid.of(self._data[start : start + 16])

    def count(self, what: str, each: int) -> int:
        """A number of things of which each takes at least `each` bytes: more than fit are refused before anything is made."""
        start = self.position
        number = self.u32(what)
        self.fits(number, what, each, start)
        return number

    def fits(self, number: int, what: str, each: int, at: int) -> None:
        """Refuse a count whose things can't all be in what is left, or would be too many in all."""
        possible = (len(self._data) - self.position) // each
        if number > possible:
            self.refuse(
                f"the number of {what} is more than the file can hold", got=str(number), expected=f"at most {possible}", at=at
            )
        self._budget -= number
        if self._budget < 0:
            self.refuse(
                "the policy is larger than any real one",
                got=f"{number} more {what}",
                expected="within the limit max_policy_elements",
                at=at,
                help="raise max_policy_elements if this policy is really meant",
            )

    def indexes(self, what: str, limit: int) -> tuple[int, ...]:
        """A counted list of indexes, each below `limit`."""
        number = self.count(what, 4)
        return tuple(self.index(what, limit) for _ in range(number))

    def index(self, what: str, limit: int) -> int:
        """One index below `limit`."""
        start = self.position
        number = self.u32(what)
        if number >= limit:
            self.refuse(f"an index of {what} points to nothing", got=str(number), expected=f"below {limit}", at=start)
        return number

    def blob(self, what: str) -> bytes:
        """Length, octets, zeros up to a multiple of four."""
        length = self.u32(what)
        start = self._take(length, what)
        if length % 4:
            self._padding(-length % 4, what)
        return self._data[start : start + length]

    def _padding(self, count: int, what: str) -> None:
        start = self._take(count, what)
        padding = self._data[start : start + count]
        if any(padding):
            self.refuse(f"the padding of {what} is not zero", got=padding.hex(" "), expected="zeros", at=start)

    def string(self, what: str) -> str | None:
        """Length in bytes, UTF-16, zeros up to a multiple of four, then a zero word; `None` when empty.

        Lone surrogates are kept: Windows compares units, and a file could carry the same.
        """
        if self._data.startswith(_EMPTY, self.position):  # most texts of most rules
            self.position += len(_EMPTY)
            return None
        length = self.u32(what)
        start = self._take(length, what)
        if length % 2:
            self.refuse(f"the length of {what} is odd", got=str(length), expected="an even number of bytes", at=start - 4)
        if length % 4:
            self._padding(2, what)
        end = self.position
        terminator = self.u32(what)
        if terminator:
            self.refuse(f"{what} is not ended by zero", got=f"{terminator:#x}", expected="0", at=end)
        if not length:
            return None
        text = self._data[start : start + length].decode("utf-16-le", "surrogatepass")
        if "\0" in text:
            self.refuse(f"{what} contains a zero character", got=repr(text[:40]), expected="text", at=start)
        return text

    def expect(self, number: int, what: str) -> None:
        """A word that must have one value."""
        start = self.position
        found = self.u32(what)
        if found != number:
            self.refuse(f"{what} is not there", got=f"{found:#x}", expected=f"{number:#x}", at=start)
