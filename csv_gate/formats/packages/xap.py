"""XAP, the packages of Silverlight: an Authenticode signature behind the ZIP file, over all of the bytes before it.

The trailer is a header (two numbers, length of the signature), the signature, and a footer (`XapS`, a number, length of header and
signature).
Source: no public specification; the layout is that of signtool's output as open verifiers read it (relic, Apache-2.0).
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

from csv_gate.formats.packages import PackageReading
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import PackageFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field, replace
from csv_gate.signatures import read_signatures
from csv_gate.signatures.content import Subject
from csv_gate.signatures.keys import HASHES

_HEADER: Final = struct.Struct("<2HI")
_FOOTER: Final = struct.Struct("<4sHI")
_MAGIC: Final = b"XapS"
_CHUNK_BYTES: Final = 1024 * 1024
_SUBJECT: Final = Subject(
    data_type="1.3.6.1.4.1.311.2.1.30",
    interface=bytes.fromhex("6fa608ba3b11584d9329a1b37af30f0e"),
    name="a Silverlight package",
)


@dataclass(slots=True)
class XapContent:
    """The bytes before the signature (`csv_gate.signatures.SignedContent`)."""

    covered: memoryview
    known: dict[str, bytes] = field(default_factory=dict)

    def digest(self, algorithm: str) -> bytes | None:
        if algorithm not in HASHES:
            return None
        if algorithm not in self.known:
            hasher = hashlib.new(algorithm, usedforsecurity=False)
            for at in range(0, len(self.covered), _CHUNK_BYTES):
                hasher.update(self.covered[at : at + _CHUNK_BYTES])
            self.known[algorithm] = hasher.digest()
        return self.known[algorithm]

    def page_hash_table(self, algorithm: str) -> bytes | None:
        return None


def signed_size(data: memoryview) -> int | None:
    """How many bytes stand before the trailer; `None`: there is none that adds up."""
    if len(data) < _FOOTER.size + _HEADER.size:
        return None
    magic, _, size = _FOOTER.unpack_from(data, len(data) - _FOOTER.size)
    start = len(data) - _FOOTER.size - size
    if magic != _MAGIC or size < _HEADER.size or start < 0:
        return None
    _, _, inner = _HEADER.unpack_from(data, start)
    return int(start) if inner == size - _HEADER.size else None


def read_xap(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of a package. See `PackageReader`."""
    start = signed_size(data)
    if start is None:
        is_damaged = bytes(data[-_FOOTER.size : -_FOOTER.size + 4]) == _MAGIC
        return PackageReading(package=PackageFacts(), signatures=(_damaged(),) if is_damaged else ())
    found = read_signatures(
        data[start + _HEADER.size : len(data) - _FOOTER.size],
        XapContent(data[:start]),
        source=SignatureSource.EMBEDDED,
        place="0",
        roots=settings.roots,
        limits=settings.limits,
        subject=_SUBJECT,
    )
    return PackageReading(package=PackageFacts(), signatures=tuple(replace(one, scheme=SignatureScheme.XAP) for one in found))


def _damaged() -> SignatureFacts:
    detail = "the signature behind the archive has two lengths"
    return SignatureFacts(
        scheme=SignatureScheme.XAP,
        source=SignatureSource.EMBEDDED,
        place="0",
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=(Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=detail),),
    )
