"""Indented XML text, element by element; every text is escaped and checked here and nowhere else."""

from __future__ import annotations

from csv_gate.errors import Place, PolicyError
from csv_gate.lazy import regex

_FORBIDDEN = regex("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
"""Blanks other than spaces are written as references: an XML reader would turn them into spaces."""

Attribute = tuple[str, str | None]


class XmlLines:
    """One document while it is written. `path` names the policy in errors."""

    __slots__ = ("_depth", "_lines", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines = ['<?xml version="1.0" encoding="utf-8"?>']
        self._depth = 0

    def open(self, name: str, *attributes: Attribute) -> None:
        """Begin an element; attributes whose value is `None` are left out."""
        self._lines.append(f"{'  ' * self._depth}<{name}{self._attributes(attributes)}>")
        self._depth += 1

    def close(self, name: str) -> None:
        self._depth -= 1
        self._lines.append(f"{'  ' * self._depth}</{name}>")

    def leaf(self, name: str, *attributes: Attribute) -> None:
        """An element without content."""
        self._lines.append(f"{'  ' * self._depth}<{name}{self._attributes(attributes)} />")

    def text(self, name: str, text: str) -> None:
        """An element with text."""
        self._lines.append(f"{'  ' * self._depth}<{name}>{self._escaped(text)}</{name}>")

    def finished(self) -> bytes:
        return ("\n".join(self._lines) + "\n").encode("utf-8")

    def _attributes(self, attributes: tuple[Attribute, ...]) -> str:
        return "".join(f' {name}="{self._escaped(value)}"' for name, value in attributes if value is not None)

    def _escaped(self, text: str) -> str:
        if (bad := _FORBIDDEN.search(text)) is not None:
            raise PolicyError(
                "the policy can't be written as XML: a text has a character that XML forbids",
                place=Place(path=self._path),
                got=f"U+{ord(bad[0]):04X} in {text[:60]!r}",
                expected="characters of XML 1.0",
            )
        return text.translate(_ESCAPES)
