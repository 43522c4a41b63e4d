"""Members of an ar archive as Debian packages are, deb(5): names of up to 16 characters, nothing between the members but padding."""

from __future__ import annotations

from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.records import dataclass

_MAGIC: Final = b"!<arch>\n"
_HEADER_BYTES: Final = 60
MAX_MEMBERS: Final = 64
"""A package has three, and one for each signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArMember:
    """One member; `content` is a view of the archive. Both are attacker-controlled."""

    name: str
    content: memoryview


def read_members(data: memoryview, limits: Limits) -> tuple[ArMember, ...]:
    """The members in their order, with their names as dpkg takes them: no blanks and no slash at the end.

    Raises:
        FormatError: the archive is damaged, or uses long names, which dpkg does not know.
        LimitError: more than 64 members.
    """
    del limits
    if bytes(data[: len(_MAGIC)]) != _MAGIC:
        raise FormatError("this is no ar archive")
    members: list[ArMember] = []
    at = len(_MAGIC)
    while at < len(data):
        if len(members) == MAX_MEMBERS:
            raise LimitError(f"the package has more than {MAX_MEMBERS} members")
        header = bytes(data[at : at + _HEADER_BYTES])
        if len(header) < _HEADER_BYTES or header[58:] != b"`\n":
            raise FormatError("an ar header is damaged", got=f"offset {at:#x}")
        digits = header[48:58].rstrip(b" ")
        if not digits.isdigit():
            raise FormatError("the size in an ar header is no number", got=f"offset {at:#x}")
        start, size = at + _HEADER_BYTES, int(digits)
        if start + size > len(data):
            raise FormatError("the package ends within a member", got=f"offset {at:#x}")
        name = header[:16].rstrip(b" ").removesuffix(b"/")
        if not name or name.startswith((b"/", b"#1/")):
            raise FormatError("a member has no name of its own", got=f"offset {at:#x}")
        members.append(ArMember(name=name.decode("utf-8", "surrogateescape"), content=data[start : start + size]))
        at = start + size + size % 2
    return tuple(members)
