"""YAML text as a tree that keeps line and column of everything.

Built from PyYAML's events instead of its composer: no recursion on the depth of the input, no tag constructs anything, and an alias is
counted as large as what it stands for, so that a few lines can't stand for a billion. Refused: explicit tags, several documents,
a key twice in one mapping, keys that are no text. A merge key (`<<`) is an ordinary, hence unknown, key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from csv_gate.errors import ConfigError, Place
from csv_gate.records import dataclass

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 1024 * 1024
"""A configuration with thousands of owners stays below 200 KB."""
MAX_DEPTH = 32
MAX_NODES = 50_000
"""Aliases counted as what they stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text with the type that plain YAML gives it: `str`, `int`, `float`, `bool`, `null`, `timestamp`."""

    text: str
    kind: str
    place: Place
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    items: tuple[Node, ...]
    place: Place
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    entries: tuple[tuple[Scalar, Node], ...]
    """In the order of the file; keys are unique."""
    place: Place
    size: int = 1

    def get(self, key: str) -> Node | None:
        return next((node for name, node in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping
Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def read_yaml(data: bytes, path: str) -> Node:
    """Read one document; an empty one is an empty mapping. `data` is untrusted.

    Raises:
        ConfigError: not UTF-8, not YAML, or beyond a bound; with line and column where there is one.
    """
    if not data.strip():
        return Mapping(entries=(), place=Place(path=path, line=1, column=1))
    nodes = list(_documents(data, path, most=1))
    return nodes[0] if nodes else Mapping(entries=(), place=Place(path=path, line=1, column=1))


def read_yaml_documents(data: bytes, path: str, *, most: int = 1000) -> tuple[Node, ...]:
    """Read a file of several documents, at most `most`. Raises ConfigError as `read_yaml`."""
    return tuple(_documents(data, path, most=most))


def _documents(data: bytes, path: str, *, most: int) -> Iterator[Node]:
    import yaml  # 15 ms: only where there is a file to read

    if len(data) > MAX_BYTES:
        raise ConfigError(
            "the file is too large", place=Place(path=path), got=f"{len(data)} bytes", expected=f"at most {MAX_BYTES}"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("the file is not UTF-8", place=Place(path=path, offset=error.start)) from error
    if yaml.reader.Reader.NON_PRINTABLE.search(text):  # YAML 1.1, section 5.1
        raise ConfigError("the file holds control characters, which YAML does not allow", place=Place(path=path))
    loader = yaml.SafeLoader(text)
    builder = _Builder(loader, path)
    documents = 0
    try:
        while loader.check_event():
            event: yaml.Event = loader.get_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > most:
                    raise ConfigError(
                        "the file holds too many documents", place=builder.place(event), expected=f"at most {most}"
                    )
            node = builder.take(event)
            if node is not None:
                yield node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path=path) if mark is None else Place(path=path, line=mark.line + 1, column=mark.column + 1)
        raise ConfigError(f"this is not YAML: {error.problem or error.context}", place=place) from error
    except yaml.YAMLError as error:
        raise ConfigError("this is not YAML", place=Place(path=path)) from error
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been met."""

    place: Place
    anchor: str | None
    is_mapping: bool
    items: list[Node]
    """Of a mapping: keys and values in turn."""
    size: int = 1


class _Builder:
    """Puts events together; holds what one document needs."""

    def __init__(self, loader: yaml.SafeLoader, path: str) -> None:
        self._loader = loader
        self._path = path
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        if mark is None:
            return Place(path=self._path)
        return Place(path=self._path, line=mark.line + 1, column=mark.column + 1)

    def take(self, event: yaml.Event) -> Node | None:
        """Take one event; the root node once it is whole."""
        import yaml

        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(event.anchor or "")
            if node is None:
                raise ConfigError(
                    "the alias stands for nothing that was finished before it", place=self.place(event), got=f"*{event.anchor}"
                )
            return self._put(node, None, event, weight=node.size)
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event)
            tag: str = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
            kind = tag.rpartition(":")[2] if event.style is None else "str"
            kind = "str" if kind in ("merge", "value") else kind
            return self._put(Scalar(text=event.value, kind=kind, place=self.place(event)), event.anchor, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_tag(event)
            if len(self._open) >= MAX_DEPTH:
                raise ConfigError("the file nests too deeply", place=self.place(event), expected=f"at most {MAX_DEPTH} levels")
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(place=self.place(event), anchor=event.anchor, is_mapping=is_mapping, items=[]))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            return self._put(_whole(done), done.anchor, event)
        return None

    def _put(self, node: Node, anchor: str | None, event: yaml.Event, *, weight: int = 1) -> Node | None:
        self._nodes += weight
        if self._nodes > MAX_NODES:
            raise ConfigError(
                "the file holds too much, aliases written out", place=self.place(event), expected=f"{MAX_NODES} values"
            )
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            return node
        parent = self._open[-1]
        parent.items.append(node)
        parent.size += node.size
        return None

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise ConfigError("tags are not used here", place=self.place(event), got=str(tag), expected="a plain value")


def _whole(done: _Open) -> Node:
    if not done.is_mapping:
        return Sequence(items=tuple(done.items), place=done.place, size=done.size)
    entries: list[tuple[Scalar, Node]] = []
    seen: dict[str, Scalar] = {}
    for key, value in zip(done.items[::2], done.items[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise ConfigError("a key must be text", place=key.place, got=described(key), expected="text")
        if key.text in seen:
            first = seen[key.text].place
            raise ConfigError(f"the key {key.text!r} is here twice", place=key.place, got=f"first at line {first.line}")
        seen[key.text] = key
        entries.append((key, value))
    return Mapping(entries=tuple(entries), place=done.place, size=done.size)


_KINDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true/false", "null": "nothing", "timestamp": "a date"}


def described(node: Node) -> str:
    """What stands there, in a reader's words, shortened."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    text = node.text if len(node.text) <= 60 else node.text[:57] + "…"
    return "nothing" if node.kind == "null" else f"{_KINDS.get(node.kind, node.kind)} {text!r}"


def plain(node: Node) -> Plain:
    """The node as JSON's types, dates as text; for schema validation and for `config show`. Depth is bounded by the reader."""
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if node.kind == "bool":
        return node.text.lower() in ("yes", "true", "on")
    if node.kind == "int":
        return whole_number(node.text)
    if node.kind == "null":
        return None
    return node.text


def whole_number(text: str) -> int | None:
    """A decimal or hexadecimal number; YAML 1.1's octal and base-60 forms are nobody's intention."""
    digits = text.replace("_", "").removeprefix("+")
    if len(digits) > 20:
        return None
    try:
        return int(digits, 16) if digits.lower().startswith("0x") else int(digits) if digits == str(int(digits)) else None
    except ValueError:
        return None
