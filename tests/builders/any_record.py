"""Records of any kind with anything in their fields, for what must hold whatever they say."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

HOSTILE = ('"', "\\", '\\"signatures\\":[]', "##vso[task.complete]", "#", "##[", "\u202e\udc80é", "\x7f", "\n", "")
"""What a line of JSON must escape, or must not take for its own."""

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec=None), max_size=12))


@cache
def any_record(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of a record class, its fields filled by their types."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _of(hints[field.name]) for field in fields(kind)})


def _of(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(_of, arguments))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(_of(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*map(_of, arguments))
    if origin is Mapping:
        return st.dictionaries(*map(_of, arguments), max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(sorted(hint, key=lambda member: member.name))
    return _PLAIN[hint] if hint in _PLAIN else any_record(hint)


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    bool: st.booleans(),
    int: st.integers(0, 2**40),
    type(None): st.none(),
    date: st.dates(),
    datetime: st.datetimes(min_value=datetime(1601, 1, 2), timezones=st.just(UTC)),
}
