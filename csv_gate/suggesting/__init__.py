"""Suggesting: the rules that would let blocked artifacts run, at a chosen level, as a supplemental policy. Nothing is read or written.

Every rule is tried with the engine before it is suggested, so that what is suggested is what the engine honours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.lazy import lazily

if TYPE_CHECKING:
    from csv_gate.suggesting.levels import Level, Proposal
    from csv_gate.suggesting.mending import mending_rule
    from csv_gate.suggesting.supply import Candidate, Mended, Suggestion, Unmended, Wish, suggest
else:
    __getattr__ = lazily(
        __name__,
        {
            "Candidate": "supply",
            "Level": "levels",
            "Mended": "supply",
            "Proposal": "levels",
            "Suggestion": "supply",
            "Unmended": "supply",
            "Wish": "supply",
            "mending_rule": "mending",
            "suggest": "supply",
        },
    )

__all__ = ["Candidate", "Level", "Mended", "Proposal", "Suggestion", "Unmended", "Wish", "mending_rule", "suggest"]
