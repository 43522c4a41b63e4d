"""The values that hold, each with the place that says so: what `config show` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum

from csv_gate.config.loading import LoadedConfig
from csv_gate.documents import FilePattern, Plain, Secret
from csv_gate.documents.typed import file_fields
from csv_gate.errors import Place
from csv_gate.globs import Glob
from csv_gate.records import dataclass, is_dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that holds, and who said so."""

    key: str
    """Dotted: `targets.prod.mode`."""
    value: Plain
    origin: Place | None
    """File, line and column, or the variable or flag; `None`: the default."""

    @property
    def origin_text(self) -> str:
        return "default" if self.origin is None else str(self.origin)


def effective_settings(loaded: LoadedConfig) -> tuple[Setting, ...]:
    """Every setting of the configuration in the order of the types, names of mappings sorted. Secrets show their variable's name."""
    return tuple(Setting(key=key, value=value, origin=loaded.origins.get(key)) for key, value in _leaves(loaded.config, ""))


def _leaves(value: object, at: str) -> Iterator[tuple[str, Plain]]:
    """Dotted key and value of everything below; the depth is that of the types."""
    if is_dataclass(value) and not isinstance(value, type) and not isinstance(value, Glob | FilePattern | Secret):
        for key, entry in file_fields(type(value)).items():
            yield from _leaves(getattr(value, entry.name), f"{at}.{key}".lstrip("."))
    elif isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _leaves(value[key], f"{at}.{key}")
    elif isinstance(value, tuple) and any(is_dataclass(item) and not isinstance(item, Glob | FilePattern) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{at}[{index}]")
    else:
        yield at, _shown(value)


def _shown(value: object) -> Plain:
    if isinstance(value, tuple):
        return [_shown(item) for item in value]
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, Secret):
        return {"env": value.env}
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Glob | FilePattern):
        return value.pattern
    return value if value is None or isinstance(value, str | int | bool) else str(value)
