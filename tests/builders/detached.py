"""Detached signatures over files: CMS messages, IMA attributes, and side files in memory."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.detached import with_detached
from csv_gate.model.facts import Facts
from tests.builders import ca, cms, der, signing

DATA = "1.2.840.113549.1.7.1"


@dataclass(frozen=True)
class Side:
    """A side file that holds `octets`, or cannot be read for the reason in `fault`."""

    name: str
    octets: bytes
    fault: str = ""

    def read(self, most: int) -> bytes:
        if self.fault:
            raise ArtifactError(self.fault)
        assert len(self.octets) <= most
        return self.octets


def facts_beside(content: bytes, *sides: Side, settings: ExtractionSettings | None = None) -> Facts:
    """The facts of a file with these files beside it."""
    settings = settings or ExtractionSettings()
    return with_detached(extract(content, settings), content, sides, settings)


def cms_over(
    content: bytes,
    *,
    signers: int = 1,
    holds: bytes | None = None,
    content_type: str = DATA,
    no_attributes: bool = False,
    digest: str = "sha256",
    signer: ca.Identity | None = None,
) -> bytes:
    """A message over `content`; `holds`: the content that stands inside."""
    signer = signer or signing.publisher()
    info = cms.signer_info(signer, content, content_type=content_type, digest=digest, no_attributes=no_attributes)
    return cms.signed_data(
        None if holds is None else der.octets(holds),
        [info] * signers,
        content_type=content_type,
        certificates=signer.all_certificates,
        digests=[digest],
    )


def indefinite(message: bytes) -> bytes:
    """The same message with the outermost length left open, as streaming writers do."""
    return b"\x30\x80" + cms.contents(message) + b"\0\0"


def pem(octets: bytes, label: str = "PKCS7") -> bytes:
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label.encode(), base64.encodebytes(octets), label.encode())


def ima(
    *, hash: int = 4, key_id: bytes = b"\x12\x34\x56\x78", signature: bytes = b"\x5a" * 256, size: int | None = None
) -> bytes:
    """The octets of `security.ima`."""
    return struct.pack(">BBB4sH", 3, 2, hash, key_id, len(signature) if size is None else size) + signature
