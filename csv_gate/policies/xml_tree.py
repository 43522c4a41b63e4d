"""XML text to validated elements: bounded, without DTDs, each element with its line and column.

Elements that the caller names are turned into values as they end, so that a policy with a hundred thousand rules never stands
in memory as a tree. The bytes are attacker-controlled: a DOCTYPE is refused before anything in it is read (so there are no
entities, no external anything and no expansion), and size, depth and number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pyexpat import ExpatError, ParserCreate

from csv_gate.errors import Place, PolicyError
from csv_gate.limits import Limits
from csv_gate.policies.xml_grammar import NAMESPACE, SEPARATOR, SI_POLICY, Shape

_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "us-ascii"})
"""What expat reads by itself; anything else would go through codecs that were never meant for hostile input."""
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance" + SEPARATOR


class Element:
    """One element while it is open, and after it for those that are not turned into values."""

    __slots__ = ("attributes", "children", "column", "is_read", "line", "path", "shape", "text_parts")

    def __init__(
        self, shape: Shape, attributes: dict[str, str], path: str, line: int, column: int, is_read: bool = False
    ) -> None:
        self.shape = shape
        self.attributes = attributes
        self.path = path
        self.line = line
        self.column = column
        self.is_read = is_read
        """Its value is known already: it was plain."""
        self.children: list[tuple[str, object]] = []
        self.text_parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.text_parts)

    @property
    def place(self) -> Place:
        return Place(path=self.path, line=self.line, column=self.column)

    def child(self, name: str) -> Element | None:
        """The one child element of this name that was not turned into a value."""
        for child_name, child in self.children:
            if child_name == name and isinstance(child, Element):
                return child
        return None

    def elements(self, name: str | None = None) -> list[Element]:
        """Child elements of this name (of any name when `None`)."""
        return [
            child for child_name, child in self.children if (name is None or child_name == name) and isinstance(child, Element)
        ]

    def error(self, title: str, *, got: str | None = None, expected: str | None = None, help: str | None = None) -> PolicyError:
        return PolicyError(title, place=self.place, got=got, expected=expected, help=help)


Convert = Callable[[Element], object]
Plain = Callable[[dict[str, str], int, int], object]
"""Attributes, line and column of an element without content to its value; `None` where anything about it is unusual."""


class _TreeBuilder:
    """The handlers of one parse."""

    def __init__(self, path: str, limits: Limits, convert: Mapping[Shape, Convert], plain: Mapping[Shape, Plain]) -> None:
        self._path = path
        self._limits = limits
        self._most, self._deepest = limits.max_policy_elements, limits.max_policy_depth
        self._convert = convert
        self._plain = {shape: (read, Element(shape, {}, path, 0, 0, is_read=True)) for shape, read in plain.items()}
        """With what stands for an element of that shape while it is open: only its shape is asked for then."""
        self._open: list[Element] = []
        self._count = 0
        self.root: Element | None = None
        self.parser = parser = ParserCreate(namespace_separator=SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declaration

    def _place(self) -> Place:
        return Place(path=self._path, line=self.parser.CurrentLineNumber, column=self.parser.CurrentColumnNumber + 1)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise PolicyError(
                "the policy is in an encoding that is not read",
                place=self._place(),
                got=repr(encoding[:40]),
                expected="UTF-8 or UTF-16",
                help="save the policy as UTF-8",
            )

    def _doctype(self, name: str, system_id: str | None, public_id: str | None, has_internal: bool) -> None:
        raise PolicyError(
            "the policy has a document type declaration",
            place=self._place(),
            got=f"<!DOCTYPE {name[:40]}",
            expected="no DOCTYPE: policies have no entities",
            help="remove it; entities are never expanded",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        open_elements = self._open
        self._count += 1
        if self._count > self._most or len(open_elements) >= self._deepest:
            self._refuse_size(len(open_elements))
        parser = self.parser
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        if open_elements:
            parent = open_elements[-1]
            shape = parent.shape.children.get(name)
            if shape is None:
                raise self._unknown_element(parent, name)
            plain = self._plain.get(shape)
            if plain is not None:
                read, stand_in = plain
                value = read(attributes, line, column)
                if value is not None:
                    parent.children.append((shape.name, value))
                    open_elements.append(stand_in)
                    return
        else:
            shape = _root_shape(name, self._place())
            attributes = {key: value for key, value in attributes.items() if not key.startswith(_SCHEMA_INSTANCE)}
        element = Element(shape, attributes, self._path, line, column)
        if not (attributes.keys() <= shape.attributes and shape.required <= attributes.keys()):
            _refuse_attributes(element)
        open_elements.append(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if element.is_read:
            return
        shape = element.shape
        if shape.children:
            _check_children(element)
        if not self._open:
            self.root = element
            return
        convert = self._convert.get(shape)
        self._open[-1].children.append((shape.name, element if convert is None else convert(element)))

    def _text(self, text: str) -> None:
        element = self._open[-1]
        shape = element.shape
        if shape.has_text:
            element.text_parts.append(text)
        elif not text.isspace():
            raise PolicyError(
                f"<{shape.name}> contains text",
                place=self._place(),
                got=repr(text.strip()[:40]),
                expected="elements only" if shape.children else "nothing",
                help="remove the text, or put it into a comment",
            )

    def _refuse_size(self, depth: int) -> None:
        which = "max_policy_depth" if depth >= self._limits.max_policy_depth else "max_policy_elements"
        raise PolicyError(
            "the policy is larger than any real one",
            place=self._place(),
            got=f"more than {getattr(self._limits, which)}",
            expected=f"within the limit {which}",
            help=f"raise {which} if this policy is really meant",
        )

    def _unknown_element(self, parent: Element, name: str) -> PolicyError:
        from csv_gate.policies.suggestions import did_you_mean

        local = name.rpartition(SEPARATOR)[2]
        known = sorted(child.name for child in parent.shape.children.values())
        return PolicyError(
            f"<{local[:60]}> is not an element of <{parent.shape.name}>",
            place=self._place(),
            got=f"<{local[:60]}>" if name.startswith(NAMESPACE + SEPARATOR) else f"<{local[:60]}> of another namespace",
            expected="one of " + ", ".join(known) if known else "no element inside",
            help=did_you_mean(local, known),
        )


def _root_shape(name: str, place: Place) -> Shape:
    namespace, _, local = name.rpartition(SEPARATOR)
    if namespace == NAMESPACE and local == SI_POLICY.name:
        return SI_POLICY
    known = {"AppLockerPolicy": "this is an AppLocker policy; App Control needs a SiPolicy"}
    raise PolicyError(
        "the file is not an App Control policy",
        place=place,
        got=f"<{local[:60]}>" + (f" in namespace {namespace[:80]!r}" if namespace else " without a namespace"),
        expected=f'<SiPolicy xmlns="{NAMESPACE}">',
        help=known.get(local, "give the policy XML that ConfigCI compiles, or the compiled policy itself"),
    )


def _refuse_attributes(element: Element) -> None:
    from csv_gate.policies.suggestions import did_you_mean

    shape = element.shape
    for name in element.attributes:
        if name not in shape.attributes:
            known = sorted(shape.attributes)
            raise element.error(
                f"{name[:80]!r} is not an attribute of <{shape.name}>",
                got=f"{name[:80]}={element.attributes[name][:60]!r}",
                expected="one of " + ", ".join(known) if known else "no attribute",
                help=did_you_mean(name, known),
            )
    missing = sorted(shape.required - element.attributes.keys())
    raise element.error(f"<{shape.name}> lacks {' and '.join(missing)}", expected=", ".join(f'{name}="…"' for name in missing))


def _check_children(element: Element) -> None:
    shape = element.shape
    if not element.children and not shape.needs:
        return
    if len(shape.repeats) < len(shape.children):
        seen: set[str] = set()
        for name, child in element.children:
            if name in seen and name not in shape.repeats:
                where = child if isinstance(child, Element) else element
                raise where.error(f"<{shape.name}> has more than one <{name}>", expected="one", help="merge them or remove one")
            seen.add(name)
        for name in shape.needs:
            if name not in seen:
                raise element.error(f"<{shape.name}> lacks <{name}>", expected=f"one <{name}>")


def read_tree(
    data: bytes, *, path: str, limits: Limits, convert: Mapping[Shape, Convert], plain: Mapping[Shape, Plain]
) -> Element:
    """Parse a whole policy text; elements whose shape is in `convert` are replaced by what it returns for them.

    Those whose shape is in `plain` too are offered there first: what most of them look like, in large policies by the ten thousand.

    Raises:
        PolicyError: not well-formed, not a SiPolicy, outside the schema or the limits, or whatever `convert` raises.
    """
    builder = _TreeBuilder(path, limits, convert, plain)
    try:
        builder.parser.Parse(data, True)
    except ExpatError as error:
        raise PolicyError(
            "the policy is not well-formed XML",
            place=Place(path=path, line=error.lineno, column=error.offset + 1),
            got=str(error).partition(":")[0],
            expected="well-formed XML without entities",
            help="open it in an editor that checks XML, or export it from ConfigCI again",
        ) from None
    except UnicodeDecodeError:
        raise PolicyError(
            "the policy contains text that is no Unicode",
            place=Place(path=path, line=builder.parser.CurrentLineNumber),
            expected="UTF-8 or UTF-16",
            help="save the policy as UTF-8",
        ) from None
    finally:
        for handler in (
            "StartElementHandler",
            "EndElementHandler",
            "CharacterDataHandler",
            "StartDoctypeDeclHandler",
            "XmlDeclHandler",
        ):
            setattr(builder.parser, handler, None)  # they refer back to the builder: break the cycle
    assert builder.root is not None  # expat refuses a document without a root
    return builder.root
