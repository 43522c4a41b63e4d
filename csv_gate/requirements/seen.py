"""One artifact as requirements look at it."""

from __future__ import annotations

from csv_gate.model.facts import FactName, Facts, Gap
from csv_gate.records import dataclass

WHO_SIGNED = (FactName.SIGNATURES, FactName.CATALOGS, FactName.DIGESTS, FactName.AUTHENTICODE, FactName.PE)
"""Facts without which a signature may be there that nobody saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`facts` hold the signatures that count where the set looks: a catalog that is not installed there signs nothing there."""

    scope: str
    """As patterns see it. Attacker-controlled below a container."""
    facts: Facts
    all_facts: Facts
    """With the signatures of every catalog."""
    holds_members: bool = False
    """It is of a format that holds files, whether or not the gate can open it."""
    is_opened: bool = False
    """What is inside was looked at."""

    @property
    def unread(self) -> Gap | None:
        """Set where nothing of it is known, so that it may be of any format."""
        return next((gap for gap in self.facts.gaps if gap.what is FactName.CONTENT), None)

    @property
    def unopened(self) -> Gap | None:
        """Set where not all that is inside is known."""
        return next((gap for gap in self.facts.gaps if gap.what is FactName.MEMBERS), None)

    @property
    def hidden(self) -> Gap | None:
        """Set where a signature may be there that is not among the facts."""
        return self.facts.gap(*WHO_SIGNED)
