"""Makes signed Visual Studio extensions; the XML is written in canonical form by hand, so that no canonicaliser is needed to sign it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.builders import ca, cms
from tests.builders.containers import ZipEntry, raw_zip

DSIG = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
RELATION = PACKAGE + "/relationships/digital-signature/"
DIGESTS = {"sha1": DSIG + "sha1", "sha256": "http://www.w3.org/2001/04/xmlenc#sha256"}
ORIGIN = "package/services/digital-signature/origin.psdor"
ORIGIN_RELS = "package/services/digital-signature/_rels/origin.psdor.rels"
SIGNATURE = "package/services/digital-signature/xml-signature/one.psdsxs"
SIGNATURE_RELS = "package/services/digital-signature/xml-signature/_rels/one.psdsxs.rels"
CERTIFICATE = "package/services/digital-signature/certificate/one.cer"
TYPES = {
    "rels": "application/vnd.openxmlformats-package.relationships+xml",
    "vsixmanifest": "text/xml",
    "dll": "application/octet-stream",
    "psdor": "application/vnd.openxmlformats-package.digital-signature-origin",
    "psdsxs": "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml",
    "cer": "application/x-x509-ca-cert",
}
MANIFEST = (
    b'<PackageManifest xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011"><Metadata>'
    b'<Identity Id="Demo" Version="1.2" Publisher="Contoso"/></Metadata></PackageManifest>'
)
FILES: Mapping[str, bytes] = {"extension.vsixmanifest": MANIFEST, "demo.dll": b"MZ demo" * 300}


def relationships(*found: tuple[str, str, str]) -> bytes:
    """A part of relationships: id, type and target of each."""
    inner = "".join(f'<Relationship Id="{id}" Target="{target}" Type="{type}"/>' for id, type, target in found)
    return f'<?xml version="1.0"?>\n<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'.encode()


def content_types(types: Mapping[str, str] = TYPES, overrides: Mapping[str, str] | None = None) -> bytes:
    inner = "".join(f'<Default Extension="{end}" ContentType="{type}"/>' for end, type in types.items())
    inner += "".join(f'<Override PartName="{name}" ContentType="{type}"/>' for name, type in (overrides or {}).items())
    return f'<Types xmlns="{PACKAGE}/content-types">{inner}</Types>'.encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def digest_xml(data: bytes, digest: str) -> str:
    value = b64(hashlib.new(digest, data).digest())
    return f'<DigestMethod Algorithm="{DIGESTS[digest]}"></DigestMethod><DigestValue>{value}</DigestValue>'


def part(name: str, data: bytes, *, digest: str = "sha256", type: str | None = None, transforms: str = "") -> str:
    """A reference to a part."""
    told = type or TYPES[name.rpartition(".")[2]]
    return f'<Reference URI="/{name}?ContentType={told}">{transforms}{digest_xml(data, digest)}</Reference>'


def selection(*ids: str) -> str:
    """A relationship transform that keeps these."""
    inner = "".join(
        f'<mdssi:RelationshipReference xmlns:mdssi="{PACKAGE}/digital-signature" SourceId="{id}"></mdssi:RelationshipReference>'
        for id in ids
    )
    return (
        f'<Transforms><Transform Algorithm="{PACKAGE}/RelationshipTransform">{inner}</Transform>'
        f'<Transform Algorithm="{C14N}"></Transform></Transforms>'
    )


def selected(*found: tuple[str, str, str]) -> bytes:
    """What the transform makes of relationships."""
    inner = "".join(
        f'<Relationship Id="{id}" Target="{target}" TargetMode="Internal" Type="{type}"></Relationship>'
        for id, type, target in found
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'.encode()


def signature(
    signer: ca.Identity,
    references: Sequence[str],
    *,
    digest: str = "sha256",
    uri: str = "#idPackageObject",
    transforms: str = f'<Transforms><Transform Algorithm="{C14N}"></Transform></Transforms>',
    signed_object: str | None = None,
    form: str = C14N,
    has_certificate: bool = True,
    stamp: cms.Stamp | None = None,
    more: str = "",
) -> bytes:
    """The signature part. `signed_object` is what is signed instead of the list of parts; `more` stands unsigned at the end."""
    inner = f"<Manifest>{''.join(references)}</Manifest>" if signed_object is None else signed_object
    body = f'Id="idPackageObject">{inner}</Object>'
    canonical_object = f'<Object xmlns="{DSIG}" {body}'.encode()
    kind = "ecdsa" if isinstance(signer.key, ec.EllipticCurvePrivateKey) else "rsa"
    method = DSIG + "rsa-sha1" if digest == "sha1" else f"http://www.w3.org/2001/04/xmldsig-more#{kind}-{digest}"
    info = (
        f'<CanonicalizationMethod Algorithm="{form}"></CanonicalizationMethod><SignatureMethod Algorithm="{method}"></SignatureMethod>'
        f'<Reference Type="{DSIG}Object" URI="{uri}">{transforms}{digest_xml(canonical_object, digest)}</Reference></SignedInfo>'
    )
    value = ca.sign(signer.key, f'<SignedInfo xmlns="{DSIG}">{info}'.encode(), digest)
    if kind == "ecdsa":
        r, s = decode_dss_signature(value)
        value = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    certificates = "".join(f"<X509Certificate>{b64(one)}</X509Certificate>" for one in signer.all_certificates)
    keys = f"<KeyInfo><X509Data>{certificates}</X509Data></KeyInfo>" if has_certificate else ""
    if stamp is not None:
        token = b64(stamp.token(stamp.over or value))
        more += f'<Object><TimeStamp xmlns="{PACKAGE}/digital-signature" Id="t"><EncodedTime>{token}</EncodedTime></TimeStamp></Object>'
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Signature xmlns="{DSIG}"><SignedInfo>{info}'
        f"<SignatureValue>{b64(value)}</SignatureValue>{keys}<Object {body}{more}</Signature>"
    ).encode()


def plain_parts(files: Mapping[str, bytes] = FILES) -> dict[str, bytes]:
    """The parts that a signature covers: the files, and what leads to the signature."""
    return {
        "_rels/.rels": relationships(("R0", RELATION + "origin", "/" + ORIGIN)),
        **files,
        ORIGIN: b"",
        ORIGIN_RELS: relationships(("R1", RELATION + "signature", "/" + SIGNATURE)),
    }


def members(
    signer: ca.Identity,
    files: Mapping[str, bytes] = FILES,
    *,
    digest: str = "sha256",
    certificate_part: bytes | None = None,
    has_certificate: bool = True,
    stamp: cms.Stamp | None = None,
    more: str = "",
) -> dict[str, bytes]:
    """The members of a signed extension by name, ready to be changed."""
    parts = plain_parts(files)
    references = [part(name, data, digest=digest) for name, data in parts.items()]
    parts[SIGNATURE] = signature(
        signer, references, digest=digest, has_certificate=has_certificate and certificate_part is None, stamp=stamp, more=more
    )
    if certificate_part is not None:
        parts[CERTIFICATE] = certificate_part
        parts[SIGNATURE_RELS] = relationships(("R2", RELATION + "certificate", "/" + CERTIFICATE))
    return {**parts, "[Content_Types].xml": content_types()}


def vsix(found: Mapping[str, bytes]) -> bytes:
    return raw_zip(*(ZipEntry(name=name, data=data) for name, data in found.items()))
