"""Containers: archives, packages and installers to their members, recursively, without writing any of them under its name.

`walk_container` turns the bytes of one file into what is found in it, depth first; `OPENERS` says which formats are opened and by
whom. Input is hostile: names are only names, and every count, size, ratio, depth and time is bounded by `Limits`. What cannot be
read is told as a gap of the member or of the container, and never left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.containers.openers import OPENERS
from csv_gate.lazy import lazily

if TYPE_CHECKING:
    from csv_gate.containers.budget import Budget
    from csv_gate.containers.member import INSIDE
    from csv_gate.containers.walk import Found, Questions, walk_container
else:
    # Most build outputs hold no container.
    __getattr__ = lazily(
        __name__, {"INSIDE": "member", "Budget": "budget", "Found": "walk", "Questions": "walk", "walk_container": "walk"}
    )

__all__ = ["INSIDE", "OPENERS", "Budget", "Found", "Questions", "walk_container"]
