"""The standard library's `dataclass`, with its methods made when they are first called.

`dataclasses` compiles six methods for each class while the module is imported, and loads `inspect` and with it Python's parser: that was
half of what judging one file took. Here what the fields of a class are is worked out when somebody asks, the first instances are filled
field by field, `__init__` is compiled when many follow, and the other methods are plain functions over the fields. What is imported only
to be there costs little more than a class does.

`field`, `fields`, `replace`, pickling, comparing, hashing and printing work as in `dataclasses`, and for a type checker they are that.
The functions of `dataclasses` itself take these classes too. Left out is what the project does not use: ordering, `InitVar`, and
positional patterns over inherited fields.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import MISSING as MISSING
    from dataclasses import Field as Field
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import is_dataclass as is_dataclass
    from dataclasses import replace as replace
else:

    class _Missing:
        def __repr__(self):
            return "MISSING"

    MISSING = _Missing()
    """There is no default."""

    class Field:
        """One field of a record; its attributes are those of `dataclasses.Field`."""

        __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "metadata", "name", "repr")

        def __init__(
            self,
            *,
            default=MISSING,
            default_factory=MISSING,
            init=True,
            repr=True,
            compare=True,
            metadata=None,
            kw_only=MISSING,
        ):
            self.name = None
            self.default = default
            self.default_factory = default_factory
            self.init = init
            self.repr = repr
            self.compare = compare
            self.metadata = {} if metadata is None else metadata
            self.kw_only = kw_only

    field = Field

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False, eq=True):
        """As `dataclasses.dataclass` with these options."""

        def made(of):
            return _record(of, frozen, slots, kw_only, eq)

        return made if cls is None else made(cls)

    def is_dataclass(of):
        """Whether this is a record or the class of one."""
        return hasattr(of, "__record__")

    def fields(of):
        """The fields of a record or of its class, in order, inherited ones first."""
        return _fields(of if isinstance(of, type) else of.__class__)

    def replace(of, /, **changes):
        """A copy with other values in some fields."""
        for one in _fields(of.__class__):
            if one.init:
                if one.name not in changes:
                    changes[one.name] = getattr(of, one.name)
            elif one.name in changes:
                raise ValueError(f"field {one.name} is declared with init=False, it cannot be specified with replace()")
        return of.__class__(**changes)


class _StandardFields:
    """What `dataclasses` knows a dataclass by, for those who hand a record to its functions; made when they do."""

    def __get__(self, instance: object, owner: Any) -> dict[str, Any]:
        from csv_gate.records.standard import standard_fields

        return standard_fields(owner)


_STANDARD_FIELDS = _StandardFields()


def _record(cls: type[Any], frozen: bool, slots: bool, kw_only: bool, eq: bool) -> type[Any]:
    own = cls.__dict__
    names = tuple(name for name, hint in cls.__annotations__.items() if not hint.startswith("ClassVar"))
    defaults = {name: own[name] for name in names if name in own}
    made: dict[str, Any] = {
        "__record__": (names, defaults, kw_only),
        "__dataclass_fields__": _STANDARD_FIELDS,
        "__match_args__": () if kw_only else tuple(name for name in names if _is_given(defaults.get(name))),
    }
    if "__repr__" not in own:
        made["__repr__"] = _repr
    if eq and "__eq__" not in own:
        made["__eq__"] = _eq
        if "__hash__" not in own:
            made["__hash__"] = _hash if frozen else None
    if frozen:
        made["__setattr__"], made["__delattr__"] = _refuse_to_set, _refuse_to_delete
        if slots:
            made["__getstate__"], made["__setstate__"] = _getstate, _setstate
    return _with_slots(cls, names, made, frozen) if slots else _in_place(cls, made, frozen)


def _is_given(default: object) -> bool:
    """Whether `__init__` takes the field by position."""
    return not isinstance(default, Field) or (default.init and default.kw_only is not True)


def _with_slots(cls: type[Any], names: tuple[str, ...], made: dict[str, Any], frozen: bool) -> type[Any]:
    """The class once more: slots can be given only to a class that is being made."""
    inherited = {slot for base in cls.__mro__[1:-1] for slot in base.__dict__.get("__slots__", ())}
    body = dict(cls.__dict__)
    for name in made["__record__"][1]:
        del body[name]
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    body.update(made, __qualname__=cls.__qualname__, __slots__=tuple([name for name in names if name not in inherited]))
    if "__init__" not in body:
        body["__init__"] = _late_init(lambda: again, frozen)
    metaclass: Any = type(cls)
    again: type[Any] = metaclass(cls.__name__, cls.__bases__, body)
    return again


def _in_place(cls: type[Any], made: dict[str, Any], frozen: bool) -> type[Any]:
    if "__init__" not in cls.__dict__:
        made["__init__"] = _late_init(lambda: cls, frozen)
    for name, value in made.items():
        setattr(cls, name, value)
    for name, default in made["__record__"][1].items():
        if not isinstance(default, Field):
            continue
        if default.default is MISSING:
            delattr(cls, name)
        else:
            setattr(cls, name, default.default)
    return cls


_known: dict[type[Any], tuple[Field[Any], ...]] = {}


def _fields(cls: type[Any]) -> tuple[Field[Any], ...]:
    found = _known.get(cls)
    if found is None:
        merged: dict[str, Field[Any]] = {}
        for base in reversed(cls.__mro__):
            if "__record__" in base.__dict__:
                names, defaults, kw_only = base.__dict__["__record__"]
                merged.update((name, _field(name, defaults.get(name, MISSING), kw_only)) for name in names)
        if not hasattr(cls, "__record__"):
            raise TypeError(f"{cls.__name__} is no dataclass")
        found = _known[cls] = tuple(merged.values())
    return found


def _field(name: str, default: Any, kw_only: bool) -> Field[Any]:
    one: Field[Any] = default if isinstance(default, Field) else field(default=default)
    one.name = name
    if one.kw_only is MISSING:
        one.kw_only = kw_only
    if one.default.__class__.__hash__ is None:
        raise ValueError(f"mutable default {type(one.default)} for field {name} is not allowed: use default_factory")
    return one


FEW = 32
"""Instances of a class up to which setting fields one by one takes less than compiling an `__init__` for it. Of most classes a run needs
one to three: the plan, the limits, the policy."""


def _late_init(made: Callable[[], type[Any]], frozen: bool) -> Callable[..., None]:
    """An `__init__` that sets the fields of the first few instances itself, and then has one compiled in its place. The class is asked
    for when it is needed: here it may be still in the making."""
    instances = 0

    def first(self: object, *values: object, **named: object) -> None:
        nonlocal instances
        instances += 1
        cls: Any = made()
        if instances > FEW or not _fill(self, cls, frozen, values, named):
            from csv_gate.records.compiled import compiled_init

            cls.__init__ = init = compiled_init(cls, frozen)
            init(self, *values, **named)

    return first


def _fill(self: Any, cls: type[Any], frozen: bool, values: tuple[object, ...], named: dict[str, Any]) -> bool:
    """Set all fields as the compiled `__init__` would; False where it would refuse these arguments, which is for it to say."""
    given = named
    if values:
        places = [one.name for one in _fields(cls) if one.init and one.kw_only is not True]
        given = dict(zip(places, values, strict=False))
        if len(values) > len(places) or given.keys() & named.keys():
            return False
        given.update(named)
    left = len(given)
    set_field = object.__setattr__ if frozen else setattr
    for one in _fields(cls):
        name = one.name
        if one.init and name in given:
            left -= 1
            set_field(self, name, given[name])
        elif one.default is not MISSING:
            set_field(self, name, one.default)
        elif one.default_factory is not MISSING:
            set_field(self, name, one.default_factory())
        elif one.init:
            return False
    if left:
        return False
    if hasattr(cls, "__post_init__"):
        self.__post_init__()
    return True


_compared: dict[type[Any], Callable[[Any], Any]] = {}
_stored: dict[type[Any], tuple[str, ...]] = {}


def _values(cls: type[Any]) -> Callable[[Any], Any]:
    """What gives all that instances are compared by."""
    found = _compared.get(cls)
    if found is None:
        names = [one.name for one in _fields(cls) if one.compare]
        found = _compared[cls] = (
            attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)
        )
    return found


def _names(cls: type[Any]) -> tuple[str, ...]:
    found = _stored.get(cls)
    if found is None:
        found = _stored[cls] = tuple(one.name for one in _fields(cls))
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
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in _fields(self.__class__) if one.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError  # for those who caught it there; nobody else pays for loading it

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in _names(self.__class__)]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(_names(self.__class__), state, strict=True):
        object.__setattr__(self, name, value)
