"""What a requirement came to where it is not met: broken, or open for want of a fact."""

from __future__ import annotations

from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """One demand that is not met. Words may hold text from the artifact: unescaped."""

    check: str
    because: str
    missing: str | None = None
    """The fact that would decide; `None`: it is decided, and broken."""
    help: str = ""

    @property
    def is_open(self) -> bool:
        return self.missing is not None
