"""AppIDs: one literal name, or a chain of macros, each of which stands for one name (SiPolicy schema, AppIdType).

The compiled form stores the names; macros are the only way for XML to say more than one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from csv_gate.lazy import regex

_CHAIN = regex(r"(?:\$\([a-zA-Z_][a-zA-Z_0-9.]*\))+", re.ASCII)
_MACRO = regex(r"\$\(([^()]+)\)")
MACRO_ID = regex(r"[a-zA-Z_][a-zA-Z_0-9.]*", re.ASCII)


def macro_names(text: str) -> list[str] | None:
    """The macros of an AppIDs text, in order; an empty list for a literal; `None` when it is neither.

    A literal does not begin with `$`.
    """
    if not text.startswith("$"):
        return []
    return _MACRO.findall(text) if _CHAIN.fullmatch(text) else None


def expand(text: str, macros: Mapping[str, str]) -> tuple[str, ...]:
    """The names an AppIDs text stands for; its macros must be known."""
    names = macro_names(text)
    return tuple(macros[name] for name in names) if names else (text,)


class MacroWriter:
    """Texts for lists of names that come from a compiled policy, with the macros they need, numbered as they come."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def text(self, names: Sequence[str]) -> str | None:
        """The AppIDs text for `names`; `None` for no names."""
        if not names:
            return None
        if len(names) == 1 and names[0] and not names[0].startswith("$"):
            return names[0]
        return "".join(f"$({self._ids.setdefault(name, f'AppID.{len(self._ids) + 1:04}')})" for name in names)

    def macros(self) -> tuple[tuple[str, str], ...]:
        """(id, value) of every macro used."""
        return tuple((macro_id, name) for name, macro_id in self._ids.items())
