"""Makes NuGet packages, signed and not; one keyword per property and per lie."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from tests.builders import ca, cms, der
from tests.builders.containers import ZipEntry, raw_zip

COMMITMENT = "1.2.840.113549.1.9.16.2.16"
ORIGIN, RECEIPT = "1.2.840.113549.1.9.16.6.1", "1.2.840.113549.1.9.16.6.2"
SERVICE_INDEX = "1.3.6.1.4.1.311.84.2.1.1.1"
SIGNATURE_STAMP = "1.2.840.113549.1.9.16.2.14"
OIDS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha512": "2.16.840.1.101.3.4.2.3", "sha1": "1.3.14.3.2.26"}
NUSPEC = b"<package><metadata><id>Demo</id><version>1.2.3</version><authors>Contoso</authors></metadata></package>"
FILES = (ZipEntry(name="Demo.nuspec", data=NUSPEC), ZipEntry(name="lib/demo.dll", data=b"MZ demo" * 300))


def commitment(kind: str) -> bytes:
    return cms.attribute(COMMITMENT, der.seq(der.oid(kind)))


def binding(certificate: bytes) -> bytes:
    hashed = der.octets(hashlib.sha256(certificate).digest())
    return cms.attribute(cms.SIGNING_CERTIFICATE_V2, der.seq(der.seq(der.seq(hashed))))


def service_index() -> bytes:
    return cms.attribute(SERVICE_INDEX, der.tlv(0x16, b"https://example.test/v3/index.json"))


def attributes(
    signer: ca.Identity, role: str | None, *, bound_to: bytes | None = None, is_bound: bool = True, has_index: bool = True
) -> list[bytes]:
    found = [binding(bound_to or signer.certificate)] if is_bound else []
    if role is not None:
        found.append(commitment(ORIGIN if role == "author" else RECEIPT))
    if role == "repository" and has_index:
        found.append(service_index())
    return found


def signature(
    package: bytes,
    signer: ca.Identity,
    *,
    role: str | None = "author",
    digest: str = "sha256",
    text: bytes | None = None,
    bound_to: bytes | None = None,
    is_bound: bool = True,
    has_index: bool = True,
    stamp: cms.Stamp | None = None,
    counter: ca.Identity | None = None,
    counter_role: str = "repository",
) -> bytes:
    """The signature of a package as it is before the signature is put in."""
    hashed = base64.b64encode(hashlib.new(digest, package).digest()).decode()
    content = text if text is not None else f"Version:1\n\n{OIDS[digest]}-Hash:{hashed}\n\n".encode()
    own = attributes(signer, role, bound_to=bound_to, is_bound=is_bound, has_index=has_index)
    plain = cms.signer_info(signer, content, content_type=cms.DATA, attributes=own)
    octets = cms.signature_of(plain)
    unsigned = []
    certificates = list(signer.all_certificates)
    if stamp is not None:
        unsigned.append(cms.attribute(SIGNATURE_STAMP, stamp.token(stamp.over or octets)))
    if counter is not None:
        info = cms.signer_info(counter, octets, content_type=None, attributes=attributes(counter, counter_role))
        unsigned.append(cms.attribute(cms.COUNTER_SIGNATURE, info))
        certificates += counter.all_certificates
    info = cms.signer_info(signer, content, content_type=cms.DATA, attributes=own, unsigned=unsigned)
    return cms.signed_data(der.octets(content), [info], content_type=cms.DATA, certificates=certificates)


def nupkg(
    signature: bytes | None = None,
    *,
    files: Sequence[ZipEntry] = FILES,
    place: int | None = None,
    method: int = 0,
    name: str = ".signature.p7s",
    prefix: bytes = b"",
    trailing: bytes = b"",
    comment: bytes = b"",
) -> bytes:
    """`place`: the signature's index among the members; last by default."""
    members = list(files)
    if signature is not None:
        members.insert(len(members) if place is None else place, ZipEntry(name=name, data=signature, method=method))
    return raw_zip(*members, prefix=prefix, trailing=trailing, comment=comment)
