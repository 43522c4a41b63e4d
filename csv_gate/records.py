"""The standard library's `dataclass`, with its methods made when they are first called.

`dataclasses` compiles six methods for each class while the module is imported: with some two hundred classes that was half of what
judging one file took. Here a class gets its fields at once; `__init__` is compiled at the first instance, and the other methods are
plain functions over the fields. What is imported only to be there costs next to nothing.

`fields`, `replace`, pickling, comparing, hashing and printing work as with `dataclasses.dataclass`, and for a type checker it is that.
Left out is what the project does not use: ordering, `InitVar`, and positional patterns over inherited fields.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import dataclass as _collect
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False, eq=True):
        """As `dataclasses.dataclass` with these options."""

        def made(of):
            return _record(of, frozen, slots, kw_only, eq)

        return made if cls is None else made(cls)


def _record(cls: type[Any], frozen: bool, slots: bool, kw_only: bool, eq: bool) -> type[Any]:
    own = cls.__dict__
    methods: dict[str, Any] = {} if "__repr__" in own else {"__repr__": _repr}
    if eq and "__eq__" not in own:
        methods["__eq__"] = _eq
        if "__hash__" not in own:
            methods["__hash__"] = _hash if frozen else None
    if frozen:
        methods.update(__setattr__=_refuse_to_set, __delattr__=_refuse_to_delete)
    if frozen and slots:
        methods.update(__getstate__=_getstate, __setstate__=_setstate)
    if cls.__doc__ is None:
        cls.__doc__ = ""  # else a signature is written there, which takes longer than all the rest
    made: type[Any] = _collect(cls, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
    for name, method in methods.items():
        setattr(made, name, method)
    if "__init__" not in own:
        made.__init__ = _late_init(made, frozen)
    return made


def _late_init(cls: type[Any], frozen: bool) -> Callable[..., None]:
    def first(self: object, *values: object, **named: object) -> None:
        cls.__init__ = init = _init(cls, frozen)
        init(self, *values, **named)

    return first


def _init(cls: type[Any], frozen: bool) -> Callable[..., None]:
    """Compile the class's `__init__`. A frozen instance is filled through its slots, which nothing refuses."""
    scope: dict[str, Any] = {"_set": object.__setattr__}
    heads: dict[bool, list[str]] = {False: ["self"], True: []}
    lines = []
    for field in fields(cls):
        name = field.name
        value = name
        if field.default is not MISSING:
            scope[f"_d_{name}"] = field.default
            head = f"{name}=_d_{name}"
        elif field.default_factory is not MISSING:
            scope[f"_f_{name}"], scope["_absent"] = field.default_factory, MISSING
            head = f"{name}=_absent"
            value = f"_f_{name}() if {name} is _absent else {name}" if field.init else f"_f_{name}()"
        else:
            head = name
        if field.init:
            heads[field.kw_only is True].append(head)
        elif field.default_factory is MISSING:
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


_compared: dict[type[Any], Callable[[Any], Any]] = {}
_stored: dict[type[Any], tuple[str, ...]] = {}


def _values(cls: type[Any]) -> Callable[[Any], Any]:
    """What gives all that instances are compared by."""
    found = _compared.get(cls)
    if found is None:
        names = [field.name for field in fields(cls) if field.compare]
        found = _compared[cls] = (
            attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)
        )
    return found


def _names(cls: type[Any]) -> tuple[str, ...]:
    found = _stored.get(cls)
    if found is None:
        found = _stored[cls] = tuple(field.name for field in fields(cls))
    return found


def _eq(self: object, other: object) -> object:
    cls = self.__class__
    if other.__class__ is not cls:
        return NotImplemented
    values = _values(cls)
    return values(self) == values(other)


def _hash(self: object) -> int:
    return hash(_values(self.__class__)(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in _names(self.__class__)]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(_names(self.__class__), state, strict=True):
        object.__setattr__(self, name, value)
