"""Fields of a record as `dataclasses` describes them, for its own functions."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from csv_gate.records import MISSING, Field, fields


@cache
def standard_fields(cls: type[Any]) -> dict[str, Any]:
    """What `dataclasses` finds at a class of its own."""

    def standard(one: Field[Any]) -> Any:
        options: dict[str, Any] = {name: getattr(one, name) for name in ("init", "repr", "compare", "metadata", "kw_only")}
        for name in ("default", "default_factory"):
            if getattr(one, name) is not MISSING:
                options[name] = getattr(one, name)
        return dataclasses.field(**options)

    described = [(one.name, Any, standard(one)) for one in fields(cls)]
    twin: Any = dataclasses.make_dataclass(cls.__name__, described, init=False, repr=False, eq=False)
    made: dict[str, Any] = twin.__dataclass_fields__
    return made
