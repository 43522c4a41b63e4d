"""Suggesting: the rules that would let blocked artifacts run, at a chosen level, as a supplemental policy. Nothing is read or written.

Every rule is tried with the engine before it is suggested, so that what is suggested is what the engine honours.
"""

from __future__ import annotations

from csv_gate.suggesting.levels import Level, Proposal
from csv_gate.suggesting.mending import mending_rule
from csv_gate.suggesting.suggest import Candidate, Mended, Suggestion, Unmended, Wish, suggest

__all__ = ["Candidate", "Level", "Mended", "Proposal", "Suggestion", "Unmended", "Wish", "mending_rule", "suggest"]
