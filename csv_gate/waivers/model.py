"""Waivers as written: owned, reasoned, expiring exceptions.

A waiver names what it excuses by digest, path, check or target. Of one kind any entry suffices; the kinds that are stated must all hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import takewhile

from csv_gate.documents import says
from csv_gate.errors import ConfigError, Place
from csv_gate.globs import Below, Glob, is_literal
from csv_gate.model.checks import CHECKS
from csv_gate.model.result import ArtifactResult, WaiverRef
from csv_gate.records import dataclass, field
from csv_gate.records.rows import NamedTuple

SHA256 = "[0-9A-Fa-f]{64}"
WAIVERS_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a waiver excuses."""

    sha256: tuple[str, ...] = field(
        default=(), metadata=says("SHA-256 digests of artifacts, 64 hex digits each.", pattern=SHA256)
    )
    paths: tuple[Glob, ...] = field(
        default=(), metadata=says("Path globs of the build output; only `**` or a trailing slash reaches below a folder.")
    )
    checks: tuple[str, ...] = field(
        default=(), metadata=says("Ids of checks such as CSV201. Only a check that is named here excuses `undecided`.")
    )
    targets: tuple[str, ...] = field(default=(), metadata=says("Names of targets; none given: every target."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if not (self.sha256 or self.paths or self.checks or self.targets):
            raise ConfigError("a waiver that matches by nothing would match everything", place=self.place)
        for check in self.checks:
            if check not in CHECKS:
                from difflib import get_close_matches

                near = get_close_matches(check.upper()[:20], CHECKS, n=1)
                help = f"did you mean {near[0]}?" if near else "`csv-gate explain` without arguments lists the checks"
                raise ConfigError("there is no such check", place=self.place, got=repr(check[:60]), help=help)
        object.__setattr__(self, "sha256", tuple(digest.lower() for digest in self.sha256))
        exact = tuple(Glob(glob.pattern, below=Below.NEVER) for glob in self.paths)
        object.__setattr__(self, "paths", exact)

    @property
    def is_broad(self) -> bool:
        """Whether artifacts that nobody can name today would match: no digest, and no path or one that is hardly bounded."""
        return not self.sha256 and (not self.paths or any(_is_wide(glob.pattern) for glob in self.paths))


def _is_wide(pattern: str) -> bool:
    """Whether a pattern begins with a wildcard (`*.dll`, `**/x.dll`), has no slash and so is met in every folder (`x.dll`), or reaches to
    any depth below a first folder (`dist/**`)."""
    if "/" not in pattern.removeprefix("./"):
        return True
    names = pattern.removeprefix("./").lstrip("/").split("/")
    plain = list(takewhile(is_literal, names))
    reaches = "**" in names or names[-1] == ""
    return not plain or (reaches and len([name for name in plain if name]) < 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One exception. It holds through the whole day of `expires` (UTC)."""

    id: str = field(metadata=says("Name of the exception, unique in the file.", pattern=r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"))
    reason: str = field(metadata=says("Why this is right, for those who read it in a year."))
    owner: str = field(metadata=says("Who answers for it."))
    expires: date = field(metadata=says("Its last day, such as 2027-01-31."))
    match: Match = field(metadata=says("What it excuses."))
    broad: bool = field(default=False, metadata=says("Its breadth is meant: artifacts that nobody can name today may match."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.owner.strip():
            raise ConfigError("a waiver needs a reason and an owner", place=self.place)

    @property
    def is_too_broad(self) -> bool:
        return self.match.is_broad and not self.broad

    def holds(self, today: date) -> bool:
        """Whether it excuses anything at all."""
        return today <= self.expires and not self.is_too_broad

    def means(self, path: str, sha256: str | None) -> bool:
        """Whether the artifact is one of those it names."""
        match = self.match
        return (not match.sha256 or sha256 in match.sha256) and (not match.paths or any(g.matches(path) for g in match.paths))

    def covers(self, check: str | None, target: str | None, *, by_name: bool) -> bool:
        """Whether it excuses this check on this target. `by_name`: only where it names the check. `check` is `None` for a verdict
        that names none, `target` is `None` for what is true whatever the target."""
        match = self.match
        named = check in match.checks
        return (named or (not by_name and not match.checks)) and (not match.targets or target in match.targets)

    def ref(self) -> WaiverRef:
        return WaiverRef(id=self.id, reason=self.reason, owner=self.owner, expires=self.expires, place=self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFile:
    """A whole waiver file."""

    version: int = field(metadata=says("Version of this file's format: 1.", low=WAIVERS_VERSION, high=WAIVERS_VERSION))
    waivers: tuple[Waiver, ...] = field(default=(), metadata=says("The exceptions."))

    def __post_init__(self) -> None:
        seen: dict[str, Waiver] = {}
        for waiver in self.waivers:
            if waiver.id in seen:
                first = seen[waiver.id].place
                raise ConfigError(
                    f"the waiver {waiver.id!r} is here twice", place=waiver.place, got=f"first at line {first.line}"
                )
            seen[waiver.id] = waiver

    def __iter__(self) -> Iterator[Waiver]:
        return iter(self.waivers)


NO_WAIVERS = WaiverFile(version=WAIVERS_VERSION)


class Waived(NamedTuple):
    """A result with its waiver set, if it is waived, and the ids of the waivers that it takes."""

    result: ArtifactResult
    used: frozenset[str] = frozenset()
    """Also of waivers that excuse a part only."""
