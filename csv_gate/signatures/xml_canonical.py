"""Canonical XML: the octets that an XML signature is made over.

Sources: Canonical XML 1.0 (W3C, 15 March 2001) and Exclusive XML Canonicalization 1.0 (W3C, 18 July 2002), with and without comments, of
an element with everything in it. Not modelled: any other set of nodes, Canonical XML 1.1 and 2.0. Python's own `canonicalize` is 2.0: it
leaves out declarations that are not used, as the exclusive form does, so that signatures over the inclusive form would not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from csv_gate.signatures.xml_tree import XML_NAMESPACE, Attribute, Comment, Element, Instruction

INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
FORMS: Final[Mapping[str, tuple[bool, bool]]] = MappingProxyType(
    {
        INCLUSIVE: (False, False),
        INCLUSIVE + "#WithComments": (False, True),
        EXCLUSIVE: (True, False),
        EXCLUSIVE + "WithComments": (True, True),
    }
)
"""Identifier -> whether it is exclusive, whether it keeps comments."""

_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_VALUE: Final = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"})
Rendered = Mapping[str, str]
"""Namespaces by prefix as the output's nearest element has them."""


def canonical(apex: Element, algorithm: str = INCLUSIVE, *, prefixes: frozenset[str] = frozenset()) -> bytes:
    """An element and everything in it. `algorithm` is one of `FORMS`; `prefixes` those that the exclusive form treats inclusively."""
    is_exclusive, with_comments = FORMS[algorithm]
    namespaces = _exclusive(prefixes) if is_exclusive else _inclusive
    out: list[str] = []
    waiting: list[tuple[Element | Comment | Instruction | str, Rendered]] = [(apex, {})]
    while waiting:
        node, rendered = waiting.pop()
        match node:
            case str():
                out.append(node)
            case Comment():
                if with_comments:
                    out.append(f"<!--{node.text}-->")
            case Instruction():
                out.append(f"<?{node.target} {node.data}?>" if node.data else f"<?{node.target}?>")
            case Element():
                added = namespaces(node, rendered)
                extra = _inherited(node) if node is apex and not is_exclusive else ()
                out.append(_start(node, added, (*node.attributes, *extra)))
                inner = {**rendered, **added} if added else rendered
                waiting.append((f"</{node.name}>", inner))
                for child in reversed(node.children):
                    waiting.append((child.translate(_TEXT) if isinstance(child, str) else child, inner))
    return "".join(out).encode("utf-8")


def _inclusive(element: Element, rendered: Rendered) -> dict[str, str]:
    """Everything in scope that the output does not have yet."""
    return {prefix: uri for prefix, uri in element.scope.items() if rendered.get(prefix, "") != uri}


def _exclusive(prefixes: frozenset[str]) -> Callable[[Element, Rendered], dict[str, str]]:
    def wanted(element: Element) -> Iterator[str]:
        yield element.prefix
        for one in element.attributes:
            if one.namespace and one.namespace != XML_NAMESPACE:
                yield one.name.partition(":")[0]
        yield from (prefix for prefix in prefixes if prefix in element.scope)

    def added(element: Element, rendered: Rendered) -> dict[str, str]:
        found = {prefix: element.scope.get(prefix, "") for prefix in wanted(element) if prefix != "xml"}
        return {prefix: uri for prefix, uri in found.items() if rendered.get(prefix, "") != uri}

    return added


def _inherited(apex: Element) -> tuple[Attribute, ...]:
    """Attributes of the xml namespace from what is above the apex, the nearest of each name (Canonical XML 1.0, 2.4)."""
    own = {one.local for one in apex.attributes if one.namespace == XML_NAMESPACE}
    found: dict[str, Attribute] = {}
    above = apex.parent
    while above is not None:
        for one in above.attributes:
            if one.namespace == XML_NAMESPACE and one.local not in own:
                found.setdefault(one.local, one)
        above = above.parent
    return tuple(found.values())


def _start(element: Element, namespaces: Mapping[str, str], attributes: tuple[Attribute, ...]) -> str:
    parts = [element.name]
    for prefix, uri in sorted(namespaces.items()):
        parts.append(f'xmlns{":" if prefix else ""}{prefix}="{uri.translate(_VALUE)}"')
    for one in sorted(attributes, key=lambda one: (one.namespace, one.local)):
        parts.append(f'{one.name}="{one.value.translate(_VALUE)}"')
    return f"<{' '.join(parts)}>"
