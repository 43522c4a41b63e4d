"""The one exception tree of csv-gate.

Exceptions stop the work; values answer the question. A bad signature is a fact, never an exception. Each class says who
has to act, carries the exit code of that case, and renders as: what happened, to which thing, got and expected, what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from csv_gate.records import dataclass


class ExitCode(IntEnum):
    """What the process returns, the same for every output format."""

    OK = 0
    """Every artifact is allowed, waived or not applicable."""
    FINDINGS = 1
    """At least one finding at or above the failing level."""
    USAGE = 2
    """Wrong usage, config or policy: nothing was judged."""
    NOTHING_FOUND = 3
    """There was nothing to check."""
    UNDECIDED = 4
    """Nothing was denied, but something could not be decided."""
    INTERNAL = 5
    """A bug of csv-gate, or its own storage failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in an input something stands: a text position or a byte offset, whichever the input has."""

    path: str
    line: int | None = None
    """1-based."""
    column: int | None = None
    """1-based."""
    offset: int | None = None
    """Zero-based byte offset."""

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.path}:{self.line}" + (f":{self.column}" if self.column is not None else "")
        return f"{self.path} at offset {self.offset:#x}" if self.offset is not None else self.path


class GateError(Exception):
    """Base of everything csv-gate raises on purpose.

    `title` says what happened in one sentence; `got` and `expected` are shown when given; `help` says what to do next.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(
        self,
        title: str,
        *,
        place: Place | None = None,
        got: str | None = None,
        expected: str | None = None,
        help: str | None = None,
    ) -> None:
        super().__init__(title)
        self.title = title
        self.place = place
        self.got = got
        self.expected = expected
        self.help = help

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        facts = [f"{word} {text}" for word, text in (("got", self.got), ("expected", self.expected)) if text]
        return where + self.title + (f" ({', '.join(facts)})" if facts else "")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.title, self.place, self.got, self.expected, self.help))


def _rebuild(
    kind: type[GateError], title: str, place: Place | None, got: str | None, expected: str | None, help: str | None
) -> GateError:
    """Errors cross process borders; keyword-only arguments do not survive the default pickling."""
    return kind(title, place=place, got=got, expected=expected, help=help)


class UsageError(GateError):
    """The command was called wrongly."""

    exit_code = ExitCode.USAGE


class ConfigError(GateError):
    """One fault of a configuration file."""

    exit_code = ExitCode.USAGE


class ConfigErrors(ConfigError):  # noqa: N818, it is the plural
    """All faults of a configuration, told at once."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__(f"{len(errors)} configuration error{'s' if len(errors) != 1 else ''}")
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)

    def __reduce__(self) -> tuple[object, ...]:
        return (ConfigErrors, (self.errors,))


class PolicyError(GateError):
    """A policy file that cannot be read as what it claims to be, or a set of policies that does not fit together."""

    exit_code = ExitCode.USAGE


class ArtifactError(GateError):
    """An artifact that cannot be read. `scan` turns it into a gap, so that the verdict is `undecided`."""

    exit_code = ExitCode.UNDECIDED


class FormatError(ArtifactError):
    """Bytes that break the format they claim to be in."""


class LimitError(ArtifactError):
    """A bound of `csv_gate.limits` was reached; the limit is named."""


class NoArtifactsError(GateError):
    """There was nothing to check: an empty build output must not go green."""

    exit_code = ExitCode.NOTHING_FOUND


class OutputError(GateError):
    """A report could not be written; nothing half-written is left."""

    exit_code = ExitCode.USAGE


class StoreError(GateError):
    """The facts cache or another store of csv-gate itself failed."""


class NotifyError(GateError):
    """A notification was not delivered. It never changes the colour of a build."""


class MissingExtraError(GateError):
    """A feature needs an optional library that is not installed."""

    exit_code = ExitCode.USAGE
