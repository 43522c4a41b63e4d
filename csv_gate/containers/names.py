"""Names of members: only names. Nothing is written under them, but whoever unpacks the container later writes."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.lazy import regex
from csv_gate.model.problems import Problem, ProblemCode

_CONTROL = regex(r"[\x00-\x1f\x7f]")
_ODD = regex(r"[\x00-\x1f\x7f:]|^/|\.\.|^$")
"""What a name has that may lead astray; most have none of it."""
_DRIVE = regex(r"[A-Za-z]:")
MAX_PROBLEMS = 50
"""Of one container; what is beyond says nothing new."""


def hostile(name: str) -> str | None:
    """Why a name leads astray, or `None`."""
    if _ODD.search(name) is None:
        return None
    if not name:
        return "it is empty"
    if _CONTROL.search(name):
        return "it holds control characters"
    if name.startswith("/"):
        return "it is absolute"
    if _DRIVE.match(name):
        return "it names a drive"
    if ".." in name.split("/"):
        return "it climbs out of its folder"
    return "it names an alternate stream" if ":" in name else None


def shown(name: str) -> str:
    """The name as paths of members have it: archives made of `.` begin each name with `./`, which people do not write in patterns."""
    while name.startswith("./"):
        name = name[2:]
    return name


def leads_out(name: str, target: str, *, is_hard: bool = False) -> bool:
    """Whether a link of that name leads out of its container. What a hard link names is told from the container's own root."""
    if not is_hard and not target.startswith("/"):
        target = "/".join([*plain(name).split("/")[:-1], target])
    depth = 0
    for part in plain(target).split("/"):
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return is_hard and target.startswith("/")


class Names:
    """The names seen in one container."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._told = 0

    def problems(self, name: str) -> Iterator[Problem]:
        """What is wrong with one more name."""
        key = plain(name).casefold()
        first = self._seen.get(key)
        if first is None:
            self._seen[key] = name
            if _ODD.search(name) is None:
                return
        for problem in self._problems(name, first):
            self._told += 1
            if self._told <= MAX_PROBLEMS:
                yield problem

    def _problems(self, name: str, first: str | None) -> Iterator[Problem]:
        shown = repr(name[:200])
        if (why := hostile(name)) is not None:
            yield Problem(code=ProblemCode.MEMBER_NAME_HOSTILE, detail=f"the member name {shown} leads astray: {why}")
        if first is None:
            return
        if plain(first) == plain(name):
            yield Problem(code=ProblemCode.MEMBER_NAME_REPEATED, detail=f"two members are named {shown}")
        else:
            yield Problem(
                code=ProblemCode.MEMBER_NAMES_COLLIDE, detail=f"{first[:200]!r} and {shown} differ in letter case alone"
            )


def plain(name: str) -> str:
    """The name without empty and `.` parts, as it comes out on disk."""
    if "/" not in name:
        return "" if name == "." else name
    return "/".join(part for part in name.split("/") if part not in ("", "."))
