"""What somebody may have meant: the known word that is most like a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_MOST_WORDS = 2000
"""Comparing is slow; in a policy with more ids than this a hint is a matter of luck."""
_LONGEST = 80


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint for a message, or `None` when nothing is near."""
    from difflib import get_close_matches

    close = get_close_matches(word[:_LONGEST], list(islice(known, _MOST_WORDS)), n=1)
    return f"did you mean {close[0][:_LONGEST]}?" if close else None
