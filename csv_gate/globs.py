r"""Path globs, one grammar for everything in csv-gate that names files: include and exclude, routing, owners, waivers.

A subset of gitignore's grammar over paths that are relative to the tree's root, with `/` between folders:

- `*` any characters within one name, `?` one character, `[a-z]` and `[!a-z]` one character of a set, `\*` the character itself;
- `**` as a whole name between slashes: any number of folders, none included; a trailing `/**`: everything below;
- a pattern with a slash at its beginning or in its middle is anchored to the root; one without is met at any depth;
- a trailing slash means everything below that folder;
- a pattern whose last name has no wildcard means that file, or everything below that folder (`Below.NAMED`).

What differs from gitignore on purpose: `dist/*` does not reach into `dist/sub/` (a waiver or a route must not be wider than it
looks), there is no `!`, and a pattern that can't be meant (`[` without `]`, `..`, an empty name, `dist\app`) is an error instead of
matching nothing. A leading dot is an ordinary character. Container members are below their container's own name:
`out/setup.msi!/app.dll` is in the folder `out/setup.msi!`.

Matching is linear in the path for a given pattern: what stands between two stars is matched leftmost and never given up (atomic groups).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import takewhile

from csv_gate.errors import ConfigError
from csv_gate.lazy import regex
from csv_gate.records import dataclass, field

MAX_PATTERN_CHARACTERS = 1024
"""No sensible pattern comes near; the cost of a match grows with it."""

_FOLDERS = "(?:[^/]++/)*?"
_NAME_ENDS = r"(?=/|\Z)"


class Below(Enum):
    """When a pattern that matches a folder also matches what is below it."""

    NAMED = "named"
    """Where the last name has no wildcard: csv-gate's own grammar."""
    NOT_STAR = "not_star"
    """Unless the last name is a lone `*` behind a slash: GitHub's CODEOWNERS."""
    ALWAYS = "always"
    """gitignore."""
    NEVER = "never"
    """Only with a trailing slash: GitLab's CODEOWNERS."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern. Equal when written alike."""

    pattern: str
    case_sensitive: bool = True
    below: Below = Below.NAMED
    floating: bool | None = None
    """True: met at any depth unless it begins with a slash (GitLab); `None`: gitignore's rule, by whether it holds a slash."""
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _is_deep: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ConfigError (without a place) for a pattern that can't be meant."""
        text, is_deep = _translate(self.pattern, self.below, self.floating)
        flags = re.DOTALL if self.case_sensitive else re.DOTALL | re.IGNORECASE
        object.__setattr__(self, "_regex", re.compile(text, flags))
        object.__setattr__(self, "_is_deep", is_deep)

    def matches(self, path: str) -> bool:
        """Whether the path (relative, `/` between folders, attacker-controlled) is meant."""
        return self._regex.match(path) is not None

    def covers(self, folder: str) -> bool:
        """Whether every path below the folder is surely meant, so that a walk may prune it."""
        # No pattern can hold NUL, so what matches this probe matches any name in its place.
        return self._is_deep and self._regex.match(f"{folder}/\0") is not None

    def may_reach(self, folder: str) -> bool:
        """Whether the pattern may mean something below the folder. May say yes where nothing could be meant, never no wrongly."""
        names = _name_by_name(self.pattern, self.floating, self._regex.flags)
        if names is None:
            return True
        parts = folder.split("/")
        for name, part in zip(names, parts, strict=False):
            if name is None or not name.match(part):
                return name is None
        return len(names) > len(parts) or self._is_deep

    def __str__(self) -> str:
        return self.pattern


@dataclass(frozen=True, slots=True)
class GlobSet:
    """Several patterns, in order; empty matches nothing."""

    globs: tuple[Glob, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str], *, case_sensitive: bool = True) -> GlobSet:
        """Raises ConfigError for the first pattern that can't be meant."""
        return cls(tuple(Glob(pattern, case_sensitive) for pattern in patterns))

    def first(self, path: str) -> Glob | None:
        """The first pattern that means the path."""
        return next((glob for glob in self.globs if glob.matches(path)), None)

    def matches(self, path: str) -> bool:
        for glob in self.globs:  # noqa: SIM110, a generator would double what each file costs
            if glob._regex.match(path):
                return True
        return False

    def covers(self, folder: str) -> Glob | None:
        """The first pattern that means everything below the folder."""
        return next((glob for glob in self.globs if glob.covers(folder)), None)

    def may_reach(self, folder: str) -> bool:
        """Whether some pattern may mean something below the folder."""
        return any(glob.may_reach(folder) for glob in self.globs)

    def __iter__(self) -> Iterator[Glob]:
        return iter(self.globs)

    def __bool__(self) -> bool:
        return bool(self.globs)


class GlobIndex:
    """Many patterns, asked one path at a time: only those are tried whose leading names without wildcards are in the path.

    For 3,000 rules over folders that makes a look-up some hundred times cheaper than trying each.
    """

    def __init__(self, globs: Sequence[Glob]) -> None:
        self._globs = tuple(globs)
        self._by_lead: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        self._others: list[int] = []
        for index, glob in enumerate(self._globs):
            names, _, is_floating = _names(glob.pattern, glob.floating)
            lead = list(takewhile(is_literal, names))
            if not lead or not glob.case_sensitive:
                self._others.append(index)
            elif is_floating:
                self._by_name.setdefault(_unescaped(lead[0]), []).append(index)
            else:
                self._by_lead.setdefault("/".join(map(_unescaped, lead)), []).append(index)

    def matching(self, path: str) -> Iterator[int]:
        """Indices of the patterns that mean the path, last first."""
        found = list(self._others)
        lead = ""
        for name in path.split("/"):
            lead = f"{lead}/{name}" if lead else name
            found += self._by_lead.get(lead, ())
            found += self._by_name.get(name, ())
        for index in sorted(set(found), reverse=True):
            if self._globs[index].matches(path):
                yield index


_WILD = regex(r"(?<!\\)(?:\\\\)*[*?\[]")
"""A wildcard that no backslash takes the meaning from."""


def is_literal(name: str) -> bool:
    """Whether a name of a pattern has no wildcard."""
    return _WILD.search(name) is None


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL)


def _translate(pattern: str, below: Below, floating: bool | None) -> tuple[str, bool]:
    """The regular expression, and whether the pattern reaches to any depth below what it names."""
    names, is_folder, is_floating = _names(pattern, floating)
    if is_floating and names[0] != "**":
        names.insert(0, "**")
    groups: list[list[str]] = [[]]
    for name in names:
        if name != "**":
            groups[-1].append(name)
        elif len(groups) == 1 or groups[-1]:
            groups.append([])
    regex = ""
    for index, group in enumerate(groups[:-1]):
        names_regex = "".join(_name(name, pattern) + "/" for name in group)
        regex += names_regex if index == 0 else f"(?>{_FOLDERS}{names_regex})"
    last = groups[-1]
    if not last:  # a trailing `**`
        return regex + (r"[^/]++/.+\Z" if is_folder else r".+\Z"), True
    regex += (_FOLDERS if len(groups) > 1 else "") + "/".join(_name(name, pattern) for name in last)
    if is_folder:
        return regex + r"/.+\Z", True
    reaches = _reaches_below(last[-1], below, is_floating)
    return regex + (r"(?:/.*)?\Z" if reaches else r"\Z"), reaches


def _names(pattern: str, floating: bool | None) -> tuple[list[str], bool, bool]:
    """The names between the slashes, whether a folder is meant, and whether the pattern floats."""
    if not pattern:
        raise ConfigError("the pattern is empty", got="''", expected="a path glob such as 'dist/**/*.dll'")
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ConfigError(
            "the pattern is too long", got=f"{len(pattern)} characters", expected=f"at most {MAX_PATTERN_CHARACTERS}"
        )
    if "\0" in pattern:
        raise _unmeant(pattern, "no file name holds a NUL character")
    if pattern.startswith("!"):
        raise _unmeant(pattern, r"patterns are not negated; a name that begins with '!' is written '\!'")
    body = pattern.removeprefix("./")
    is_rooted = body.startswith("/")
    is_folder = len(body) > 1 and body.endswith("/")
    body = body[1 if is_rooted else 0 : -1 if is_folder else None]
    names = body.split("/")
    if any(name in ("", ".", "..") for name in names):
        raise _unmeant(pattern, "patterns are relative to the tree's root and have no empty, '.' or '..' names")
    is_floating = not is_rooted and ("/" not in body if floating is None else floating)
    return names, is_folder, is_floating


@lru_cache(maxsize=256)
def _name_by_name(pattern: str, floating: bool | None, flags: int) -> tuple[re.Pattern[str] | None, ...] | None:
    """What matches each name between slashes, `None` for `**`; `None` for a pattern that floats. Kept: walks ask it of many paths."""
    names, _, is_floating = _names(pattern, floating)
    if is_floating:
        return None
    return tuple(None if name == "**" else re.compile(_name(name, pattern) + r"\Z", flags) for name in names)


def _reaches_below(last: str, below: Below, is_floating: bool) -> bool:
    if below is Below.NAMED:
        return is_literal(last)
    if below is Below.NOT_STAR:
        return is_floating or last != "*"
    return below is Below.ALWAYS


def _name(name: str, pattern: str) -> str:
    """The regular expression of one name between slashes."""
    pieces = [""]
    position = 0
    while position < len(name):
        if name[position] == "*":
            position += 1
            if not (len(pieces) > 1 and not pieces[-1]):  # several stars in a row are one
                pieces.append("")
        else:
            piece, position = _character(name, position, pattern)
            pieces[-1] += piece
    head, *rest = pieces
    if not rest:
        return head
    if pieces == ["", ""]:
        return "[^/]++"  # a name has at least one character
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1])
    return head + middle + (f"[^/]*{rest[-1]}{_NAME_ENDS}" if rest[-1] else "[^/]*+")


def _character(name: str, position: int, pattern: str) -> tuple[str, int]:
    """The regular expression of exactly one character, and where the next one begins."""
    char = name[position]
    if char == "?":
        return "[^/]", position + 1
    if char == "[":
        return _set(name, position, pattern)
    if char == "\\":
        if position + 1 == len(name) or name[position + 1].isalnum():
            raise _unmeant(pattern, r"folders are divided by '/'; '\' takes the meaning from the wildcard behind it")
        return re.escape(name[position + 1]), position + 2
    return re.escape(char), position + 1


def _set(name: str, start: int, pattern: str) -> tuple[str, int]:
    """A character set; it never matches `/`."""
    position = start + 1
    negated = name[position : position + 1] in ("!", "^") and bool(name[position : position + 1])
    position += negated
    members: list[str] = []
    first = True
    while first or name[position : position + 1] != "]":
        first = False
        low, position = _set_member(name, position, pattern)
        if name[position : position + 1] == "-" and name[position + 1 : position + 2] not in ("", "]"):
            high, position = _set_member(name, position + 1, pattern)
            if low > high:
                raise _unmeant(pattern, f"the range {low}-{high} runs backwards")
            members.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            members.append(re.escape(low))
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", position + 1


def _set_member(name: str, position: int, pattern: str) -> tuple[str, int]:
    if name[position : position + 2] == "[:":
        raise _unmeant(pattern, "named character classes are not known here; write a range")
    position += name[position : position + 1] == "\\"
    if position >= len(name):
        raise _unmeant(pattern, r"'[' has no ']'; a name that holds '[' is written '\['")
    return name[position], position + 1


def _unmeant(pattern: str, why: str) -> ConfigError:
    return ConfigError(f"the pattern can't be meant: {why}", got=repr(pattern), expected="a path glob such as 'dist/**/*.dll'")
