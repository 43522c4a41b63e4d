"""A tree split over machines: which of them judges a file follows from its path alone, so nobody has to hand out the work."""

from __future__ import annotations

import hashlib
import re

from csv_gate.errors import UsageError
from csv_gate.model.result import Shard

MOST_SHARDS = 10_000


def read_shard(written: str) -> Shard:
    """`2/8`: the second of eight.

    Raises:
        UsageError: it is something else.
    """
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", written)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= MOST_SHARDS:
        raise UsageError("this is no shard", got=written, expected="NUMBER/COUNT, such as 2/8, counted from 1")
    return Shard(number=number, count=count)


def is_in(shard: Shard, scope: str) -> bool:
    """Whether the shard judges the file whose pattern path is `scope`: the same answer on every machine and in every release."""
    digest = hashlib.sha256(scope.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % shard.count == shard.number - 1
