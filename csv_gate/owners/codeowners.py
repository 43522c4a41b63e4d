r"""CODEOWNERS in the grammar of GitHub and of GitLab.

GitHub (docs.github.com, "About code owners"): gitignore's patterns without `!`, `[…]` and `\#`; the last line that matches a
path wins; a line without owners takes the owner away; a line that is not understood is skipped; a file above 3 MB is not read.

GitLab (docs.gitlab.com, "Syntax of `CODEOWNERS` file", "Advanced"): sections `[Name]`, `^[Name]` (optional), `[Name][2]`
(approvals), with default owners behind the header; the last match wins within each section and the sections add up; what a
`!pattern` matches has no owner in its section, wherever it stands; a pattern without a leading slash is met at any depth;
matching is Ruby's `File.fnmatch` with `FNM_PATHNAME | FNM_DOTMATCH`, so that only a trailing slash reaches below a folder.

Not modelled: whether an owner exists or may approve, and GitHub's reading of a path in a repository without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from csv_gate.errors import ConfigError, Place
from csv_gate.globs import Below, Glob, GlobIndex
from csv_gate.lazy import regex
from csv_gate.owners.places import Dialect
from csv_gate.records import dataclass, field

MAX_BYTES = 3 * 1000 * 1000
"""GitHub's own limit."""
MAX_LINES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of a GitLab file; GitHub's whole file is the unnamed one."""

    name: str
    is_optional: bool = False
    approvals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOwnersRule:
    """One line."""

    glob: Glob
    owners: tuple[str, ...]
    """As written, defaults of the section put in; empty: nobody."""
    section: Section
    is_exclusion: bool = False
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOwners:
    """A whole file."""

    path: str
    dialect: Dialect
    rules: tuple[CodeOwnersRule, ...] = ()
    skipped: tuple[ConfigError, ...] = ()
    """Lines that were not understood; as on the forge they own nothing."""
    _index: GlobIndex = field(init=False, repr=False, compare=False)
    _order: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """Section, letter case aside -> its place among the sections."""

    def __post_init__(self) -> None:
        names = dict.fromkeys(_folded(rule) for rule in self.rules)
        object.__setattr__(self, "_order", {name: place for place, name in enumerate(names)})
        object.__setattr__(self, "_index", GlobIndex([rule.glob for rule in self.rules]))

    def matching(self, path: str) -> tuple[CodeOwnersRule, ...]:
        """The line that decides in each section, in the order of the sections. `path` is relative to the repository's root."""
        deciding: dict[str, CodeOwnersRule] = {}
        excluded: set[str] = set()
        for index in self._index.matching(path):  # last line first
            rule = self.rules[index]
            deciding.setdefault(_folded(rule), rule)
            if rule.is_exclusion:
                excluded.add(_folded(rule))
        return tuple(deciding[name] for name in sorted(deciding, key=self._order.__getitem__) if name not in excluded)

    def owners_of(self, path: str) -> tuple[str, ...]:
        """All owners, each once, in the order of sections and lines."""
        return tuple(dict.fromkeys(owner for rule in self.matching(path) for owner in rule.owners))


def _folded(rule: CodeOwnersRule) -> str:
    return rule.section.name.casefold()


def read_codeowners(data: bytes, path: str, dialect: Dialect = Dialect.AUTO) -> CodeOwners:
    """Read a file; `path` is for messages and, under `AUTO`, for the choice of the grammar. `data` is untrusted.

    Raises:
        ConfigError: too large. A line that is not understood is kept in `skipped`.
    """
    if len(data) > MAX_BYTES:
        raise ConfigError("the CODEOWNERS file is too large", place=Place(path=path), expected=f"at most {MAX_BYTES} bytes")
    lines = data.decode("utf-8-sig", "replace").split("\n")
    if len(lines) > MAX_LINES:
        raise ConfigError("the CODEOWNERS file has too many lines", place=Place(path=path), expected=f"at most {MAX_LINES}")
    if dialect is Dialect.AUTO:
        dialect = _recognised(path, lines)
    reader = _Reader(path, dialect)
    rules = tuple(rule for number, line in enumerate(lines, start=1) for rule in reader.line(line.strip(), number))
    return CodeOwners(path=path, dialect=dialect, rules=rules, skipped=tuple(reader.skipped))


_HEADER = regex(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[(?P<approvals>\d{1,4})\])?(?:\s+(?P<owners>.*))?")
_OWNER = regex(r"@{0,2}[^\s@#]+(?:@[^\s@#]+)?")
_WORDS = regex(r"(?:\\.|[^\s\\])+")


def _recognised(path: str, lines: Sequence[str]) -> Dialect:
    parts = path.replace("\\", "/").split("/")
    if ".github" in parts[-2:-1]:
        return Dialect.GITHUB
    has_sections = any(_HEADER.fullmatch(line.strip()) for line in lines)
    return Dialect.GITLAB if ".gitlab" in parts[-2:-1] or has_sections else Dialect.GITHUB


class _Reader:
    """Reads line by line; remembers the section."""

    def __init__(self, path: str, dialect: Dialect) -> None:
        self.skipped: list[ConfigError] = []
        self._path = path
        self._dialect = dialect
        self._section = Section(name="")
        self._defaults: tuple[str, ...] = ()

    def line(self, line: str, number: int) -> Iterator[CodeOwnersRule]:
        if not line or line.startswith("#"):
            return
        place = Place(path=self._path, line=number)
        try:
            if self._dialect is Dialect.GITHUB:
                yield self._github(line, place)
            elif header := _HEADER.fullmatch(line):
                self._open(header)
            else:
                yield self._gitlab(line, place)
        except ConfigError as error:
            self.skipped.append(ConfigError(error.title, place=place, got=error.got, expected=error.expected, help=error.help))

    def _github(self, line: str, place: Place) -> CodeOwnersRule:
        pattern, *words = _WORDS.findall(line)
        owners: list[str] = []
        for word in words:
            if word.startswith("#"):
                break
            if "@" not in word or _OWNER.fullmatch(word) is None:
                raise ConfigError("this is no owner", got=repr(word[:60]), expected="@user, @org/team or an e-mail address")
            owners.append(word)
        if re.search(r"[\[\]]", pattern) or pattern.startswith("\\#"):
            raise ConfigError(r"GitHub does not know '[ ]' and '\#' here", got=repr(pattern[:60]))
        glob = Glob(_unescaped(pattern), below=Below.NOT_STAR)
        return CodeOwnersRule(glob=glob, owners=tuple(owners), section=self._section, place=place)

    def _open(self, header: re.Match[str]) -> None:
        self._section = Section(
            name=header["name"].strip(), is_optional=header["optional"] is not None, approvals=int(header["approvals"] or 1)
        )
        self._defaults = _mentioned(header["owners"] or "")

    def _gitlab(self, line: str, place: Place) -> CodeOwnersRule:
        if re.match(r"\^?\[[^\]]*$", line):
            raise ConfigError("a section header is not closed", got=repr(line[:60]), expected="[Name]")
        is_exclusion = line.startswith("!")
        words = _WORDS.match(line, int(is_exclusion))
        if words is None:
            raise ConfigError("'!' stands before nothing")
        glob = Glob(_gitlab_pattern(_unescaped(words[0])), below=Below.NEVER, floating=True)
        owners = () if is_exclusion else _mentioned(line[words.end() :]) or self._defaults
        return CodeOwnersRule(glob=glob, owners=owners, section=self._section, is_exclusion=is_exclusion, place=place)


def _mentioned(text: str) -> tuple[str, ...]:
    """GitLab takes every mention of the rest of the line, even behind a `#`."""
    return tuple(word for word in text.split() if "@" in word and _OWNER.fullmatch(word))


def _unescaped(pattern: str) -> str:
    r"""Without the backslash of `\ ` and `\#`, which only keep the line's own grammar away."""
    return re.sub(r"\\([ \t#])", r"\1", pattern)


def _gitlab_pattern(pattern: str) -> str:
    """A name `**` at the end is to Ruby's fnmatch a plain star."""
    return re.sub(r"(?<=/)\*\*\Z", "*", pattern)
