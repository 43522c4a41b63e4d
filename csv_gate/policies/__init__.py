"""App Control policy files to the policy model, and back: SiPolicy XML, compiled policies, signed policies, sets of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.lazy import lazily
from csv_gate.policies.load import load_policy, read_policy
from csv_gate.policies.policy_set import join_policies

if TYPE_CHECKING:
    from csv_gate.policies.binary_writer import write_binary
    from csv_gate.policies.xml_writer import write_xml
else:
    __getattr__ = lazily(__name__, {"write_binary": "binary_writer", "write_xml": "xml_writer"})

__all__ = ["join_policies", "load_policy", "read_policy", "write_binary", "write_xml"]
