"""Written, owned, expiring exceptions, and the baseline of what was known before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.lazy import lazily
from csv_gate.waivers.model import NO_WAIVERS, Match, Waived, Waiver, WaiverFile

if TYPE_CHECKING:
    from csv_gate.waivers.applying import apply, waiver_findings
    from csv_gate.waivers.baseline import Baseline, NewOnly, baseline_filter, policies_of
    from csv_gate.waivers.reading import read_waivers, read_waivers_at, waivers_from
    from csv_gate.waivers.stubs import write_stubs
else:
    __getattr__ = lazily(
        __name__,
        {
            "Baseline": "baseline",
            "NewOnly": "baseline",
            "apply": "applying",
            "baseline_filter": "baseline",
            "policies_of": "baseline",
            "read_waivers": "reading",
            "read_waivers_at": "reading",
            "waiver_findings": "applying",
            "waivers_from": "reading",
            "write_stubs": "stubs",
        },
    )

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
