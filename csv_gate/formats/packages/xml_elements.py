"""Elements of a package's manifests, one after the other, without a tree: manifests may be large and come from attackers.

No document type, no entities but the five of XML, bounded depth and number. Names are local names; who asks knows the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pyexpat import ExpatError, ParserCreate
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.records import dataclass

MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 2_000_000
_CHUNK_BYTES: Final = 64 * 1024
_SEPARATOR: Final = " "
"""Between namespace and local name; neither may hold a blank."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One element, told when it ends."""

    path: tuple[str, ...]
    """Local names from the root down to it."""
    attributes: Mapping[str, str]
    """By local name; of two with one local name the one without a namespace counts."""
    text: str
    """The character data directly in it."""


def elements(data: bytes) -> Iterator[Tag]:
    """The elements of a document in the order in which they end.

    Raises:
        FormatError: it is not well-formed, or has a document type.
        LimitError: too deep, or too many elements.
    """
    parser = ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    found: list[Tag] = []
    names: list[str] = []
    attributes: list[dict[str, str]] = []
    texts: list[list[str]] = []
    count = 0

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS or len(names) >= MAX_DEPTH:
            raise LimitError("a manifest has too many elements, or is too deep")
        names.append(_local(name))
        attributes.append(
            {_local(key): value for key, value in sorted(given.items(), key=lambda item: _SEPARATOR not in item[0])}
        )
        texts.append([])

    def end(_: str) -> None:
        found.append(Tag(tuple(names), attributes.pop(), "".join(texts.pop())))
        names.pop()

    def characters(text: str) -> None:
        if texts:
            texts[-1].append(text)

    def refuse(*_: object) -> None:
        raise FormatError("a manifest has a document type, which no package needs")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    try:
        for at in range(0, len(data), _CHUNK_BYTES):
            parser.Parse(data[at : at + _CHUNK_BYTES], False)
            yield from found
            found.clear()
        parser.Parse(b"", True)
    except ExpatError as error:
        raise FormatError(f"a manifest is not well-formed XML: {error}") from error
    except (ValueError, LookupError) as error:  # an encoding that Python does not know
        raise FormatError(f"a manifest cannot be decoded: {error}") from error
    yield from found


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]
