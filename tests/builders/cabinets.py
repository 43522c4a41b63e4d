"""Writes cabinets: a header, some octets in place of folders and files, and a signature behind them."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from tests.builders import ca, cms

BODY = b"folders, files and data" * 9


def cabinet(*, body: bytes = BODY, reserve: bytes | None = None, flags: int = 0, length: int | None = None) -> bytes:
    """An unsigned cabinet. `reserve`: the reserved area of the header; `length`: what the header says of the whole."""
    area = b"" if reserve is None else struct.pack("<HBB", len(reserve), 0, 0) + reserve
    flags |= 0 if reserve is None else 4
    size = 36 + len(area) + len(body)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, length or size, 0, 36 + len(area), 0, 3, 1, 1, 2, flags, 7, 0)
    return head + area + body


def signed(signer: ca.Identity, *, body: bytes = BODY, digest: str = "sha256", behind: bytes = b"", **options: Any) -> bytes:
    """A signed cabinet; `behind` follows the signature."""
    plain = cabinet(body=body, reserve=bytes(20))
    covered = plain[:4] + plain[8:34] + plain[56:]
    value = b"\xa2\x02\x80\x00"
    options = {"data_type": cms.FLAT_DATA, "value": value} | options
    block = cms.authenticode(signer, hashlib.new(digest, covered).digest(), digest=digest, **options)
    return plain[:40] + struct.pack("<III", 0x100000, len(plain), len(block)) + plain[52:] + block + behind
