"""Signs PE images in memory, over the ranges of the Authenticode paper as written down here once more."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from tests.builders import ca, cms
from tests.builders.pe import certificate, checksum_offset, security_entry_offset


def covered(data: bytes) -> bytes:
    """What Authenticode hashes of an image, given its own directory entry."""
    checksum, entry = checksum_offset(data), security_entry_offset(data)
    offset, size = struct.unpack_from("<II", data, entry)
    rest = data[entry + 8 : offset] + data[offset + size :] if offset else data[entry + 8 :]
    return data[:checksum] + data[checksum + 4 : entry] + rest


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def signature(image: bytes, signer: ca.Identity, *, digest: str = "sha256", **cms_options: Any) -> bytes:
    """The PKCS#7 over an unsigned image; options as of `cms.authenticode`."""
    return cms.authenticode(signer, hashlib.new(digest, covered(padded(image))).digest(), digest=digest, **cms_options)


def attach(image: bytes, table: bytes) -> bytes:
    """An unsigned image with this certificate table."""
    data = padded(image)
    entry = security_entry_offset(data)
    return data[:entry] + struct.pack("<II", len(data), len(table)) + data[entry + 8 :] + table


def signed_pe(image: bytes, signer: ca.Identity, *, digest: str = "sha256", **cms_options: Any) -> bytes:
    return attach(image, certificate(signature(image, signer, digest=digest, **cms_options)))
