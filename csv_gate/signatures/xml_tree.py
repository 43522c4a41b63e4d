"""XML that a signature is made over: a small tree that keeps what Canonical XML needs, prefixes and declarations included.

Attacker-controlled and bounded. A document type is refused before anything in it is read, so there are no entities, no defaulted
attributes and no external anything (Canonical XML 1.0, section 2.1, asks for them only where there is a DTD).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pyexpat import ExpatError, ParserCreate
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.records import dataclass, field

MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 500_000
MAX_PREFIXES: Final = 128
"""In scope at one element."""
XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
_ENCODINGS: Final = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "us-ascii"})
"""What expat reads by itself; anything else would go through codecs that were never meant for hostile input."""


@dataclass(frozen=True, slots=True)
class Comment:
    text: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """A processing instruction."""

    target: str
    data: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that declares no namespace."""

    name: str
    """As written, with its prefix."""
    namespace: str
    """Empty: none."""
    local: str
    value: str


@dataclass(slots=True, eq=False)
class Element:
    """One element."""

    name: str
    """As written, with its prefix."""
    namespace: str
    local: str
    attributes: tuple[Attribute, ...]
    declared: Mapping[str, str]
    """Namespaces by prefix that are declared at this element; the empty prefix is the default namespace."""
    scope: Mapping[str, str]
    """All that are in scope here."""
    parent: Element | None
    children: list[Element | Comment | Instruction | str] = field(default_factory=list)

    @staticmethod
    def of(local: str, attributes: Iterable[tuple[str, str]], parent: Element) -> Element:
        """A new element in the default namespace of its parent, for what is written anew before it is signed. It is not added there."""
        given = tuple(Attribute(name, "", name, value) for name, value in attributes)
        return Element(local, parent.scope.get("", ""), local, given, {}, parent.scope, parent)

    @property
    def prefix(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def text(self) -> str:
        """The character data directly in it."""
        return "".join(child for child in self.children if isinstance(child, str))

    def get(self, local: str) -> str | None:
        """The attribute of this name that is in no namespace."""
        return next((one.value for one in self.attributes if one.local == local and not one.namespace), None)

    def elements(self, local: str | None = None, namespace: str | None = None) -> Iterator[Element]:
        """Child elements of that name, in order; the namespace is the element's own where none is given."""
        wanted = self.namespace if namespace is None else namespace
        for child in self.children:
            if isinstance(child, Element) and (local is None or (child.local == local and child.namespace == wanted)):
                yield child

    def only(self, local: str) -> Element:
        """The one child of that name. Raises FormatError where there is none, or several."""
        found = list(self.elements(local))
        if len(found) != 1:
            raise FormatError(f"<{self.local}> has {len(found)} <{local}> where it must have one")
        return found[0]

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(child for child in reversed(element.children) if isinstance(child, Element))


@dataclass(frozen=True, slots=True)
class Document:
    root: Element
    has_outside: bool
    """Comments or instructions stand before or behind the root."""


class _Builder:
    """The handlers of one parse."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.has_outside = False
        self._open: list[Element] = []
        self._count = 0
        self.parser = parser = ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declaration

    def close(self) -> None:
        """Undo the circle of references between the parser and its handlers."""
        for name in (
            "StartElementHandler",
            "EndElementHandler",
            "CharacterDataHandler",
            "CommentHandler",
            "ProcessingInstructionHandler",
            "StartDoctypeDeclHandler",
            "XmlDeclHandler",
        ):
            setattr(self.parser, name, None)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise FormatError("the XML is in an encoding that is not read", got=repr(encoding[:40]))

    def _doctype(self, *_: object) -> None:
        raise FormatError("the XML has a document type, which no signed package needs")

    def _start(self, name: str, given: list[str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise LimitError("the XML has too many elements, or is too deep")
        parent = self._open[-1] if self._open else None
        pairs = list(zip(given[::2], given[1::2], strict=True))
        declared = dict(_declarations(pairs))
        outer: Mapping[str, str] = parent.scope if parent is not None else {}
        scope = {**outer, **declared} if declared else outer
        if len(scope) > MAX_PREFIXES:
            raise LimitError("the XML has too many namespaces")
        namespace, local = _resolved(name, scope, is_attribute=False)
        attributes = tuple(
            Attribute(key, *_resolved(key, scope, is_attribute=True), value) for key, value in pairs if not _declares(key)
        )
        if len({(one.namespace, one.local) for one in attributes}) != len(attributes):
            raise FormatError("an element has an attribute twice", got=f"<{name[:60]}>")
        element = Element(name, namespace, local, attributes, declared, scope, parent)
        if parent is None:
            self.root = element
        else:
            parent.children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].children.append(text)

    def _comment(self, text: str) -> None:
        if self._open:
            self._open[-1].children.append(Comment(text))
        else:
            self.has_outside = True

    def _instruction(self, target: str, data: str) -> None:
        if self._open:
            self._open[-1].children.append(Instruction(target, data))
        else:
            self.has_outside = True


def read_document(data: bytes) -> Document:
    """Parse a whole document.

    Raises:
        FormatError: not well-formed, a document type, a prefix without a namespace.
        LimitError: too deep, too many elements or namespaces.
    """
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except ExpatError as error:
        raise FormatError(f"the XML is not well-formed: {error}") from None
    except (ValueError, LookupError) as error:
        raise FormatError(f"the XML cannot be decoded: {error}") from None
    finally:
        builder.close()
    assert builder.root is not None  # expat refuses a document without a root
    return Document(builder.root, builder.has_outside)


def _declares(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _declarations(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, uri in pairs:
        if not _declares(name):
            continue
        prefix = name.partition(":")[2]
        if prefix == "xmlns" or (prefix == "xml") != (uri == XML_NAMESPACE) or (prefix and not uri) or ":" in prefix:
            raise FormatError("a namespace is declared as none may be", got=f"{name[:60]}={uri[:60]!r}")
        if prefix != "xml":
            yield prefix, uri


def _resolved(name: str, scope: Mapping[str, str], *, is_attribute: bool) -> tuple[str, str]:
    """Namespace and local name."""
    prefix, colon, local = name.partition(":")
    if not colon:
        return ("" if is_attribute else scope.get("", "")), name
    if prefix == "xml":
        return XML_NAMESPACE, local
    if prefix not in scope or not local or ":" in local:
        raise FormatError("a name has a prefix that no namespace is declared for", got=repr(name[:60]))
    return scope[prefix], local
