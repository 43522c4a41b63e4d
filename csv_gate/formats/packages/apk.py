"""APK: the signing block's schemes v2 and v3 over the whole file, and the JAR signature of scheme v1.

Source: Android Open Source Project, "APK Signature Scheme v2", "APK Signature Scheme v3", "Application Signing"; apksig for the ids of what
only code tells. A signer signs digests of the file, its certificates and, in v3, the range of platforms that it is for; every signature
that a signer has must be right, not only the strongest that a platform would look at.

Not modelled: the fs-verity digests (0x0421 to 0x0425), which stand beside others; DSA; the lineage of rotated keys; v4, which stands in a
file of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.apk_block import V2, V3, V31, Fields, SigningBlock, content_digest, find_block
from csv_gate.formats.packages.jar import JarSignature, described, open_jar, read_signatures, uncovered
from csv_gate.formats.packages.zip_members import Listing, read_listing
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.chain import Chain, build_chain
from csv_gate.signatures.judgement import unique
from csv_gate.signatures.keys import SignatureAlgorithm, read_key

_SCHEMES: Final = ((V2, "v2"), (V3, "v3"), (V31, "v3.1"))
_STRIPPING: Final = 0xBEEFF00D
"""Attribute of a v2 signer: a newer scheme that there is as well."""
_GONE: Final = "the signature says that there is one of scheme {} too, and there is none"
_MAX_SIGNERS: Final = 10
_MAX_SIGNATURES: Final = 16
_MAX_CERTIFICATES: Final = 32


@dataclass(frozen=True, slots=True)
class _Method:
    """How a signature is made, and by what the file is digested for it."""

    digest: str
    algorithm: SignatureAlgorithm


def _method(scheme: str, digest: str, salt: int = 0) -> _Method:
    return _Method(digest, SignatureAlgorithm(oid="", digest=digest, scheme=scheme, salt_length=salt))


_METHODS: Final[Mapping[int, _Method]] = MappingProxyType(
    {
        0x0101: _method("rsa_pss", "sha256", 32),
        0x0102: _method("rsa_pss", "sha512", 64),
        0x0103: _method("rsa", "sha256"),
        0x0104: _method("rsa", "sha512"),
        0x0201: _method("ecdsa", "sha256"),
        0x0202: _method("ecdsa", "sha512"),
    }
)


@dataclass(frozen=True, slots=True)
class _Signer:
    """A signer as written."""

    signed: bytes
    digests: tuple[tuple[int, bytes], ...]
    certificates: tuple[bytes, ...]
    attributes: tuple[tuple[int, bytes], ...]
    signatures: tuple[tuple[int, bytes], ...]
    key: bytes
    is_range_right: bool
    """Of v3: the platforms that are signed are those that stand outside."""


def read_apk(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of an application. See `PackageReader`."""
    listing = read_listing(data, settings.limits)
    jar = open_jar(listing, settings, takes_sha1=True)
    first = tuple(_read_block(listing, settings))
    second = read_signatures(jar, settings)
    present = {one.place.partition("/")[0] for one in first}
    older = tuple(_with_stripping(one, present) for one in second)
    names, count = ((), 0) if any(one.valid for one in first) or not older else uncovered(jar, older)
    return PackageReading(package=described(jar, settings, names, count), signatures=(*first, *(one.facts for one in older)))


def _with_stripping(signature: JarSignature, present: set[str]) -> JarSignature:
    """Scheme v1 says which newer schemes there were; one that is gone was taken away."""
    said = "" if signature.sf is None else signature.sf.main.attributes.get("x-android-apk-signed", "")
    gone = sorted(one for text in said.split(",") if (one := "v" + text.strip()) in ("v2", "v3") and one not in present)
    return signature if not gone else signature.broken(_GONE.format(" and ".join(gone)))


def _read_block(listing: Listing, settings: ExtractionSettings) -> Iterator[SignatureFacts]:
    try:
        block = find_block(listing.data, listing.directory)
    except FormatError as error:
        yield _unreadable("signing block", str(error))
        return
    if block is None:
        return
    digests = _Digests(listing, block)
    for id, name in _SCHEMES:
        value = block.value(id)
        if value is None:
            continue
        if sum(one == id for one, _ in block.pairs) > 1:
            yield _unreadable(name, f"the signing block has scheme {name} twice")
        try:
            signers = tuple(_read_signer(one, has_range=id != V2) for one in Fields(value).each(_MAX_SIGNERS))
        except FormatError as error:
            yield _unreadable(name, str(error))
            continue
        if not signers:
            yield _unreadable(name, f"scheme {name} has no signer")
        for number, signer in enumerate(signers):
            yield _judge(signer, f"{name}/{number}", block, digests, listing, settings)


class _Digests:
    """The file's digests, each taken once."""

    def __init__(self, listing: Listing, block: SigningBlock) -> None:
        self._listing, self._block = listing, block
        self._known: dict[str, bytes] = {}

    def get(self, algorithm: str) -> bytes:
        if algorithm not in self._known:
            self._known[algorithm] = content_digest(self._listing.data, self._block, self._listing.directory, algorithm)
        return self._known[algorithm]


def _read_signer(octets: bytes, *, has_range: bool) -> _Signer:
    outer = Fields(octets)
    signed = outer.octets()
    outside = (outer.number(), outer.number()) if has_range else None
    signatures = tuple(_numbered(one) for one in outer.each(_MAX_SIGNATURES))
    key = outer.octets()
    if not outer.is_done:
        raise FormatError("a signer is followed by something that nothing covers")
    inner = Fields(signed)
    digests = tuple(_numbered(one) for one in inner.each(_MAX_SIGNATURES))
    certificates = tuple(inner.each(_MAX_CERTIFICATES))
    inside = (inner.number(), inner.number()) if has_range else None
    attributes = []
    for one in inner.each(_MAX_SIGNATURES):
        fields = Fields(one)
        attributes.append((fields.number(), fields.rest()))
    return _Signer(signed, digests, certificates, tuple(attributes), signatures, key, inside == outside)


def _numbered(octets: bytes) -> tuple[int, bytes]:
    fields = Fields(octets)
    return fields.number(), fields.octets()


def _judge(
    signer: _Signer, place: str, block: SigningBlock, digests: _Digests, listing: Listing, settings: ExtractionSettings
) -> SignatureFacts:
    problems = list(listing.problems)
    problems.extend(_signature_problems(signer))
    if not signer.is_range_right:
        problems.append(_rule("the platforms that the signature is for are not those that were signed"))
    says_v3 = any(id == _STRIPPING and value[:4] == (3).to_bytes(4, "little") for id, value in signer.attributes)
    if place.startswith("v2") and says_v3 and block.value(V3) is None:
        problems.append(_rule(_GONE.format("v3")))
    certificate, chain, more = _certificate(signer, settings)
    problems.extend(more)
    known = [(_METHODS[id].digest, value) for id, value in signer.digests if id in _METHODS]
    matches: bool | None = None
    try:
        matches = all(digests.get(name) == value for name, value in known) if known else None
    except FormatError as error:
        problems.append(_rule(str(error)))
    if matches is False:
        problems.append(Problem(code=ProblemCode.DIGEST_MISMATCH, detail="the file is not the one that was signed"))
    is_sound = matches is True and not any(one.code in _NOT_HOLDING for one in problems)
    if chain is not None:
        # Signers of applications are their own authorities: platforms compare certificates, not chains.
        problems.extend(one for one in chain.problems if one.code is not ProblemCode.CHAIN_SIGNER_IS_ROOT)
    name, value = max(known, key=lambda one: len(one[1])) if known else (None, b"")
    return SignatureFacts(
        scheme=SignatureScheme.APK,
        source=SignatureSource.EMBEDDED,
        place=place,
        digest_algorithm=name,
        signed_digest=value.hex() if known else None,
        digest_matches=matches,
        valid=is_sound,
        problems=unique(problems),
        signer=certificate.facts if certificate is not None else None,
        chain=chain.facts if chain is not None else None,
    )


_NOT_HOLDING: Final = frozenset(
    {
        ProblemCode.PACKAGE_SIGNATURE_RULE,
        ProblemCode.DIGEST_MISMATCH,
        ProblemCode.CMS_SIGNATURE_WRONG,
        ProblemCode.CMS_ALGORITHM_UNKNOWN,
        ProblemCode.MEMBER_NAME_REPEATED,
        ProblemCode.CONTAINER_INCONSISTENT,
        ProblemCode.CONTAINER_PREFIX,
        ProblemCode.CONTAINER_TRAILING_DATA,
    }
)


def _signature_problems(signer: _Signer) -> Iterator[Problem]:
    if [id for id, _ in signer.digests] != [id for id, _ in signer.signatures]:
        yield _rule("the digests that were signed are of other algorithms than the signatures")
    key = read_key(signer.key)
    known = [(_METHODS[id], value) for id, value in signer.signatures if id in _METHODS]
    if not known:
        numbers = ", ".join(f"{id:#06x}" for id, _ in signer.signatures)
        yield Problem(
            code=ProblemCode.CMS_ALGORITHM_UNKNOWN, detail=f"no signature is by an algorithm that is verified: {numbers}"
        )
    for method, value in known:
        hashed = hashlib.new(method.digest, signer.signed).digest()
        if not key.verifies(value, hashed, method.algorithm, method.digest):
            yield Problem(code=ProblemCode.CMS_SIGNATURE_WRONG, detail="the signature was not made by the signer's key")
    if key.is_weak:
        yield Problem(code=ProblemCode.WEAK_KEY, detail=f"{key.bits} bits")


def _certificate(signer: _Signer, settings: ExtractionSettings) -> tuple[Certificate | None, Chain | None, list[Problem]]:
    """The first certificate, whose key must be the signer's, and its chain."""
    problems: list[Problem] = []
    if not signer.certificates:
        return None, None, [_rule("the signer has no certificate")]
    try:
        found = [read_certificate(one) for one in signer.certificates]
    except ArtifactError as error:
        return None, None, [_rule(f"a certificate of the signer cannot be read: {error}")]
    if found[0].spki != signer.key:
        problems.append(_rule("the signer's certificate is for another key than the one that signed"))
    return found[0], build_chain(found[0], found, settings.roots, settings.limits), problems


def _unreadable(place: str, detail: str) -> SignatureFacts:
    return SignatureFacts(
        scheme=SignatureScheme.APK,
        source=SignatureSource.EMBEDDED,
        place=place,
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=(_rule(detail),),
    )


def _rule(detail: str) -> Problem:
    return Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=detail)
