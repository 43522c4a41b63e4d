"""Makes signed Silverlight packages."""

from __future__ import annotations

import hashlib
import struct

from tests.builders import cms, der
from tests.builders.containers import zip_of
from tests.builders.signing import publisher

ARCHIVE = zip_of({"AppManifest.xaml": b"<Deployment/>", "app.dll": b"MZ"})
INTERFACE = bytes.fromhex("6fa608ba3b11584d9329a1b37af30f0e")


def xap(archive: bytes = ARCHIVE, *, interface: bytes = INTERFACE, inner: int | None = None) -> bytes:
    info = der.seq(der.integer(1), der.octets(interface), *[der.integer(0)] * 5)
    signature = cms.authenticode(publisher(), hashlib.sha256(archive).digest(), data_type="1.3.6.1.4.1.311.2.1.30", value=info)
    size = len(signature) if inner is None else inner
    return archive + struct.pack("<2HI", 1, 1, size) + signature + struct.pack("<4sHI", b"XapS", 1, len(signature) + 8)
