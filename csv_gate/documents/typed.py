"""A tree of nodes as frozen dataclasses, driven by their type hints, telling every fault at once.

Known hints: str, int, bool, date, Path, Glob, FilePattern, Secret, an enum of text, a dataclass, `tuple[X, ...]`, `Mapping[str, X]`, and
`X | None`. A list of plain values may be written as one value without brackets. A record whose class names a `SHORTHAND` field may be
written as one text, which is then that field. Depth is bounded by the types, which are not recursive.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType, UnionType
from typing import TypeVar, Union, cast, get_args, get_origin

from csv_gate.documents.kinds import ENV_NAME, GIVEN, HIGH, KEY, LOW, PATTERN, FilePattern, Secret, Shape
from csv_gate.documents.nodes import Mapping, Node, Scalar, Sequence, described, whole_number
from csv_gate.errors import ConfigError, ConfigErrors, Place
from csv_gate.globs import Glob
from csv_gate.records import MISSING, Field, fields, is_dataclass

T = TypeVar("T")

Origins = dict[str, Place]
"""Dotted key (`targets.prod.mode`, `owners[0].paths`) -> where its value is written."""

MAX_FAULTS = 100
"""More would not be read."""


def read_typed(kind: type[T], node: Node, origins: Origins | None = None) -> T:
    """Read a whole document as the dataclass `kind`.

    Raises:
        ConfigErrors: every fault, in the order of file and line.
    """
    reading = _Reading({} if origins is None else origins)
    value = reading.record(kind, node, "", None)
    if reading.faults:
        raise ConfigErrors(sorted(reading.faults, key=_by_place)[:MAX_FAULTS])
    return cast(T, value)


def _by_place(error: ConfigError) -> tuple[str, int, int]:
    place = error.place or Place(path="")
    return place.path, place.line or 0, place.column or 0


class _Names(dict[str, object]):
    """The names of a module, also those that it finds late (PEP 562)."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __missing__(self, name: str) -> object:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise KeyError(name) from None


@cache
def hint_of(kind: type, name: str) -> object:
    """What the annotation of one field means, in the module of its record.

    `typing.get_type_hints` takes all fields of a record at once, so that all sections of a configuration would be loaded to read one, and
    knows no name that is found late. What is evaluated is this package's own text.
    """
    module = sys.modules[kind.__module__]
    return cast(object, eval(kind.__annotations__[name], vars(module), _Names(module)))


def file_fields(kind: type) -> dict[str, Field[object]]:
    """Name in the file -> field, of those that a file may hold."""
    known = (entry for entry in fields(kind) if GIVEN not in entry.metadata)
    return {entry.metadata.get(KEY, entry.name): entry for entry in known}


def without_none(hint: object) -> object:
    """`X` of `X | None`."""
    if get_origin(hint) in (Union, UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def is_required(entry: Field[object]) -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING


class _Missing:
    """Stands for a value that could not be read; the fault is noted."""


_MISSING = _Missing()


class _Reading:
    """One pass over one document."""

    def __init__(self, origins: Origins) -> None:
        self.faults: list[ConfigError] = []
        self._origins = origins

    def value(self, hint: object, node: Node, at: str, key: str | None, entry: Field[object]) -> object:
        """The value of one node, or `_MISSING` with the fault noted."""
        hint = without_none(hint)
        self._origins[at] = node.place
        origin = get_origin(hint)
        if origin is tuple:
            return self._tuple(get_args(hint)[0], node, at, entry)
        if origin is MappingType:
            return self._mapping(get_args(hint)[1], node, at, entry)
        if isinstance(hint, type) and is_dataclass(hint) and hint not in (Glob, FilePattern, Secret):
            return self.record(hint, node, at, key)
        return self._plain(hint, node, entry)

    def record(self, kind: type, node: Node, at: str, key: str | None) -> object:
        shorthand: str | None = getattr(kind, "SHORTHAND", None)
        if shorthand is not None and isinstance(node, Scalar):
            field_name = Scalar(text=shorthand, kind="str", place=node.place)
            node = Mapping(entries=((field_name, node),), place=node.place)
        if not isinstance(node, Mapping):
            return self._wrong(node, Shape.MAPPING)
        known = file_fields(kind)
        values: dict[str, object] = {}
        for name, value in node.entries:
            entry = known.get(name.text)
            if entry is None:
                self._unknown_key(name, known, at)
                continue
            if isinstance(value, Scalar) and value.kind == "null" and not is_required(entry):
                continue  # `key:` without a value is the default
            values[entry.name] = self.value(hint_of(kind, entry.name), value, f"{at}.{name.text}".lstrip("."), None, entry)
        for missing, entry in known.items():
            if entry.name not in values and is_required(entry):
                self._fault(f"the key {missing!r} is missing", node.place, expected=str(entry.metadata.get("doc", "")) or None)
                values[entry.name] = _MISSING
        for entry in fields(kind):
            if GIVEN in entry.metadata:
                values[entry.name] = key if entry.metadata[GIVEN] == "key" else node.place
        if any(value is _MISSING for value in values.values()):
            return _MISSING
        try:
            return kind(**values)
        except ConfigErrors as several:
            self.faults += several.errors
            return _MISSING
        except ConfigError as error:  # a rule over several fields, in the record's own __post_init__
            return self._fault(error.title, error.place or node.place, got=error.got, expected=error.expected, help=error.help)

    def _tuple(self, hint: object, node: Node, at: str, entry: Field[object]) -> object:
        if isinstance(node, Scalar) and node.kind != "null":
            value = self.value(hint, node, at, None, entry)
            return _MISSING if value is _MISSING else (value,)
        if not isinstance(node, Sequence):
            return self._wrong(node, Shape.LIST)
        values = [self.value(hint, item, f"{at}[{index}]", None, entry) for index, item in enumerate(node.items)]
        return _MISSING if any(value is _MISSING for value in values) else tuple(values)

    def _mapping(self, hint: object, node: Node, at: str, entry: Field[object]) -> object:
        if not isinstance(node, Mapping):
            return self._wrong(node, Shape.MAPPING)
        values = {name.text: self.value(hint, value, f"{at}.{name.text}", name.text, entry) for name, value in node.entries}
        return _MISSING if any(value is _MISSING for value in values.values()) else values

    def _plain(self, hint: object, node: Node, entry: Field[object]) -> object:
        if hint is Secret:
            return self._secret(node)
        if hint is str:
            return self._text(node, entry)
        if hint is int:
            return self._number(node, entry)
        if hint is bool:
            if isinstance(node, Scalar) and node.kind == "bool":
                return node.text.lower() in ("yes", "true", "on")
            return self._wrong(node, Shape.BOOL)
        if hint is date:
            return self._date(node)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self._enum(hint, node)
        if hint in (Path, Glob, FilePattern):
            return self._file(hint, node)
        raise AssertionError(f"no reader for {hint!r}")

    def _text(self, node: Node, entry: Field[object]) -> object:
        if not isinstance(node, Scalar) or node.kind != "str":
            quoting = "put it in quotes if text is meant" if isinstance(node, Scalar) else None
            return self._wrong(node, Shape.TEXT, help=quoting)
        pattern = entry.metadata.get(PATTERN)
        if pattern is not None and re.fullmatch(pattern, node.text) is None:
            return self._wrong(node, str(entry.metadata.get("doc", pattern)))
        return node.text if node.text else self._wrong(node, "text that is not empty")

    def _number(self, node: Node, entry: Field[object]) -> object:
        number = whole_number(node.text) if isinstance(node, Scalar) and node.kind == "int" else None
        if number is None:
            return self._wrong(node, Shape.NUMBER)
        low, high = entry.metadata.get(LOW), entry.metadata.get(HIGH)
        if (low is not None and number < low) or (high is not None and number > high):
            return self._wrong(node, f"a number from {low} to {high}" if high is not None else f"a number from {low} on")
        return number

    def _date(self, node: Node) -> object:
        if isinstance(node, Scalar) and node.kind in ("str", "timestamp") and re.fullmatch(r"\d{4}-\d{2}-\d{2}", node.text):
            try:
                return date.fromisoformat(node.text)
            except ValueError:
                pass
        return self._wrong(node, Shape.DATE)

    def _enum(self, hint: type[Enum], node: Node) -> object:
        choices = [str(member.value) for member in hint]
        if isinstance(node, Scalar) and node.text in choices:
            return hint(node.text)
        expected = f"one of {', '.join(choices)}"
        return self._wrong(node, expected, help=did_you_mean(node.text if isinstance(node, Scalar) else "", choices))

    def _file(self, hint: object, node: Node) -> object:
        shape = Shape.GLOB if hint is Glob else Shape.PATH
        if not isinstance(node, Scalar) or node.kind != "str" or not node.text or "\0" in node.text:
            return self._wrong(node, shape)
        folder = Path(node.place.path).parent
        if hint is Path:
            return folder / node.text
        if hint is FilePattern:
            return FilePattern(folder, node.text)
        try:
            return Glob(node.text)
        except ConfigError as error:
            return self._fault(error.title, node.place, got=error.got, expected=error.expected)

    def _secret(self, node: Node) -> object:
        named = node.get("env") if isinstance(node, Mapping) and len(node.entries) == 1 else None
        if isinstance(named, Scalar) and named.kind == "str" and ENV_NAME.fullmatch(named.text):
            return Secret(named.text)
        # What stands here may be a secret: never repeat it.
        return self._fault("a secret must not be in the file", node.place, got="something else", expected=Shape.SECRET)

    def _unknown_key(self, name: Scalar, known: Iterable[str], at: str) -> None:
        where = f" in {at}" if at else ""
        keys = sorted(known)
        self._fault(
            f"the key {name.text[:60]!r} is not known{where}",
            name.place,
            expected=f"one of {', '.join(keys)}",
            help=did_you_mean(name.text, keys),
        )

    def _wrong(self, node: Node, expected: str, *, help: str | None = None) -> _Missing:
        return self._fault("wrong value", node.place, got=described(node), expected=expected, help=help)

    def _fault(
        self, title: str, place: Place, *, got: str | None = None, expected: str | None = None, help: str | None = None
    ) -> _Missing:
        self.faults.append(ConfigError(title, place=place, got=got, expected=expected, help=help))
        return _MISSING


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(word[:60], list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else None
