"""What a reader let pass: collected once per kind, so that ten thousand lenient ids make one line."""

from __future__ import annotations


class Notes:
    """Kinds of leniency with their first occurrence and their count, in the order in which they were first met."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, int]] = {}

    def add(self, kind: str, example: str = "") -> None:
        """Count one occurrence of `kind`; `example` (with its place) is kept of the first one only."""
        first, count = self._seen.get(kind, (example, 0))
        self._seen[kind] = (first, count + 1)

    def lines(self) -> tuple[str, ...]:
        """One sentence per kind."""
        return tuple(
            kind + (f": {example}" if example else "") + (f" (and {count - 1} more)" if count > 1 else "")
            for kind, (example, count) in self._seen.items()
        )
