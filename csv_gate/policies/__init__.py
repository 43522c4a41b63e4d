"""App Control policy files to the policy model, and back: SiPolicy XML, compiled policies, signed policies, sets of them."""

from __future__ import annotations

from csv_gate.policies.load import load_policy, read_policy
from csv_gate.policies.policy_set import join_policies

__all__ = ["join_policies", "load_policy", "read_policy"]
