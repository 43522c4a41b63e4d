"""Makes signed JARs; one keyword per property and per lie."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.builders import ca, cms
from tests.builders.containers import ZipEntry, raw_zip

FILES: Mapping[str, bytes] = {"a.txt": b"hello", "p/Main.class": b"\xca\xfe\xba\xbe" * 200, "META-INF/services/x": b"p.Main"}
SIGNATURE_STAMP = "1.2.840.113549.1.9.16.2.14"
NAMES = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def folded(line: str) -> bytes:
    """A line cut at 72 bytes, wherever that is."""
    rest, out = line.encode(), b""
    while len(rest) > 72 - (1 if out else 0):
        size = 72 - (1 if out else 0)
        out, rest = out + (b" " if out else b"") + rest[:size] + b"\r\n", rest[size:]
    return out + (b" " if out else b"") + rest + b"\r\n"


def section(*attributes: tuple[str, str]) -> bytes:
    return b"".join(folded(f"{name}: {value}") for name, value in attributes) + b"\r\n"


def b64(data: bytes, digest: str = "sha256") -> str:
    return base64.b64encode(hashlib.new(digest, data).digest()).decode()


def manifest_of(files: Mapping[str, bytes], *, digests: Sequence[str] = ("sha256",)) -> dict[str, bytes]:
    """The sections of a manifest by entry; the main section is that of the empty name."""
    sections = {"": section(("Manifest-Version", "1.0"), ("Main-Class", "p.Main"))}
    for name, data in files.items():
        stated = [(f"{NAMES[digest]}-Digest", b64(data, digest)) for digest in digests]
        sections[name] = section(("Name", name), *stated)
    return sections


def signature_file(
    sections: Mapping[str, bytes],
    *,
    digest: str = "sha256",
    whole: bool = True,
    main: bool = True,
    version: str = "1.0",
    only: Sequence[str] | None = None,
    extra: Sequence[tuple[str, str]] = (),
) -> bytes:
    """`only`: the entries that it names; `whole` and `main`: which digests of the manifest it states."""
    name = NAMES[digest]
    head = [("Signature-Version", version), *extra]
    if whole:
        head.append((f"{name}-Digest-Manifest", b64(b"".join(sections.values()), digest)))
    if main:
        head.append((f"{name}-Digest-Manifest-Main-Attributes", b64(sections[""], digest)))
    named = [entry for entry in sections if entry and (only is None or entry in only)]
    body = [section(("Name", entry), (f"{name}-Digest", b64(sections[entry], digest))) for entry in named]
    return section(*head) + b"".join(body)


def block(
    signer: ca.Identity, sf: bytes, *, digest: str = "sha256", has_attributes: bool = True, stamp: cms.Stamp | None = None
) -> bytes:
    def info(unsigned: Sequence[bytes] = (), signature: bytes | None = None) -> bytes:
        return cms.signer_info(
            signer,
            sf,
            content_type=cms.DATA,
            digest=digest,
            no_attributes=not has_attributes,
            unsigned=unsigned,
            signature=signature,
        )

    signature = cms.signature_of(info())
    unsigned = [] if stamp is None else [cms.attribute(SIGNATURE_STAMP, stamp.token(signature))]
    return cms.signed_data(
        None,
        [info(unsigned, signature)],
        content_type=cms.DATA,
        certificates=signer.all_certificates,
        digests=(digest,),
    )


def members(
    signer: ca.Identity,
    files: Mapping[str, bytes] = FILES,
    *,
    name: str = "META-INF/SIGNER",
    digests: Sequence[str] = ("sha256",),
    sf_digest: str = "sha256",
    cms_digest: str = "sha256",
    whole: bool = True,
    main: bool = True,
    only: Sequence[str] | None = None,
    version: str = "1.0",
    has_attributes: bool = True,
    stamp: cms.Stamp | None = None,
    extra: Sequence[tuple[str, str]] = (),
) -> dict[str, bytes]:
    """The members of a signed archive by name, ready to be changed."""
    sections = manifest_of(files, digests=digests)
    sf = signature_file(sections, digest=sf_digest, whole=whole, main=main, only=only, version=version, extra=extra)
    ending = "RSA" if isinstance(signer.key, rsa.RSAPrivateKey) else "EC"
    return {
        "META-INF/MANIFEST.MF": b"".join(sections.values()),
        f"{name}.SF": sf,
        f"{name}.{ending}": block(signer, sf, digest=cms_digest, has_attributes=has_attributes, stamp=stamp),
        **files,
    }


def jar(found: Mapping[str, bytes], *, change: Mapping[str, Callable[[bytes], bytes]] | None = None) -> bytes:
    """The archive; `change` is done to members when everything is signed."""
    changes = change or {}
    changed = {name: changes[name](data) if name in changes else data for name, data in found.items()}
    return raw_zip(*(ZipEntry(name=name, data=data) for name, data in changed.items()))
