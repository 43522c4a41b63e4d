"""The roots that a chain may end in, as a choice: Microsoft's own, known by key, and those that the user gave.

What they are, with their keys, is in `anchors`, read when the first chain is built: a run that finds all its facts kept builds none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from csv_gate.records import dataclass

if TYPE_CHECKING:
    from csv_gate.signatures.anchors import Anchor

WELL_KNOWN_COMMON_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "03": "Microsoft Authenticode(tm) Root Authority",
        "04": "Microsoft Root Authority",
        "05": "Microsoft Root Certificate Authority",
        "06": "Microsoft Root Certificate Authority 2010",
        "07": "Microsoft Root Certificate Authority 2011",
        "08": "Microsoft Code Verification Root",
        "0A": "Microsoft Testing Root Certificate Authority 2010",
        "0E": "Microsoft Development Root Certificate Authority 2014",
        "12": "Microsoft ECC Product Root Certificate Authority 2018",
        "16": "Microsoft Identity Verification Root Certificate Authority 2020",
    }
)
"""Common names of well-known roots, where they are certain. Roots whose key is not known here can still be ruled out by the issuer
name of a chain's top; a name alone never makes a chain end in a root."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roots:
    """A set of anchors, found by subject. Compared by identity: the same choice gives the same object, and chains are cached per object.

    Crosses process borders as the choice it was made by.
    """

    includes_known: bool
    given: tuple[bytes, ...]
    """DER certificates, sorted."""

    @staticmethod
    def known() -> Roots:
        """The Microsoft roots of the data file."""
        return _choose(True, ())

    @staticmethod
    def none() -> Roots:
        """No root at all: every chain ends incomplete or self-signed."""
        return _choose(False, ())

    def with_given(self, certificates: Iterable[bytes]) -> Roots:
        """These roots and the given ones, DER certificates. A known root stays known when it is given too.

        Raises:
            FormatError: one of them is not a certificate.
        """
        chosen = _choose(self.includes_known, tuple(sorted({*self.given, *certificates})))
        chosen.by_subject()  # a fault is to show here, and not when the first chain is built
        return chosen

    def by_subject(self) -> Mapping[bytes, tuple[Anchor, ...]]:
        """All anchors."""
        from csv_gate.signatures.anchors import anchors_by_subject

        return anchors_by_subject(self.includes_known, self.given)

    def named(self, subject: bytes) -> tuple[Anchor, ...]:
        return self.by_subject().get(subject, ())

    def __reduce__(self) -> tuple[object, ...]:
        return _choose, (self.includes_known, self.given)


@lru_cache(maxsize=16)
def _choose(includes_known: bool, given: tuple[bytes, ...]) -> Roots:
    return Roots(includes_known=includes_known, given=given)
