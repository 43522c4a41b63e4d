"""Flag > `CSV_GATE_*` > file > default: the layers above the file, as nodes.

A variable is the setting's name in capitals: `CSV_GATE_FAIL_ON=warning`. Lists are separated by commas or line ends. Sections (targets,
owners, …) have no variables. Paths in variables and flags are relative to the current directory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import get_origin

from csv_gate.config.model import Config
from csv_gate.documents import Mapping as MappingNode
from csv_gate.documents import Node, Scalar
from csv_gate.documents import Sequence as SequenceNode
from csv_gate.documents.kinds import SECTION
from csv_gate.documents.typed import file_fields, hint_of, without_none
from csv_gate.errors import ConfigError, Place

PREFIX = "CSV_GATE_"
NEARNESS = 0.85
"""Of two names that count as one, misspelt."""
_NOT_SETTINGS = frozenset({"version", "extends"})


def variables() -> dict[str, str]:
    """Name of the environment variable -> key of the setting, of all that have one."""
    keys = [key for key, entry in file_fields(Config).items() if SECTION not in entry.metadata]
    return {PREFIX + key.upper(): key for key in keys if key not in _NOT_SETTINGS}


def from_environment(environment: Mapping[str, str]) -> MappingNode:
    """The layer of the variables. An empty variable says nothing.

    Raises:
        ConfigError: a variable that looks like a misspelt setting; a gate must not be laxer by a typo.
    """
    known = variables()
    entries: list[tuple[Scalar, Node]] = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or not environment[name]:
            continue
        place = Place(path=f"environment variable {name}")
        if name in known:
            entries.append(_entry(known[name], environment[name], place))
        elif near := _misspelt(name[len(PREFIX) :].lower()[:60], known.values()):
            raise ConfigError("this variable is no setting", place=place, help=f"did you mean {PREFIX}{near.upper()}?")
    return MappingNode(entries=tuple(entries), place=Place(path="environment"))


def _misspelt(word: str, settings: Collection[str]) -> str | None:
    """The setting that is meant, if one is so near that it must be meant.

    Variables of single commands are no settings either. Of those none has the letters of one, which `difflib` asks for too before it looks
    at their order; asked here, it need not be loaded.
    """
    letters = Counter(word)
    shared = ((letters & Counter(setting)).total() / (len(word) + len(setting)) for setting in settings)
    if 2 * max(shared) < NEARNESS:
        return None
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, settings, n=1, cutoff=NEARNESS)), None)


def from_flags(flags: Mapping[str, str | Sequence[str]]) -> MappingNode:
    """The layer of the command line: key of the setting -> what the user gave."""
    entries = [_entry(key, flags[key], Place(path="--" + key.replace("_", "-"))) for key in sorted(flags)]
    return MappingNode(entries=tuple(entries), place=Place(path="command line"))


def _entry(key: str, stated: str | Sequence[str], place: Place) -> tuple[Scalar, Node]:
    entry = file_fields(Config).get(key)
    hint = without_none(hint_of(Config, entry.name)) if entry is not None else str
    name = Scalar(text=key, kind="str", place=place)
    if get_origin(hint) is not tuple:
        text = stated if isinstance(stated, str) else ",".join(stated)
        kind = "int" if hint is int and re.fullmatch(r"\d+", text) else "bool" if hint is bool else "str"
        return name, Scalar(text=text, kind=kind, place=place)
    words = [word.strip() for word in re.split(r"[,\n]", stated)] if isinstance(stated, str) else stated
    items = tuple(Scalar(text=word, kind="str", place=place) for word in words if word)
    return name, SequenceNode(items=items, place=place, size=1 + len(items))
