"""CMS SignedData: octets to structure, and one SignerInfo checked against its content (RFC 5652).

Each check has its own problem code. Problems in `FATAL` make a signature invalid; the others are told and leave it to whoever judges.
Signed attributes are hashed as they were encoded, with the tag of a SET in place of [0]: they are never sorted again, because signers
exist whose order is not DER's, and a sorted copy would be something that nobody signed.

Not modelled: countersigned or enveloped content, attribute certificates, revocation lists that came along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field
from csv_gate.signatures import oids
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.der import INTEGER, OCTET_STRING, SEQUENCE, SET, Element, Source, context
from csv_gate.signatures.keys import (
    WEAK_DIGESTS,
    WEAK_RSA_BITS,
    SignatureAlgorithm,
    read_digest_algorithm,
    read_signature_algorithm,
)

FATAL: Final = frozenset(
    {
        ProblemCode.CMS_MALFORMED,
        ProblemCode.CMS_NOT_AUTHENTICODE,
        ProblemCode.CMS_SIGNER_COUNT,
        ProblemCode.CMS_NO_CERTIFICATES,
        ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING,
        ProblemCode.CMS_NO_SIGNED_ATTRIBUTES,
        ProblemCode.CMS_CONTENT_TYPE_MISSING,
        ProblemCode.CMS_CONTENT_TYPE_WRONG,
        ProblemCode.CMS_MESSAGE_DIGEST_MISSING,
        ProblemCode.CMS_MESSAGE_DIGEST_WRONG,
        ProblemCode.CMS_ATTRIBUTE_REPEATED,
        ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH,
        ProblemCode.CMS_ALGORITHM_UNKNOWN,
        ProblemCode.CMS_OTHER_SUBJECT,
        ProblemCode.CMS_SIGNATURE_WRONG,
        ProblemCode.NESTED_MALFORMED,
        ProblemCode.DIGEST_MISMATCH,
        ProblemCode.PAGE_HASH_MISMATCH,
        ProblemCode.PAGE_HASH_MALFORMED,
        ProblemCode.CATALOG_MALFORMED,
    }
)
"""Problems that make a signature invalid wherever they stand."""
MAX_ATTRIBUTES: Final = 128
MAX_SIGNERS: Final = 16
MAX_KEPT_SET_BYTES: Final = 32 * 1024
"""Of certificates that came along; sets as large as this are rare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of a SignerInfo: its type and its values."""

    oid: str
    values: tuple[Element, ...]
    size: int
    """Octets of the whole attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One SignerInfo as encoded."""

    version: int
    issuer: bytes | None
    """Name as encoded; None where the signer is named by key identifier."""
    serial: int | None
    key_id: bytes | None
    digest_algorithm: str | None
    """None: unknown."""
    signed_attributes: Element | None
    attributes: tuple[Attribute, ...]
    """The signed ones."""
    algorithm: SignatureAlgorithm
    signature: bytes
    unsigned: tuple[Attribute, ...]

    def attribute(self, oid: str) -> Element | None:
        """The value of a signed attribute that occurs at most once with one value (see `_repeated`); None: absent."""
        return next((attribute.values[0] for attribute in self.attributes if attribute.oid == oid and attribute.values), None)

    def names(self, certificate: Certificate) -> bool:
        """Whether this is the certificate that the signer named."""
        if self.key_id is not None:
            return certificate.subject_key_id == self.key_id
        return certificate.serial == self.serial and certificate.issuer == self.issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """A SignedData as encoded. `certificates` are those that could be read."""

    content_type: str
    content: Element | None
    """What stands inside the explicit [0]; None: detached."""
    digest_algorithms: tuple[str | None, ...]
    certificates: tuple[Certificate, ...]
    signers: tuple[SignerInfo, ...]
    stop: int
    """Offset behind the structure in its buffer."""
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Check:
    """What checking one SignerInfo came to: problems as they are found, and the signer's certificate."""

    certificate: Certificate | None = None
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: ProblemCode, detail: str) -> None:
        self.problems.append(Problem(code=code, detail=detail))

    @property
    def is_sound(self) -> bool:
        return not any(problem.code in FATAL for problem in self.problems)


def read_signed_data(source: Source, limits: Limits) -> SignedData:
    """Read ContentInfo{SignedData} at the start of the buffer. What follows it in the buffer is the caller's to judge.

    Raises:
        FormatError: it is something else, or does not add up.
        LimitError: a bound was reached.
    """
    root = source.root()
    outer = root.fields()
    if (kind := outer.take().oid()) != oids.SIGNED_DATA:
        raise FormatError("this is no CMS SignedData", got=kind)
    fields = outer.take(context(0)).only(SEQUENCE).fields()
    outer.finish()
    version = fields.take(INTEGER).integer()
    digests = tuple(read_digest_algorithm(entry) for entry in fields.take(SET).children(most=MAX_SIGNERS))
    encapsulated = fields.take(SEQUENCE).fields()
    content_type, wrapper = encapsulated.take().oid(), encapsulated.optional(context(0))
    encapsulated.finish()
    problems: list[Problem] = []
    if version != 1:  # no signature covers it; Authenticode's is 1
        problems.append(Problem(code=ProblemCode.CMS_SIGNER_VERSION, detail=f"version {version} of SignedData"))
    certificates = _read_certificates(fields.optional(context(0)), problems, limits)
    fields.optional(context(1))
    signers = tuple(read_signer(entry) for entry in fields.take(SET).children(most=MAX_SIGNERS))
    fields.finish()
    return SignedData(
        content_type=content_type,
        content=wrapper.only() if wrapper is not None else None,
        digest_algorithms=digests,
        certificates=certificates,
        signers=signers,
        stop=root.stop,
        problems=tuple(problems),
    )


def _read_certificates(wrapper: Element | None, problems: list[Problem], limits: Limits) -> tuple[Certificate, ...]:
    if wrapper is None:
        return ()
    if wrapper.size <= MAX_KEPT_SET_BYTES and (known := _known_certificates(wrapper.raw, limits.max_certificates)) is not None:
        return known
    return _certificates(wrapper, problems, limits.max_certificates)


@lru_cache(maxsize=64)
def _known_certificates(raw: bytes, most: int) -> tuple[Certificate, ...] | None:
    """The certificates of a set of octets; `None` where there is anything to tell of it. A publisher's set is the same in all files."""
    source, problems = Source(raw), list[Problem]()
    try:
        found = _certificates(source.root(), problems, most)
    except ArtifactError:
        return None
    return None if problems or source.not_der else found


def _certificates(wrapper: Element, problems: list[Problem], most: int) -> tuple[Certificate, ...]:
    found: dict[bytes, Certificate] = {}
    for entry in wrapper.children(most=most):
        if entry.tag != SEQUENCE:  # attribute certificates and the like: nobody looks at them
            continue
        try:
            certificate = read_certificate(entry.raw)
        except ArtifactError as error:
            problems.append(Problem(code=ProblemCode.CMS_CERTIFICATE_MALFORMED, detail=str(error)))
        else:
            found[certificate.der] = certificate
    return tuple(found.values())


def read_signer(entry: Element) -> SignerInfo:
    """Read one SignerInfo.

    Raises:
        FormatError: it does not add up.
    """
    fields = entry.fields()
    version, named = fields.take(INTEGER).integer(), fields.take(SEQUENCE, context(0, constructed=False))
    issuer = serial = key_id = None
    if named.tag == SEQUENCE:
        parts = named.fields()
        issuer, serial = parts.take(SEQUENCE).raw, parts.take(INTEGER).integer()
        parts.finish()
    else:
        key_id = named.contents
    digest = read_digest_algorithm(fields.take(SEQUENCE))
    signed = fields.optional(context(0))
    algorithm, signature = read_signature_algorithm(fields.take(SEQUENCE)), fields.take().octets()
    unsigned = fields.optional(context(1))
    fields.finish()
    return SignerInfo(
        version=version,
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest_algorithm=digest,
        signed_attributes=signed,
        attributes=_read_attributes(signed),
        algorithm=algorithm,
        signature=signature,
        unsigned=_read_attributes(unsigned),
    )


def _read_attributes(wrapper: Element | None) -> tuple[Attribute, ...]:
    found = []
    for entry in wrapper.children(most=MAX_ATTRIBUTES) if wrapper is not None else ():
        parts = entry.expect(SEQUENCE).children(most=2)
        if len(parts) != 2:
            raise FormatError("an attribute of a signature is no pair of type and values", got=f"offset {entry.start:#x}")
        oid, values = parts[0].oid(), parts[1].expect(SET)
        found.append(Attribute(oid=oid, values=tuple(values.children(most=MAX_ATTRIBUTES)), size=entry.size))
    return tuple(found)


def check_signer(
    signer: SignerInfo,
    certificates: Sequence[Certificate],
    content: bytes | memoryview,
    *,
    content_type: str,
    allow_raw_digest: bool = False,
    is_countersignature: bool = False,
) -> Check:
    """Check one SignerInfo over `content`, the octets that its message digest covers.

    `allow_raw_digest` also accepts an RSA signature over a digest without DigestInfo, and notes it. A counter-signature may leave the
    content type out (RFC 5652, 11.4).
    """
    check = Check()
    named = [one for one in certificates if signer.names(one)]
    check.certificate = named[0] if named else None
    if len(named) > 1:  # which of them a verifier takes is its own affair
        check.add(
            ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING, "several different certificates answer to the one that the signer names"
        )
    elif not certificates:
        check.add(ProblemCode.CMS_NO_CERTIFICATES, "no certificate came along")
    elif check.certificate is None:
        check.add(ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING, "the certificate that the signer names did not come along")
    if signer.version != 1 or signer.key_id is not None:
        check.add(ProblemCode.CMS_SIGNER_VERSION, f"version {signer.version} of SignerInfo")
    digest = signer.digest_algorithm
    if digest is None:
        check.add(ProblemCode.CMS_ALGORITHM_UNKNOWN, "the digest algorithm is not one that can be computed")
        return check
    if digest in WEAK_DIGESTS:
        check.add(ProblemCode.WEAK_DIGEST, f"signed with {digest}")
    _check_attributes(check, signer, hashlib.new(digest, content).digest(), content_type, is_countersignature)
    _check_signature(check, signer, content, digest, allow_raw_digest)
    return check


def _check_attributes(check: Check, signer: SignerInfo, digest: bytes, content_type: str, is_countersignature: bool) -> None:
    if signer.signed_attributes is None:
        if content_type != oids.DATA or is_countersignature:  # RFC 5652, 5.3
            check.add(ProblemCode.CMS_NO_SIGNED_ATTRIBUTES, "the signature covers no attributes")
        return
    seen: set[str] = set()
    for attribute in signer.attributes:
        if attribute.oid in seen or len(attribute.values) != 1:
            check.add(ProblemCode.CMS_ATTRIBUTE_REPEATED, f"signed attribute {attribute.oid} does not stand there exactly once")
        seen.add(attribute.oid)
    named = signer.attribute(oids.CONTENT_TYPE)
    if named is None:
        if not is_countersignature:
            check.add(ProblemCode.CMS_CONTENT_TYPE_MISSING, "no signed content type")
    elif _oid_or_none(named) != content_type:
        check.add(ProblemCode.CMS_CONTENT_TYPE_WRONG, f"the signed content type is not {content_type}")
    signed = signer.attribute(oids.MESSAGE_DIGEST)
    if signed is None:
        check.add(ProblemCode.CMS_MESSAGE_DIGEST_MISSING, "no signed message digest")
    elif signed.tag != OCTET_STRING or signed.contents != digest:
        check.add(ProblemCode.CMS_MESSAGE_DIGEST_WRONG, "the signed message digest is not that of the content")


def _oid_or_none(element: Element) -> str | None:
    try:
        return element.oid()
    except FormatError:
        return None


def _check_signature(
    check: Check, signer: SignerInfo, content: bytes | memoryview, digest: str, allow_raw_digest: bool
) -> None:
    if check.certificate is None:
        return
    key, algorithm = check.certificate.key, signer.algorithm
    if key.is_weak:
        check.add(ProblemCode.WEAK_KEY, f"{key.bits} bits, less than {WEAK_RSA_BITS}")
    if key.is_curve_unnamed:
        check.add(ProblemCode.CURVE_NOT_NAMED, "the signer's key spells out its curve")
    if algorithm.scheme is None or algorithm.scheme == "rsa_pss":  # Authenticode verifiers take no PSS
        check.add(ProblemCode.CMS_ALGORITHM_UNKNOWN, f"signature algorithm {algorithm.oid} is not one that is verified")
        return
    if algorithm.digest not in (None, digest):
        check.add(ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH, f"{digest} is digested, but {algorithm.name} signs")
    covered = content
    if signer.signed_attributes is not None:
        covered = b"\x31" + signer.signed_attributes.raw[1:]
    hashed = hashlib.new(digest, covered).digest()
    if key.verifies(signer.signature, hashed, algorithm, digest):
        return
    if allow_raw_digest and algorithm.scheme == "rsa" and key.holds_raw_digest(signer.signature, hashed):
        check.add(ProblemCode.TIMESTAMP_RAW_DIGEST, "the signature holds the bare digest, as old services made it")
        return
    check.add(ProblemCode.CMS_SIGNATURE_WRONG, f"the signature was not made by the key of {check.certificate.facts.subject}")
