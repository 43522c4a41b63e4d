"""Which files of one folder, by their names, hold detached signatures of which others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from csv_gate.records import dataclass, field

SIDE_ENDINGS: Final = (
    ".asc",
    ".bundle",
    ".p7b",
    ".p7m",
    ".p7s",
    ".sig",
    ".sign",
    ".sigstore",
    ".sigstore.json",
)
"""What is put behind the name of a file to name its signature, in any case of letters."""


@dataclass(frozen=True, slots=True)
class SideNames:
    """The side files of one folder. False where there are none, as in nearly every folder."""

    _by_name: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a file -> names of its side files, sorted."""
    _alone: frozenset[str] = frozenset()

    @classmethod
    def among(cls, names: Iterable[str]) -> SideNames:
        """From the names in a folder: no file is asked for, so that a folder without side files costs a look at its names."""
        names = list(names)
        joined = "/".join((*names, "")).lower()  # no name holds a slash: one search sees the ends of all
        if not any(f"{ending}/" in joined for ending in SIDE_ENDINGS):
            return NO_SIDE_FILES
        sides = [name for name in names if name.lower().endswith(SIDE_ENDINGS)]
        known = set(names)
        found: dict[str, list[str]] = {}
        alone = set()
        for side in sorted(sides):
            signed = side[: -len(_ending(side))]
            if signed and signed in known:
                found.setdefault(signed, []).append(side)
            else:
                alone.add(side)
        return cls({name: tuple(beside) for name, beside in found.items()}, frozenset(alone))

    def __bool__(self) -> bool:
        return bool(self._by_name or self._alone)

    def beside(self, name: str) -> tuple[str, ...]:
        """The side files of a file."""
        return self._by_name.get(name, ())

    def is_alone(self, name: str) -> bool:
        """Whether this is a side file without its file."""
        return name in self._alone


NO_SIDE_FILES: Final = SideNames()


def _ending(name: str) -> str:
    return max((ending for ending in SIDE_ENDINGS if name.lower().endswith(ending)), key=len)
