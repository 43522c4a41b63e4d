"""The first look at a run's files: what each is, what is in the containers, which catalogs there are, which patterns meet anything.

Only heads are read, of files and of members; containers are unpacked as far as that takes. What is judged is then read anew, in the
processes that judge: a file that holds nothing to judge and is sound is read no further.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from csv_gate.containers import OPENERS
from csv_gate.errors import ArtifactError, LimitError
from csv_gate.formats import PACKAGES
from csv_gate.gate.opening import Looked, Selection, members
from csv_gate.gate.plan import Plan
from csv_gate.globs import Glob
from csv_gate.records import dataclass, field
from csv_gate.scan import Entry, open_content
from csv_gate.signatures import Catalog, Roots

if TYPE_CHECKING:
    from csv_gate.containers import Found

CATALOG = "catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCatalog:
    """A catalog in a container, read while the container was open."""

    path: str
    """As reports show it."""
    scope: str
    """As patterns see it."""
    read: Catalog | ArtifactError


@dataclass(slots=True, kw_only=True)
class Survey:
    """What was seen."""

    judged: list[Entry] = field(default_factory=list)
    """Files to judge: those that some target judges or a requirement is about, what could not be read (it may be anything), what has
    signatures of its own or beside it, and containers with something to judge or to tell in them."""
    judgeable: int = 0
    """Files and members that will get a verdict of a target, or that a requirement is about."""
    unrouted: int = 0
    """Files and members that could be judged and that no target takes."""
    catalogs: list[Entry] = field(default_factory=list)
    member_catalogs: list[MemberCatalog] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    """Formats that no target judges -> files and members."""
    containers: int = 0
    """That were opened, at every level."""
    closed: int = 0
    """Containers that were left closed because the run was told so."""
    excluded: int = 0
    """Members that an exclude pattern took out."""
    not_included: int = 0
    """Files and members that no include pattern names, beside those that the walk counted."""
    unused: list[Glob] = field(default_factory=list)
    required: set[tuple[str, str]] = field(default_factory=set)
    """(requirement, pattern) of all that met something, in the whole tree."""


def survey(
    plan: Plan, entries: Iterable[tuple[Entry, str | None]], looked: Looked, unused: Iterable[Glob], roots: Roots
) -> Survey:
    """Look at all listed files, each with its format; `None`: it cannot be read. `looked`: what the run looks at."""
    seen = Survey(unused=list(unused))
    for entry, found in entries:
        if found is None:
            seen.judged.append(entry)  # judging it says why it cannot be read
            seen.required.update(looked.perhaps_used_by(entry.scope))
            # What cannot be read may hold anything, for any target.
            _count(seen, is_taken=entry.is_folder or plan.opens_containers or _takes(plan, entry.scope))
            continue
        is_container = found in OPENERS
        if is_container and plan.opens_containers:
            _container(plan, entry, found, looked, seen, roots)
        elif not entry.is_included:
            seen.not_included += 1
        else:
            if looked.wants(entry.scope, found):
                seen.judged.append(entry)
                _count_found(plan, entry.scope, found, looked, seen)
            elif found in PACKAGES or entry.beside or entry.is_alone:
                seen.judged.append(entry)  # for what signatures say, whatever targets do
            else:
                seen.left[found] += 1
            seen.closed += is_container
            if found == CATALOG:
                seen.catalogs.append(entry)
    return seen


def _takes(plan: Plan, scope: str) -> bool:
    return any(target.takes(scope) for target in plan.targets)


def _count_found(plan: Plan, scope: str, format: str, looked: Looked, seen: Survey) -> None:
    """Count what a target judges, or a requirement is about."""
    required = set(looked.used_by(scope, format))
    seen.required |= required
    if format in looked.formats or required:
        _count(seen, is_taken=bool(required) or _takes(plan, scope))


def _count(seen: Survey, *, is_taken: bool) -> None:
    if is_taken:
        seen.judgeable += 1
    else:
        seen.unrouted += 1


def _container(plan: Plan, entry: Entry, format: str, looked: Looked, seen: Survey, roots: Roots) -> None:
    questions = _Look(Selection(plan, entry), looked, seen)
    is_told = False
    try:
        with open_content(entry, plan.limits) as content:
            for found in members(plan, entry, content, format, questions):
                shown = entry.path + found.path[len(entry.scope) :]
                if found.gap is not None:
                    seen.judgeable += 1
                    seen.required.update(looked.perhaps_used_by(found.path))
                    is_told = True
                seen.containers += found.is_container
                if found.is_container and found.depth and questions.selection.is_included(found.path):
                    # Only here is it known which kind of archive it is.
                    is_told = is_told or looked.wants(found.path, found.format)
                    _count_found(plan, found.path, found.format, looked, seen)
                is_told = is_told or bool(found.problems) or found.format in PACKAGES
                if found.format == CATALOG and found.content is not None:
                    seen.member_catalogs.append(_catalog(found, shown, plan, roots))
    except ArtifactError:
        seen.judgeable += 1
        seen.required.update(looked.perhaps_used_by(entry.scope))
        is_told = True
    has_sides = entry.is_included and bool(entry.beside or entry.is_alone)
    if is_told or questions.judged or has_sides or looked.wants(entry.scope, format):
        seen.judged.append(entry)
    if entry.is_included:
        _count_found(plan, entry.scope, format, looked, seen)


def _catalog(found: Found, path: str, plan: Plan, roots: Roots) -> MemberCatalog:
    from csv_gate.signatures import read_catalog  # with the cryptography library behind it

    read: Catalog | ArtifactError
    try:
        if found.size > plan.limits.max_catalog_bytes:  # before so much is read into memory
            raise LimitError("a catalog is too large", got=f"{found.size} bytes", expected="limits.max_catalog_bytes")
        read = read_catalog(bytes(found.content or b""), path=path, roots=roots, limits=plan.limits)
    except ArtifactError as error:
        read = error
    return MemberCatalog(path=path, scope=found.path, read=read)


@dataclass(slots=True)
class _Look:
    """Asks for catalogs alone, and counts what else is there."""

    selection: Selection
    looked: Looked
    seen: Survey
    judged: int = 0

    def passes(self, path: str) -> bool:
        self._use(path)
        if self.selection.is_excluded(path):
            self.seen.excluded += 1
            return False
        if self.selection.is_included(path) or self.selection.may_hold(path):
            return True
        self.seen.not_included += 1
        return False

    def wants(self, path: str, format: str) -> bool:
        if not self.selection.is_included(path):
            self.seen.not_included += format not in OPENERS
            return False
        if format in OPENERS:
            return False  # counted when it is closed, which tells the kinds of archive apart
        if self.looked.wants(path, format):
            self.judged += 1
            _count_found(self.selection.plan, path, format, self.looked, self.seen)
        else:
            self.seen.left[format] += 1
        return format == CATALOG

    def _use(self, path: str) -> None:
        if self.seen.unused:
            self.seen.unused = [glob for glob in self.seen.unused if not glob.matches(path)]
