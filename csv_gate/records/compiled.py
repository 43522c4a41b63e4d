"""The `__init__` of a record, compiled as `dataclasses` does it: for classes of which a run makes many, or that were called wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csv_gate.records import MISSING, fields


def compiled_init(cls: type[Any], frozen: bool) -> Callable[..., None]:
    """Compile the class's `__init__`. A frozen instance is filled through its slots, which nothing refuses."""
    scope: dict[str, Any] = {"_set": object.__setattr__}
    heads: dict[bool, list[str]] = {False: ["self"], True: []}
    lines = []
    for one in fields(cls):
        name = one.name
        value = name
        if one.default is not MISSING:
            scope[f"_d_{name}"] = one.default
            head = f"{name}=_d_{name}"
        elif one.default_factory is not MISSING:
            scope[f"_f_{name}"], scope["_absent"] = one.default_factory, MISSING
            head = f"{name}=_absent"
            value = f"_f_{name}() if {name} is _absent else {name}" if one.init else f"_f_{name}()"
        else:
            head = name
        if one.init:
            heads[one.kw_only is True].append(head)
        elif one.default_factory is MISSING:
            continue  # `__post_init__` sets it
        lines.append(_assignment(cls, name, value, frozen, scope))
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join([*heads[False], *(["*", *heads[True]] if heads[True] else [])])
    body = "\n ".join(lines or ["pass"])
    exec(f"def __init__({parameters}):\n {body}", scope)
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _assignment(cls: type[Any], name: str, value: str, frozen: bool, scope: dict[str, Any]) -> str:
    if not frozen:
        return f"self.{name} = {value}"
    slot = getattr(getattr(cls, name, None), "__set__", None)
    if slot is None:
        return f"_set(self, {name!r}, {value})"
    scope[f"_s_{name}"] = slot
    return f"_s_{name}(self, {value})"
