"""Attesting: a verdict that can be handed on. A result becomes signed statements about digests, and a deployer asks for them.

`attest` signs what a JSON result says; `verify` tells whether statements hold for given files. What a signature cannot tell stands
in `NOT_CHECKED`.
"""

from __future__ import annotations

from csv_gate.attesting.statement import PREDICATES, Claim, claims, statement
from csv_gate.attesting.verification import NOT_CHECKED, Demand, Fault, Verified, verify

__all__ = ["NOT_CHECKED", "PREDICATES", "Claim", "Demand", "Fault", "Verified", "claims", "statement", "verify"]
