"""XAP, the packages of Silverlight: ZIP files with a signature behind them, which is no stray data."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Item, View
from csv_gate.containers.zip import open_zip
from csv_gate.formats.packages.xap import signed_size


def open_xap(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a package. See `Opener`."""
    yield from open_zip(data[: signed_size(data)], name, budget)
