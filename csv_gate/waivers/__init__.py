"""Written, owned, expiring exceptions, and the baseline of what was known before."""

from __future__ import annotations

from csv_gate.waivers.applying import Waived, apply, waiver_findings
from csv_gate.waivers.baseline import Baseline, NewOnly, baseline_filter, policies_of
from csv_gate.waivers.model import NO_WAIVERS, Match, Waiver, WaiverFile
from csv_gate.waivers.reading import read_waivers, read_waivers_at, waivers_from
from csv_gate.waivers.stubs import write_stubs

__all__ = [
    "NO_WAIVERS",
    "Baseline",
    "Match",
    "NewOnly",
    "Waived",
    "Waiver",
    "WaiverFile",
    "apply",
    "baseline_filter",
    "policies_of",
    "read_waivers",
    "read_waivers_at",
    "waiver_findings",
    "waivers_from",
    "write_stubs",
]
