"""What is asked for: of targets by a command line, of files by the patterns of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from csv_gate.documents import FilePattern
from csv_gate.errors import ConfigError, Place
from csv_gate.limits import Limits
from csv_gate.model.context import CodeMode, Mode
from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command line says about targets."""

    evaluated_at: datetime
    names: tuple[str, ...] = ()
    """Of configured targets; none: all."""
    policies: tuple[str, ...] = ()
    """Files that take the place of a target's own."""
    mode: Mode | None = None
    code_mode: CodeMode | None = None
    limits: Limits


def files_of(patterns: Iterable[FilePattern], what: str, place: Place | None) -> tuple[Path, ...]:
    """The files that patterns mean.

    Raises:
        ConfigError: a pattern that means no file: a policy that is silently missing would change verdicts.
    """
    found: list[Path] = []
    for pattern in patterns:
        files = pattern.files()
        if not files:
            raise ConfigError(f"no file is meant by a pattern under `{what}`", place=place, got=str(pattern), expected="a file")
        found += files
    return tuple(dict.fromkeys(found))
