"""The standard library's `NamedTuple`, without what it makes of annotations.

`typing` compiles each of them to know whether it is a type, which nobody asks at run time; the first call of `compile` alone readies
Python's whole syntax tree, two milliseconds. The classes here are those of `collections.namedtuple`, as `typing`'s are: making an instance
and reading a field take what they take there. For a type checker it is `typing.NamedTuple`, which also sees to it that no field without
a default follows one that has it.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Rows(type):
        """Makes a tuple class of what the body of a class says."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            names = body["__annotations__"]
            defaults = [body[field] for field in names if field in body]
            made = namedtuple(name, names, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in names:
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Rows):
        """The base that is written down; no class has it."""
