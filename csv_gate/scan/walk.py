"""Walk the given files and folders into one list, sorted by path: the same tree gives the same list on every machine.

What is in the list:

- every regular file below a given folder that the patterns leave in, and every file that was given by name (patterns do not take
  out what was named);
- a symbolic link to a regular file inside the given folders, under the link's own name: that name is what gets deployed;
- a folder or file that cannot be listed, with the reason: nothing below it was seen, so it must not count as seen.

What is not, and is told as a finding: links that lead out of the given folders, to folders or nowhere (a folder inside the tree is
walked in its own place, so loops cannot arise), and files that are no files (pipes, sockets, devices).

Names are attacker-controlled. A name that is no UTF-8 keeps its bytes as surrogate escapes.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from csv_gate.errors import Place, UsageError
from csv_gate.globs import Glob, GlobSet
from csv_gate.limits import Limits
from csv_gate.model.checks import check
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, field
from csv_gate.scan.reading import Entry, FileIdentity
from csv_gate.scan.side_files import SideNames

MAX_FINDINGS_PER_CHECK = 50
"""A tree may hold a hundred thousand links; what is beyond is counted in one more finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walk came to."""

    entries: tuple[Entry, ...]
    """Sorted by path; no path twice."""
    findings: tuple[Finding, ...] = ()
    excluded: int = 0
    """Files that an exclude pattern took out."""
    not_included: int = 0
    """Files that no include pattern named."""
    skipped: int = 0
    """Links that were not followed, and special files."""
    unused: tuple[Glob, ...] = ()
    """Patterns that met nothing so far; members of containers may still meet them. See `unused_patterns`."""


def walk(
    inputs: Sequence[str | os.PathLike[str]],
    *,
    include: GlobSet = GlobSet(),  # noqa: B008, frozen
    exclude: GlobSet = GlobSet(),  # noqa: B008, frozen
    base: Path | None = None,
    limits: Limits,
) -> Walk:
    """List what is at and below `inputs`.

    Patterns see paths relative to `base` where an input lies in it, else relative to the input itself.

    Raises:
        UsageError: a given path does not exist, or names a special file.
    """
    roots = [_given(os.fspath(path), base) for path in inputs]
    collector = _Collector(
        include=include,
        exclude=exclude,
        limits=limits,
        trees=tuple(root.real for root in roots if root.is_folder),
    )
    with _uncollected():
        for root in _without_nested(roots):
            if root.is_folder:
                collector.folder(root)
            else:
                collector.named_file(root)
    return collector.finish()


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is collected while entries are made: all of them stay and none is in a cycle, and each full collection would look at
    all of them again. With some hundred thousand that was a quarter of a walk."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """One given path."""

    shown: str
    scope: str
    location: str
    real: str
    is_folder: bool
    status: os.stat_result


def _given(path: str, base: Path | None) -> _Root:
    try:
        status = os.stat(path)  # noqa: PTH116, a given link is followed: it was named
    except OSError as error:
        raise UsageError(
            "a given path cannot be checked",
            place=Place(path=path),
            got=_reason(error),
            expected="a file or a folder",
        ) from error
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        raise UsageError(
            "a given path cannot be checked",
            place=Place(path=path),
            got=_kind(status.st_mode),
            expected="a file or a folder",
        )
    absolute = os.path.abspath(path)  # noqa: PTH100, lexical: links keep their names
    is_folder = stat.S_ISDIR(status.st_mode)
    shown = _slashes(os.path.normpath(path))
    inside = None if base is None else _relative(absolute, os.path.abspath(base))  # noqa: PTH100
    scope = inside if inside is not None else ("" if is_folder else os.path.basename(absolute))  # noqa: PTH119
    return _Root(
        shown="" if shown == "." else shown,
        scope=_slashes(scope),
        location=path,
        real=os.path.realpath(absolute),
        is_folder=is_folder,
        status=status,
    )


def _without_nested(roots: Sequence[_Root]) -> Iterator[_Root]:
    """Drop a folder that is, or lies in, another given folder: its files would be listed twice."""
    folders = sorted({root.real for root in roots if root.is_folder})
    seen: set[str] = set()
    for root in roots:
        if root.is_folder:
            if root.real in seen or any(_relative(root.real, other) not in (None, "") for other in folders):
                continue
            seen.add(root.real)
        yield root


@dataclass(slots=True, kw_only=True)
class _Collector:
    """Gathers entries; the state of one walk."""

    include: GlobSet
    exclude: GlobSet
    limits: Limits
    trees: tuple[str, ...]
    entries: dict[str, Entry] = field(default_factory=dict)
    excluded: int = 0
    not_included: int = 0
    skipped: int = 0
    _findings: dict[str, list[Finding]] = field(default_factory=dict)
    _suppressed: dict[str, int] = field(default_factory=dict)
    _unused: list[Glob] = field(default_factory=list)
    _has_patterns: bool = False
    _named: dict[str, SideNames] = field(default_factory=dict)
    """Of folders in which files were given by name."""

    def __post_init__(self) -> None:
        self._unused = [*self.include, *self.exclude]
        self._has_patterns = bool(self._unused)

    def named_file(self, root: _Root) -> None:
        self._use(root.scope)
        identity = FileIdentity.of(root.status)
        folder, name = os.path.split(os.path.abspath(root.location))  # noqa: PTH100, what lies beside a link lies beside its name
        if folder not in self._named:
            self._named[folder] = _side_names_in(folder)
        sides = self._named[folder]
        entry = Entry(
            path=root.shown,
            scope=root.scope,
            location=root.real,
            identity=identity,
            beside=self._beside(sides, name, folder + os.sep, root.shown, root.scope),
            is_alone=sides.is_alone(name),
        )
        self._add(entry)

    def folder(self, root: _Root) -> None:
        """Walk a folder with a stack of its own, so that depth costs no recursion."""
        stack: list[tuple[str, str, str, int]] = [(root.location, _prefix(root.shown), _prefix(root.scope), 0)]
        while stack:
            location, shown, scope, depth = stack.pop()
            for child in self._list(location, shown, scope, depth):
                stack.append((child.path, f"{shown}{child.name}/", f"{scope}{child.name}/", depth + 1))

    def _list(self, location: str, shown: str, scope: str, depth: int) -> list[os.DirEntry[str]]:
        """Take in one folder's files and return its folders."""
        if depth > self.limits.max_walk_depth:
            self._unreadable(location, shown, scope, f"folders nest deeper than {self.limits.max_walk_depth} (max_walk_depth)")
            return []
        folders: list[os.DirEntry[str]] = []
        try:
            with os.scandir(location) as listing:
                children = sorted(listing, key=_name)
        except OSError as error:
            self._unreadable(location, shown, scope, f"the folder cannot be listed: {_reason(error)}")
            return []
        sides = SideNames.among([child.name for child in children]) or None
        for child in children:
            if child.is_dir(follow_symlinks=False):
                folders.append(child)
            else:
                self._file(child, shown + child.name, scope + child.name, sides)
        return folders

    def _beside(self, sides: SideNames, name: str, folder: str, shown: str, scope: str) -> tuple[Entry, ...]:
        """What lies beside a file and may sign it. Asks the file system only where there is something."""
        found = []
        for side in sides.beside(name):
            ending = side[len(name) :]
            entry = self._side_file(folder + side, shown + ending, scope + ending)
            if entry is not None:
                found.append(entry)
        return tuple(found)

    def _side_file(self, location: str, shown: str, scope: str) -> Entry | None:
        try:
            status = os.lstat(location)
            if stat.S_ISLNK(status.st_mode):
                location = os.path.realpath(location, strict=True)
                status = os.lstat(location)
                if not any(_relative(location, tree) is not None for tree in self.trees):
                    return None  # where it is in the list, a finding says that it was not followed
        except OSError as error:
            return Entry(path=shown, scope=scope, location=location, gap=_reason(error))
        if not stat.S_ISREG(status.st_mode):
            return None
        return Entry(path=shown, scope=scope, location=location, identity=FileIdentity.of(status))

    def _unreadable(self, location: str, shown: str, scope: str, why: str) -> None:
        folder = scope.rstrip("/")
        if (pattern := self.exclude.covers(folder)) is not None:
            # Only a pattern that takes out everything below says that nothing in there matters.
            self._unused = [glob for glob in self._unused if glob != pattern]
            self.excluded += 1
            return
        path = shown or "./"
        self._add(Entry(path=path, scope=scope, location=location, gap=why))

    def _file(self, child: os.DirEntry[str], shown: str, scope: str, sides: SideNames | None) -> None:
        included = self._inclusion(scope) if self._has_patterns else True
        if included is None:
            return
        try:
            status = child.stat(follow_symlinks=False)
        except OSError as error:
            self._add(Entry(path=shown, scope=scope, location=child.path, gap=_reason(error), is_included=included))
            return
        if stat.S_ISREG(status.st_mode):
            entry = Entry(shown, scope, child.path, FileIdentity.of(status), included)
            self._add(entry if sides is None else self._with_sides(entry, child, sides))
        elif stat.S_ISLNK(status.st_mode):
            self._link(child, shown, scope, included, sides)
        else:
            self.skipped += 1
            self._note("CSV902", shown, f"{_kind(status.st_mode)}, not a file: it was not opened")

    def _with_sides(self, entry: Entry, child: os.DirEntry[str], sides: SideNames) -> Entry:
        folder = child.path[: -len(child.name)]
        beside = self._beside(sides, child.name, folder, entry.path, entry.scope)
        return entry._replace(beside=beside, is_alone=sides.is_alone(child.name))

    def _inclusion(self, scope: str) -> bool | None:
        """Whether include patterns name a file; `None`: patterns take it out."""
        self._use(scope)
        if self.exclude.matches(scope):
            self.excluded += 1
            return None
        if not self.include or self.include.matches(scope):
            return True
        if self.include.may_reach(scope + "!"):
            return False
        self.not_included += 1
        return None

    def _use(self, scope: str) -> None:
        """Remember which patterns meet anything, also where an earlier pattern already did."""
        if self._unused:
            self._unused = [glob for glob in self._unused if not glob.matches(scope)]

    def _link(self, child: os.DirEntry[str], shown: str, scope: str, included: bool, sides: SideNames | None) -> None:
        try:
            target = os.path.realpath(child.path, strict=True)
            status = os.lstat(target)
        except OSError as error:
            why = f"the link leads nowhere: {_reason(error)}"
        else:
            if not any(_relative(target, tree) is not None for tree in self.trees):
                self.skipped += 1
                message = f"the link leads out of the tree, to {_slashes(target)}: what it names was not checked"
                self._note("CSV903", shown, message, level=Level.WARNING)
                return
            if stat.S_ISREG(status.st_mode):
                entry = Entry(shown, scope, target, FileIdentity.of(status), included)
                self._add(entry if sides is None else self._with_sides(entry, child, sides))
                return
            why = f"the link leads to {_kind(status.st_mode)} in the tree, which is walked in its own place"
        self.skipped += 1
        self._note("CSV903", shown, why)

    def _add(self, entry: Entry) -> None:
        self.entries.setdefault(entry.path, entry)

    def _note(self, check_id: str, path: str, message: str, *, level: Level | None = None) -> None:
        findings = self._findings.setdefault(check_id, [])
        if len(findings) >= MAX_FINDINGS_PER_CHECK:
            self._suppressed[check_id] = self._suppressed.get(check_id, 0) + 1
            return
        entry = check(check_id)
        findings.append(Finding(check=check_id, level=level or entry.level, message=message, place=Place(path=path)))

    def finish(self) -> Walk:
        findings: list[Finding] = []
        for check_id in sorted(self._findings):
            findings += sorted(self._findings[check_id], key=lambda finding: finding.place.path if finding.place else "")
            if more := self._suppressed.get(check_id):
                findings.append(Finding(check=check_id, level=check(check_id).level, message=f"and {more} more like these"))
        return Walk(
            entries=tuple(self.entries[path] for path in sorted(self.entries)),
            findings=tuple(findings),
            excluded=self.excluded,
            not_included=self.not_included,
            skipped=self.skipped,
            unused=tuple(self._unused),
        )


def unused_patterns(unused: Iterable[Glob], include: GlobSet) -> Iterator[Finding]:
    """A finding for each pattern that met nothing in a whole run."""
    included = set(include)
    for glob in unused:
        word = "include" if glob in included else "exclude"
        yield Finding(
            check="CSV901",
            level=check("CSV901").level,
            message=f"the {word} pattern {glob.pattern!r} matches nothing",
            help="patterns are matched with the path as the report shows it; drop the pattern if it is stale",
        )


_name = attrgetter("name")


def _side_names_in(folder: str) -> SideNames:
    try:
        return SideNames.among(os.listdir(folder))  # noqa: PTH208, plain names
    except OSError:
        return SideNames()


def _prefix(path: str) -> str:
    return path + "/" if path and not path.endswith("/") else path


def _relative(path: str, folder: str) -> str | None:
    """What is left of an absolute path below a folder; `None` outside of it."""
    if path == folder:
        return ""
    prefix = folder if folder.endswith(os.sep) else folder + os.sep
    return path[len(prefix) :] if path.startswith(prefix) else None


def _slashes(path: str) -> str:
    return path if os.sep == "/" else path.replace(os.sep, "/")


def _reason(error: OSError) -> str:
    """The system's own words, without the path that it would quote unescaped."""
    return error.strerror or type(error).__name__


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISREG, "a file"),
    )
    return next((name for test, name in kinds if test(mode)), "something that is no file")
