"""The routes and contexts that configured targets describe. A run for `--policy` alone has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.config import Target, context_for, read_trusted_roots, trusted_root_files
from csv_gate.model.context import AppControlContext
from csv_gate.records import dataclass, field, replace

if TYPE_CHECKING:
    from csv_gate.gate.asked import Asked

MOST_KNOWN = 512
"""Contexts; where each file has an install path of its own, none is met again."""


@dataclass(frozen=True, slots=True)
class ConfiguredRoutes:
    """The routes and contexts that a configured target describes."""

    settings: Target
    asked: Asked
    trusted_roots: Mapping[Path, frozenset[str]]
    _known: dict[AppControlContext, AppControlContext] = field(default_factory=dict, repr=False, compare=False)

    def context_for(self, scope: str) -> AppControlContext | None:
        if not self.settings.routes(scope):
            return None
        context = context_for(
            self.settings,
            scope,
            evaluated_at=self.asked.evaluated_at,
            mode=self.asked.mode,
            trusted_roots=self.trusted_roots,
        )
        if self.asked.code_mode is not None:
            context = replace(context, code_mode=self.asked.code_mode)
        # One object for equal contexts: rows are shared by files that have the same.
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(context, context)


def routes_of(targets: Sequence[Target], asked: Asked) -> tuple[ConfiguredRoutes, ...]:
    """Those of each target.

    Raises:
        ConfigError: a file of trusted roots cannot be read.
    """
    roots = {path: read_trusted_roots(path) for path in sorted(trusted_root_files(targets))}
    return tuple(ConfiguredRoutes(target, asked, roots) for target in targets)
