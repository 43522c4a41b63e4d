"""Makes packaged apps and bundles, signed and not; one keyword per property and per lie."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

from tests.builders import ca, cms, der
from tests.builders.containers import ZipEntry, deflated, raw_zip
from tests.builders.signing import publisher

SIP_INFO = "1.3.6.1.4.1.311.2.1.30"
APP = bytes.fromhex("4bdfc50a07cee24db76e23c839a09fd1")
BUNDLE = bytes.fromhex("b3585f0fdeaa9a4ba43495742d92eceb")
METHODS = {
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
PUBLISHER = "CN=Test Publisher"
FILES = {"app.exe": b"MZ program" * 20_000, "Assets/Logo file.png": b"logo", "empty.txt": b""}
CONTENT_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>'
BLOCK = 65536


def manifest(
    *, name: str = "Contoso.App", publisher: str = PUBLISHER, version: str = "1.2.3.4", architecture: str = "x64"
) -> bytes:
    identity = f"<Identity Name={quoteattr(name)} Publisher={quoteattr(publisher)} Version={quoteattr(version)}"
    root = 'Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10"'
    return f"<{root}>{identity} ProcessorArchitecture={quoteattr(architecture)}/></Package>".encode()


def bundle_manifest(
    packages: Sequence[tuple[str, int, int]], *, name: str = "Contoso.App", publisher: str = PUBLISHER
) -> bytes:
    """`packages`: (file name, offset, size)."""
    listed = "".join(f'<Package Type="application" FileName="{n}" Offset="{o}" Size="{s}"/>' for n, o, s in packages)
    identity = f'<Identity Name={quoteattr(name)} Publisher={quoteattr(publisher)} Version="1.0.0.0"/>'
    root = 'Bundle xmlns="http://schemas.microsoft.com/appx/2013/bundle" SchemaVersion="5.0"'
    return f"<{root}>{identity}<Packages>{listed}</Packages></Bundle>".encode()


def part(name: str) -> str:
    """The name of a part as it stands in the archive."""
    return name.replace(" ", "%20")


def block_map(
    files: Mapping[str, bytes], *, algorithm: str = "sha256", method: str | None = None, header_bytes: int = 0
) -> bytes:
    """`header_bytes`: what each local header is said to have too many."""
    listed = []
    for name, data in files.items():
        digests = [hashlib.new(algorithm, data[at : at + BLOCK]).digest() for at in range(0, len(data), BLOCK)]
        blocks = "".join(f'<Block Hash="{base64.b64encode(one).decode()}"/>' for one in digests)
        size = 30 + len(part(name)) + header_bytes
        listed.append(f'<File Name={quoteattr(name.replace("/", chr(92)))} Size="{len(data)}" LfhSize="{size}">{blocks}</File>')
    root = f'BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" HashMethod="{method or METHODS[algorithm]}"'
    return f"<{root}>{''.join(listed)}</BlockMap>".encode()


def app(
    files: Mapping[str, bytes] | None = None,
    *,
    manifest_text: bytes | None = None,
    map_text: bytes | None = None,
    algorithm: str = "sha256",
    catalog: bytes | None = None,
) -> list[ZipEntry]:
    """The members of a package without its signature."""
    contents = {
        **(FILES if files is None else files),
        "AppxManifest.xml": manifest() if manifest_text is None else manifest_text,
    }
    members = [ZipEntry(name=part(name), data=data) for name, data in contents.items()]
    mapped = block_map(contents, algorithm=algorithm) if map_text is None else map_text
    members += [ZipEntry(name="AppxBlockMap.xml", data=mapped), ZipEntry(name="[Content_Types].xml", data=CONTENT_TYPES)]
    if catalog is not None:
        members.append(ZipEntry(name="AppxMetadata/CodeIntegrity.cat", data=catalog))
    return members


def bundle(
    inner: Mapping[str, bytes], *, shift: int = 0, method: int = 0, listed: Sequence[tuple[str, int, int]] | None = None
) -> list[ZipEntry]:
    """The members of a bundle without its signature. `shift`: how far its manifest is off about places."""
    members, at, places = [], 0, []
    for name, data in inner.items():
        start = at + 30 + len(name)
        places.append((name, start + shift, len(data)))
        members.append(ZipEntry(name=name, data=data, method=method))
        at = start + len(data if method == 0 else deflated(data))
    stated = bundle_manifest(places if listed is None else listed)
    name = "AppxMetadata/AppxBundleManifest.xml"
    members.append(ZipEntry(name=name, data=stated))
    members.append(ZipEntry(name="AppxBlockMap.xml", data=block_map({name: stated})))
    members.append(ZipEntry(name="[Content_Types].xml", data=CONTENT_TYPES))
    return members


def directory_at(whole: bytes, comment: bytes = b"") -> int:
    """Where the central directory begins, by the end record or its Zip64 form."""
    end = len(whole) - len(comment) - 22
    short = int.from_bytes(whole[end + 16 : end + 20], "little")
    return short if short != 0xFFFF_FFFF else int.from_bytes(whole[end - 28 : end - 20], "little")


def digests(members: Sequence[ZipEntry], *, algorithm: str = "sha256", zip64: bool = True, comment: bytes = b"") -> bytes:
    """What is signed: the package without signature, cut before its directory, and three members as they are unpacked."""
    whole = raw_zip(*members, zip64=zip64, comment=comment)
    cut = directory_at(whole, comment)
    found = b"APPXAXPC" + hashlib.new(algorithm, whole[:cut]).digest() + b"AXCD" + hashlib.new(algorithm, whole[cut:]).digest()
    named = {member.name: member.data for member in members}
    for tag, name in (
        (b"AXCT", "[Content_Types].xml"),
        (b"AXBM", "AppxBlockMap.xml"),
        (b"AXCI", "AppxMetadata/CodeIntegrity.cat"),
    ):
        if name in named:
            found += tag + hashlib.new(algorithm, named[name]).digest()
    return found


def sip_info(interface: bytes) -> bytes:
    return der.seq(der.integer(0x01010000), der.octets(interface), *(der.integer(0) for _ in range(5)))


def p7x(
    over: bytes,
    signer: ca.Identity | None = None,
    *,
    interface: bytes = APP,
    digest: str = "sha256",
    magic: bytes = b"PKCX",
    stamps: Sequence[cms.Stamp] = (),
) -> bytes:
    return magic + cms.authenticode(
        signer or publisher(), over, digest=digest, data_type=SIP_INFO, value=sip_info(interface), stamps=stamps
    )


def signed(
    members: Sequence[ZipEntry],
    signer: ca.Identity | None = None,
    *,
    interface: bytes | None = None,
    digest: str = "sha256",
    zip64: bool = True,
    comment: bytes = b"",
    stamps: Sequence[cms.Stamp] = (),
) -> bytes:
    """A package with its signature as last member."""
    is_bundle = any(member.name == "AppxMetadata/AppxBundleManifest.xml" for member in members)
    signature = p7x(
        digests(members, algorithm=digest, zip64=zip64, comment=comment),
        signer,
        interface=interface or (BUNDLE if is_bundle else APP),
        digest=digest,
        stamps=stamps,
    )
    return raw_zip(*members, ZipEntry(name="AppxSignature.p7x", data=signature), zip64=zip64, comment=comment)
