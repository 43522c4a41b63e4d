"""Makes Android applications signed by schemes v2 and v3; one keyword per property and per lie."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from tests.builders import ca
from tests.builders.containers import ZipEntry, raw_zip

V2, V3 = 0x7109871A, 0xF05368C0
PLATFORMS = (28, 0x7FFF_FFFF)
FILES: Mapping[str, bytes] = {"AndroidManifest.xml": b"\3\0\x08\0", "classes.dex": bytes(range(256)) * 9000}


def sized(*parts: bytes) -> bytes:
    """Octets behind their length."""
    body = b"".join(parts)
    return struct.pack("<I", len(body)) + body


def number(value: int) -> bytes:
    return struct.pack("<I", value)


def chunked(sections: Sequence[bytes], digest: str = "sha256") -> bytes:
    """The digest of a file's sections in pieces of 1 MiB."""
    pieces = [section[at : at + 2**20] for section in sections for at in range(0, len(section), 2**20)]
    inner = b"".join(hashlib.new(digest, b"\xa5" + number(len(one)) + one).digest() for one in pieces)
    return hashlib.new(digest, b"\x5a" + number(len(pieces)) + inner).digest()


def split(archive: bytes) -> tuple[bytes, bytes, bytes]:
    """Entries, central directory, end record of an archive without comment."""
    end = len(archive) - 22
    size, offset = struct.unpack_from("<2L", archive, end + 12)
    assert offset + size == end
    return archive[:offset], archive[offset:end], archive[end:]


def signer(
    identity: ca.Identity,
    file_digest: bytes,
    *,
    digest: str = "sha256",
    pss: bool = False,
    has_range: bool = False,
    outer_range: tuple[int, int] = PLATFORMS,
    says_v3: bool = False,
    key: bytes | None = None,
    method: int | None = None,
    outer_method: int | None = None,
) -> bytes:
    """A signer of scheme v2 or, with a range of platforms, v3."""
    is_ec = isinstance(identity.key, ec.EllipticCurvePrivateKey)
    kind = method or {(True, "sha256"): 0x0201, (False, "sha256"): 0x0103, (False, "sha512"): 0x0104}[is_ec, digest]
    kind = 0x0101 if pss else kind
    attributes = [sized(number(0xBEEFF00D), number(3))] if says_v3 else []
    signed = sized(sized(number(kind), sized(file_digest))) + sized(*map(sized, identity.all_certificates))
    signed += (b"".join(map(number, PLATFORMS)) if has_range else b"") + sized(*attributes)
    signature = ca.sign(identity.key, signed, digest, pss=pss)
    outside = b"".join(map(number, outer_range)) if has_range else b""
    signatures = sized(sized(number(outer_method or kind), sized(signature)))
    return sized(signed) + outside + signatures + sized(key or ca.spki(identity.key))


def block(pairs: Sequence[tuple[int, bytes]]) -> bytes:
    body = b"".join(struct.pack("<QI", len(value) + 4, id) + value for id, value in pairs)
    size = struct.pack("<Q", len(body) + 24)
    return size + body + size + b"APK Sig Block 42"


def with_block(archive: bytes, pairs: Sequence[tuple[int, bytes]]) -> bytes:
    entries, directory, end = split(archive)
    inserted = block(pairs)
    at = struct.pack("<L", len(entries) + len(inserted))
    return entries + inserted + directory + end[:16] + at + end[20:]


def apk(
    identity: ca.Identity,
    files: Mapping[str, bytes] = FILES,
    *,
    schemes: Sequence[str] = ("v2",),
    digest: str = "sha256",
    pss: bool = False,
    outer_range: tuple[int, int] = PLATFORMS,
    says_v3: bool = False,
    key: bytes | None = None,
    method: int | None = None,
    outer_method: int | None = None,
) -> bytes:
    archive = raw_zip(*(ZipEntry(name=name, data=data, method=0) for name, data in files.items()))
    file_digest = chunked(split(archive), digest)
    pairs = []
    for scheme in schemes:
        one = signer(
            identity,
            file_digest,
            digest=digest,
            pss=pss,
            has_range=scheme != "v2",
            outer_range=outer_range,
            says_v3=says_v3 and scheme == "v2",
            key=key,
            method=method,
            outer_method=outer_method,
        )
        pairs.append((V2 if scheme == "v2" else V3, sized(sized(one))))
    return with_block(archive, pairs)
