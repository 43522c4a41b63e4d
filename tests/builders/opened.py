"""Walks containers in tests: everything is wanted unless told otherwise, and the clock stands still."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from csv_gate.containers import OPENERS, Budget, walk_container
from csv_gate.formats import identify
from csv_gate.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Wants members of some formats (`None`: all) but those of some names."""

    formats: Collection[str] | None = None
    not_these: Collection[str] = ()

    def passes(self, path: str) -> bool:
        return path not in self.not_these

    def wants(self, path: str, format: str) -> bool:
        return self.formats is None or format in self.formats


@dataclass(kw_only=True)
class Opened:
    """What was found, copied out."""

    files: list[tuple[str, bytes]] = field(default_factory=list)
    """Path below the container, content."""
    containers: dict[str, str] = field(default_factory=dict)
    """Path -> format, of containers."""
    gaps: dict[str, str] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)


def opened(
    data: bytes,
    name: str = "c",
    *,
    limits: Limits = DEFAULT_LIMITS,
    asked: Asked = Asked(),
    clock: Callable[[], float] = lambda: 0.0,
) -> Opened:
    format = identify(data, name=None, limits=limits)
    assert format in OPENERS, format
    result = Opened()
    for found in walk_container(data, name, format, asked, Budget(limits, len(data), clock)):
        path = found.path[len(name) :].removeprefix("!/")
        if found.is_container:
            result.containers[path] = found.format
        elif found.is_wanted and found.content is not None:
            result.files.append((path, bytes(found.content)))
        if found.gap is not None:
            result.gaps[path] = found.gap.why
        if found.problems:
            result.problems[path] = [problem.code.value for problem in found.problems]
    return result
