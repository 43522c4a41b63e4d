"""What a certificate chain alone decides, kept for the next file that bears it.

The files of a build share a handful of chains, and whoever reads facts gives equal chains as one object. So a chain is known again by
its identity, which costs less than comparing certificates. A kept answer is a pure function of values that never change, and a table
holds its chains, so that the identity of none passes to another.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from csv_gate.model.facts import CertificateFacts, ChainFacts

T = TypeVar("T")

MOST: Final = 512
"""Chains in one table: more than a build has, little enough to hold. A full table is emptied."""


class PerChain(Generic[T]):
    """Answers by chain and leaf. Threads may share one: at worst two of them work out the same answer."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, tuple[ChainFacts, CertificateFacts, T]] = {}

    def get(self, chain: ChainFacts, leaf: CertificateFacts) -> T | None:
        """The answer for this very chain, if it was put in."""
        kept = self._kept.get(id(chain))
        return kept[2] if kept is not None and kept[0] is chain and kept[1] is leaf else None

    def put(self, chain: ChainFacts, leaf: CertificateFacts, answer: T) -> T:
        """Keep an answer and give it back."""
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[id(chain)] = (chain, leaf, answer)
        return answer
