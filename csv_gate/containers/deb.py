"""Debian packages, deb(5): an ar archive of `debian-binary`, `control.tar*`, `data.tar*`, in this order, then nothing but members whose
names begin with an underscore, such as signatures (`_gpg…`).

Any other member, order or repetition is a problem: tools that look for members by a prefix take another one than dpkg does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Item, Member, View, slices
from csv_gate.errors import FormatError
from csv_gate.lazy import regex
from csv_gate.model.problems import Problem, ProblemCode

_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60
_ORDER = (
    regex(r"debian-binary"),
    regex(r"control\.tar(\.(gz|xz|zst))?"),
    regex(r"data\.tar(\.(gz|bz2|xz|zst|lzma))?"),
)


def open_deb(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """The ar members of a package; the tar archives among them are containers of their own. See `Opener`."""
    del name
    names = []
    at = len(_MAGIC)
    while at < len(data):
        header = bytes(data[at : at + _HEADER_BYTES])
        if len(header) < _HEADER_BYTES or header[58:] != b"`\n":
            raise FormatError("an ar header is damaged", got=f"offset {at:#x}")
        digits = header[48:58].strip()
        if not digits.isdigit():
            raise FormatError("the size in an ar header is no number", got=f"offset {at:#x}")
        start, size = at + _HEADER_BYTES, int(digits)
        if start + size > len(data):
            raise FormatError("the package ends within a member")
        member = header[:16].rstrip(b" ").decode("utf-8", "surrogateescape").removesuffix("/")
        names.append(member)
        yield Member(name=member, chunks=partial(_content, data, start, start + size, budget))
        at = start + size + size % 2
    yield from _order(names)


def _content(data: View, start: int, end: int, budget: Budget) -> Iterator[bytes]:
    return budget.metered(slices(data, start, end))


def _order(names: Sequence[str]) -> Iterator[Problem]:
    fits = len(names) >= len(_ORDER) and all(pattern.fullmatch(name) for pattern, name in zip(_ORDER, names, strict=False))
    if not fits or not all(name.startswith("_") for name in names[len(_ORDER) :]):
        shown = ", ".join(repr(name) for name in names[:8])
        detail = f"a package has debian-binary, control.tar, data.tar and signatures, in this order; this one has {shown}"
        yield Problem(code=ProblemCode.CONTAINER_ORDER_WRONG, detail=detail)
