"""Signature hygiene that no policy expresses: what an organisation asks of the signatures of what it ships.

Pure: facts, paths and an instant in, findings out. A fact that is not known never meets a requirement.
"""

from __future__ import annotations

from csv_gate.requirements.findings import findings_for, idle_findings
from csv_gate.requirements.model import (
    Demands,
    Expiry,
    KeyBits,
    Listed,
    RequirementSet,
    Stamp,
    TestNames,
    Wanted,
)
from csv_gate.requirements.seen import Seen
from csv_gate.requirements.signers import Signer

__all__ = [
    "Demands",
    "Expiry",
    "KeyBits",
    "Listed",
    "RequirementSet",
    "Seen",
    "Signer",
    "Stamp",
    "TestNames",
    "Wanted",
    "findings_for",
    "idle_findings",
]
