"""What is made when it is first asked for, so that starting costs only what is used: names of packages, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, AnyStr, cast


def lazily(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """A module's `__getattr__` (PEP 562): `places` maps a name to the module of the package that has it.

    No name may be that of a module of the package: importing the module would put it in the name's place.
    """

    def find(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{places[name]}"), name)

    return find


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, compiled at the first use of one of its methods. For functions of `re` itself it is no pattern."""
    return cast("re.Pattern[AnyStr]", _Regex(pattern, flags))


class _Regex:
    """The methods of a compiled expression, of which the instance has those that were asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> object:
        found: object = getattr(re.compile(*self._source), name)
        setattr(self, name, found)  # from now on this is found without asking here
        return found
