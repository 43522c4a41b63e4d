"""A JSON value with the path to it, read strictly: each method returns a value of one type or says what stands there instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NoReturn, TypeVar

from csv_gate.errors import Place, UsageError
from csv_gate.records import dataclass

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def parse(data: bytes | str, *, path: str) -> Node:
    """Read a JSON document; `path` is its file, for messages only.

    Raises:
        UsageError: not JSON, or nested too deeply.
    """
    try:
        return Node(json.loads(data, parse_constant=_no_constant), "$", path)
    except json.JSONDecodeError as error:
        place = Place(path=path, line=error.lineno, column=error.colno)
        raise UsageError(f"not a JSON result: {error.msg}", place=place, help="give a file written by `-o json`") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(
            f"not a JSON result: {reason}", place=Place(path=path), help="give a file written by `-o json`"
        ) from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with the path to it. The JSON edge: `Any` ends here."""

    value: Any
    where: str
    path: str

    def refuse(self, expected: str, title: str = "the result has a value of the wrong kind") -> NoReturn:
        got = json.dumps(self.value)
        raise UsageError(
            f"{title} at {self.where}",
            place=Place(path=self.path),
            got=got if len(got) <= 60 else got[:57] + "…",
            expected=expected,
            help="give a file written by `-o json`, unchanged",
        )

    def at(self, name: str) -> Node:
        """A member that must be there."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        if name not in self.value:
            self.refuse(f"an object with the member {name!r}", "the result lacks a member")
        return Node(self.value[name], f"{self.where}.{name}", self.path)

    def find(self, name: str) -> Node:
        """A member that may be left out, which counts as null."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return Node(self.value.get(name), f"{self.where}.{name}", self.path)

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else self.refuse("a string")

    def number(self) -> int:
        good = isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= 0
        return int(self.value) if good else self.refuse("a whole number, not negative")

    def flag(self) -> bool:
        return self.value if isinstance(self.value, bool) else self.refuse("true or false")

    def time(self) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError:
            self.refuse("an RFC 3339 time")
        return moment.astimezone(UTC) if moment.tzinfo else self.refuse("an RFC 3339 time with its zone")

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            self.refuse("a date such as 2027-01-31")

    def one_of(self, kind: type[E]) -> E:
        try:
            return kind(self.value)
        except ValueError:
            self.refuse("one of " + ", ".join(str(member.value) for member in kind))

    def maybe(self, read: Callable[[Node], T]) -> T | None:
        return None if self.value is None else read(self)

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        if not isinstance(self.value, list):
            self.refuse("an array")
        return tuple(read(Node(item, f"{self.where}[{index}]", self.path)) for index, item in enumerate(self.value))

    def texts(self) -> dict[str, str]:
        """An object whose members are all strings."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return {name: self.at(name).text() for name in self.value}
