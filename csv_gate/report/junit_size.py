"""How a JUnit file keeps within what its readers take: texts are shortened first, passes then told together, failures last of all.

GitLab refuses a file of more than 30 MB (GitLab docs, "Unit test reports", limits). A failure is never left out in silence: what cannot be
listed is counted in a case that fails itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

FULL_PASSES = 8_000_000
"""Octets of the file beyond which passed and skipped cases lose their text."""
FULL_FAILURES = 16_000_000
"""Octets beyond which failures keep their message only, shortened."""
ALL_LISTED = 12_000_000
"""Where all cases in their short form take more octets than this, passed and skipped ones are told together."""
LISTED = 26_000_000
"""Octets beyond which failures are told together too."""
FEW = 1_000
"""So many cases fit in any case, at some 12 kB for the longest short form: they need no measuring."""
MAX_FOLDERS = 400
"""Groups of the file that are told by their folder; further ones are told as one of their suite."""


class Room:
    """What has been written, and what still may be."""

    def __init__(self, *, folds: bool) -> None:
        self.folds = folds
        """Passed and skipped cases are told together."""
        self.octets = 0
        self.folders = 0

    def takes_text(self, octets: int, *, is_grave: bool) -> bool:
        """Whether a case of that size may keep its text."""
        return self.octets + octets <= (FULL_FAILURES if is_grave else FULL_PASSES)

    def takes(self, octets: int) -> bool:
        """Whether a case of that size may be listed at all."""
        return not self.folds or self.octets + octets <= LISTED


class Together:
    """Cases of one suite that are not listed, counted by outcome and folder."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def add(self, outcome: str, path: str | None) -> None:
        """`outcome` as the case has it; `path` of the artifact."""
        key: tuple[str, str | None] = (outcome, (path or "").rpartition("/")[0] or ".")
        if key not in self._counts:
            if self._room.folders >= MAX_FOLDERS:
                key = (outcome, None)
            else:
                self._room.folders += 1
        self._counts[key] += 1

    def groups(self) -> Iterator[tuple[str, str | None, int]]:
        """Outcome, folder (`None`: any further one) and number of cases, sorted."""
        for (outcome, folder), count in sorted(
            self._counts.items(), key=lambda one: (one[0][0], one[0][1] is None, one[0][1] or "")
        ):
            yield outcome, folder, count

    @property
    def count(self) -> int:
        return self._counts.total()
