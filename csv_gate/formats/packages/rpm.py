"""RPM packages: their digests, their signatures, and how far those reach ("RPM V4 Package format", "RPM V6 Package format", rpm.org).

Most signatures are over the main header alone; the payload hangs on it by a digest in the header. Where there is none, such
a signature says nothing of the payload and is not valid, as rpm has it too. Lead and signature header are never signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.rpm_header import Parts, read_parts
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import FactName, Gap, PackageFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field, replace
from csv_gate.signatures.openpgp import Sink, key_ring, read_openpgp_signatures

_RSA_HEADER: Final = 268
_DSA_HEADER: Final = 267
_OPENPGP: Final = 278
_PGP: Final = 1002
_GPG: Final = 1005
_FILE_SIGNATURES: Final = 274
_FILE_SIGNATURES_IN_HEADER: Final = 5090
_MAX_FILES: Final = 1_000_000
_CHUNK: Final = 1 << 20
HEADER: Final = "header"
"""Role of a signature over the main header; it reaches the payload by a digest there."""
PACKAGE: Final = "package"
"""Role of a signature over main header and payload."""


@dataclass(slots=True, kw_only=True)
class _Digests:
    """What the digests of a package came to."""

    results: list[tuple[str, bool]] = field(default_factory=list)
    """What it is a digest of, for people, and whether it is right."""
    payload: list[bool] = field(default_factory=list)
    """Of each digest by which the signed header binds the payload: whether it is right."""

    @property
    def match(self) -> bool | None:
        return all(is_right for _, is_right in self.results) if self.results else None


def read_rpm(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """A package, read as `PackageReader` says."""
    try:
        return _read_package(data, settings)
    except FormatError as error:
        problem = Problem(code=ProblemCode.RPM_MALFORMED, detail=str(error))
        return PackageReading(
            problems=(problem,), gaps=(Gap(what=FactName.SIGNATURES, why=f"the package cannot be read: {error}"),)
        )


def _read_package(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    parts = read_parts(data, settings.limits)
    digests = _digests(data, parts)
    problems = [
        Problem(code=ProblemCode.RPM_DIGEST_WRONG, detail=f"the {what} is not what the package says")
        for what, is_right in digests.results
        if not is_right
    ]
    signatures, broken = _signatures(data, parts, digests, settings)
    problems += broken
    is_bound = bool(digests.payload) or any(one.role == PACKAGE and one.valid for one in signatures)
    package = _package(parts, settings)
    return PackageReading(
        package=replace(
            package,
            digests_match=digests.match,
            uncovered=("payload",) if signatures and not is_bound else (),
            uncovered_count=1 if signatures and not is_bound else 0,
        ),
        signatures=tuple(signatures),
        problems=tuple(problems),
    )


def _package(parts: Parts, settings: ExtractionSettings) -> PackageFacts:
    """Name, epoch, version, release and architecture as the main header has them."""
    main, most = parts.main, settings.limits.max_text_characters

    def text(tag: int) -> str | None:
        return (main.string(tag) or "")[:most] or None

    version, release, epoch = text(1001), text(1002), main.number(1003)
    full = None if version is None else "".join((f"{epoch}:" if epoch else "", version, f"-{release}" if release else ""))
    is_source = parts.is_source or (1044 not in main.entries and 1106 in main.entries)
    return PackageFacts(
        name=text(1000),
        version=full,
        publisher=text(1011),
        architecture="src" if is_source else text(1022),
        file_signatures=_file_signatures(parts),
    )


def _file_signatures(parts: Parts) -> int:
    """How many files have an IMA signature of their own; rpm 4.14 and later keep them in the signature header."""
    found = (
        *parts.signatures.strings(_FILE_SIGNATURES, _MAX_FILES),
        *parts.main.strings(_FILE_SIGNATURES_IN_HEADER, _MAX_FILES),
    )
    return sum(1 for text in found if text)


def _chunks(data: memoryview, start: int) -> Iterator[memoryview]:
    for at in range(start, len(data), _CHUNK):
        yield data[at : at + _CHUNK]


def _digests(data: memoryview, parts: Parts) -> _Digests:
    """Every digest that is stated, taken in one pass over the payload."""
    header, signatures, found = data[parts.main.start : parts.main.stop], parts.signatures, _Digests()
    for tag, algorithm in ((269, "sha1"), (273, "sha256"), (279, "sha3_256")):
        if (stated := signatures.string(tag)) is not None:
            digest = hashlib.new(algorithm, header, usedforsecurity=False).hexdigest()
            found.results.append((f"{algorithm} of the header", stated.lower() == digest))
    for tag in (1000, 270):
        if (size := signatures.number(tag)) is not None:
            found.results.append(("size of header and payload", size == len(data) - parts.main.start))
    md5 = signatures.octets(1004)
    payload = _payload_digests(parts)
    hashers = {algorithm: hashlib.new(algorithm) for algorithm in payload}
    whole = hashlib.md5(header, usedforsecurity=False)
    for chunk in _chunks(data, parts.payload_start):
        for hasher in hashers.values():
            hasher.update(chunk)
        if md5 is not None:
            whole.update(chunk)
    if md5 is not None:
        found.results.append(("md5 of header and payload", md5 == whole.digest()))
    for algorithm, digests in payload.items():
        is_right = hashers[algorithm].hexdigest() in digests
        found.results.append((f"{algorithm} of the payload", is_right))
        found.payload.append(is_right)
    return found


def _payload_digests(parts: Parts) -> Mapping[str, tuple[str, ...]]:
    """What is said of the payload: algorithm -> digests of which one must be right. The second is of the unpacked payload, for repackers
    that keep it so; a payload as it was packed is not unpacked for it.

    Tag 5093 names an algorithm for 5092, but rpm takes SHA-256 whatever it says, and so does this.
    """
    stated: dict[str, tuple[str, ...]] = {}
    for algorithm, tag in (("sha256", 5092), ("sha512", 5121), ("sha3_256", 5123)):
        alternative = 5097 if tag == 5092 else tag + 1
        if found := (*parts.main.strings(tag, 1), *parts.main.strings(alternative, 1)):
            stated[algorithm] = tuple(text.lower() for text in found)
    return stated


def _signatures(
    data: memoryview, parts: Parts, digests: _Digests, settings: ExtractionSettings
) -> tuple[list[SignatureFacts], list[Problem]]:
    """The signatures of the signature header; those that cannot be found in it at all are problems of the package."""
    found: list[SignatureFacts] = []
    problems: list[Problem] = []
    seen: set[bytes] = set()
    for tag in (_OPENPGP, _RSA_HEADER, _DSA_HEADER, _PGP, _GPG):
        try:
            values = _values(parts, tag, settings.limits.max_openpgp_signatures)
        except ArtifactError as error:
            problems.append(Problem(code=ProblemCode.OPENPGP_MALFORMED, detail=f"a signature cannot be read: {error}"))
            continue
        role = PACKAGE if tag in (_PGP, _GPG) else HEADER
        for number, octets in enumerate(values):
            if octets in seen:
                continue  # rpm 6 keeps the newest a second time, for readers of the older tag
            seen.add(octets)
            place = str(tag) if len(values) == 1 else f"{tag}.{number}"
            found += _read(octets, data, parts, place, role, settings)
    whole = {one.key.fingerprint for one in found if one.role == PACKAGE and one.valid and one.key is not None}
    return [_with_payload(one, digests, whole) if one.role == HEADER else one for one in found], problems


def _values(parts: Parts, tag: int, most: int) -> list[bytes]:
    """Raises ArtifactError where the value breaks the header or is no base64."""
    if tag != _OPENPGP:
        octets = parts.signatures.octets(tag)
        return [] if octets is None else [octets]
    try:
        return [base64.b64decode(text, validate=True) for text in parts.signatures.strings(tag, most)]
    except (binascii.Error, ValueError) as error:
        raise FormatError("a signature is no base64") from error


def _read(
    octets: bytes, data: memoryview, parts: Parts, place: str, role: str, settings: ExtractionSettings
) -> tuple[SignatureFacts, ...]:
    def feed(sink: Sink) -> None:
        sink.update(data[parts.main.start : parts.main.stop])
        if role == PACKAGE:
            for chunk in _chunks(data, parts.payload_start):
                sink.update(chunk)

    return read_openpgp_signatures(
        octets,
        feed,
        keys=key_ring(settings.openpgp_keys),
        scheme=SignatureScheme.RPM,
        source=SignatureSource.EMBEDDED,
        place=place,
        role=role,
        limits=settings.limits,
        is_text_allowed=False,
    )


def _with_payload(signature: SignatureFacts, digests: _Digests, whole: Collection[str | None]) -> SignatureFacts:
    """A signature over the header as one over the package: with what the header says of the payload. `whole` are the primary keys whose
    other signature, over header and payload together, is valid."""
    if not digests.payload and signature.key is not None and signature.key.fingerprint in whole:
        return signature
    if not digests.payload:
        detail = "the signed header has no strong digest of the payload, which any other could take the place of"
        problem = Problem(code=ProblemCode.RPM_PAYLOAD_UNBOUND, detail=detail)
    elif not all(digests.payload):
        detail = "the payload is not the one that the signed header names"
        problem = Problem(code=ProblemCode.DIGEST_MISMATCH, detail=detail)
        signature = replace(signature, digest_matches=False)
    else:
        return signature
    return replace(signature, valid=False, problems=(*signature.problems, problem))
