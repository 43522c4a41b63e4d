"""What a field of a written file can hold besides text, numbers and the like, and how a field describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from csv_gate.errors import ConfigError
from csv_gate.lazy import regex
from csv_gate.records import dataclass

DOC = "doc"
KEY = "key"
LOW = "low"
HIGH = "high"
PATTERN = "pattern"
GIVEN = "given"
SECTION = "section"


def says(
    doc: str,
    *,
    key: str | None = None,
    low: int | None = None,
    high: int | None = None,
    pattern: str | None = None,
    given: str | None = None,
    section: bool = False,
) -> Mapping[str, str | int]:
    """Metadata of a field that is read from a file.

    `doc` is the one source of the reference's and the schema's text. `key`: its name in the file where that differs. `low`, `high`: bounds
    of a number. `pattern`: regular expression that text must match whole. `given`: filled by the reader, not by the file: `key` (the key
    that the record stands under) or `place`. `section`: it holds records, which only a file can state.
    """
    stated = {DOC: doc, KEY: key, LOW: low, HIGH: high, PATTERN: pattern, GIVEN: given, SECTION: section or None}
    return {name: value for name, value in stated.items() if value is not None}


@dataclass(frozen=True, slots=True)
class FilePattern:
    """A path or glob over files on this machine, relative to the file that states it."""

    folder: Path
    pattern: str

    def files(self) -> tuple[Path, ...]:
        """The files that exist now, sorted; empty where nothing is meant, which is for the caller to refuse. Touches the disk."""
        import glob

        plain = self.folder / self.pattern
        if plain.is_file() or not glob.has_magic(self.pattern):
            return (plain,) if plain.is_file() else ()
        found = glob.iglob(self.pattern, root_dir=self.folder, recursive=True)  # noqa: PTH207, Path.glob takes no absolute pattern
        return tuple(sorted(path for name in found if (path := self.folder / name).is_file()))

    def __str__(self) -> str:
        return self.pattern


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret is never in a file: only the name of the environment variable that holds it."""

    env: str

    def value(self, environment: Mapping[str, str]) -> str:
        """The secret itself; keep it out of every message.

        Raises:
            ConfigError: the variable is not set or empty.
        """
        found = environment.get(self.env, "")
        if not found:
            raise ConfigError(f"the environment variable {self.env} holds no secret", help="set it where the gate runs")
        return found


ENV_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")


class Shape:
    """How people name the kinds of value in messages."""

    TEXT = "text"
    NUMBER = "a whole number"
    BOOL = "true or false"
    DATE = "a date such as 2027-01-31"
    PATH = "a path"
    GLOB = "a path glob such as 'dist/**/*.dll'"
    LIST = "a list"
    MAPPING = "a mapping"
    SECRET = "{env: NAME}, the environment variable that holds it"
