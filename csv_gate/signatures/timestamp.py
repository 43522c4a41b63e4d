"""Counter-signatures: when a signature existed, by RFC 3161 token or by the older PKCS #9 counter-signature.

Both stand in unsigned attributes, where anyone may put them: what makes one count is that it covers the octets of the very signature it
stands in. The chain of the time-stamping authority is judged at the stamped time, as Windows does; whether its root is trusted is not
judged here. Steps: bound to the signature, signed, by a certificate meant for it and named by it, valid then, issued by a chain that
was valid then, and within the validity of the signer's certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.model.facts import TimestampFacts, TimestampKind
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures import oids
from csv_gate.signatures.certificate import Certificate, is_for
from csv_gate.signatures.chain import Chain, build_chain
from csv_gate.signatures.cms import FATAL, Check, SignerInfo, check_signer, read_signed_data, read_signer
from csv_gate.signatures.der import GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, Element, Source
from csv_gate.signatures.keys import read_digest_algorithm
from csv_gate.signatures.roots import Roots

HARMLESS = frozenset({ProblemCode.TIMESTAMP_RAW_DIGEST, ProblemCode.WEAK_DIGEST, ProblemCode.WEAK_KEY})
CHAIN_FATAL = frozenset({ProblemCode.CHAIN_LINK_INVALID, ProblemCode.CHAIN_ISSUER_NOT_CA, ProblemCode.CURVE_NOT_NAMED})
TRANSLATED = {
    ProblemCode.CMS_NO_CERTIFICATES: ProblemCode.TIMESTAMP_SIGNER_MISSING,
    ProblemCode.CMS_SIGNER_CERTIFICATE_MISSING: ProblemCode.TIMESTAMP_SIGNER_MISSING,
}
"""Any other fault in the signature of a time stamp is `timestamp-signature-wrong`, with the CMS code in its detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The signature that a time stamp must cover, and whence its certificates may come."""

    signature: bytes
    signer: Certificate | None
    certificates: tuple[Certificate, ...]
    """Of the outer SignedData."""
    roots: Roots
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """What the two kinds have in common once they are read."""

    kind: TimestampKind
    signer: SignerInfo
    time: datetime
    certificates: tuple[Certificate, ...]
    check: Check
    digest_algorithm: str | None


AUTHENTICODE_STAMPS: Mapping[str, TimestampKind] = MappingProxyType(
    {oids.RFC3161_TOKEN: TimestampKind.RFC3161, oids.COUNTER_SIGNATURE: TimestampKind.PKCS9}
)
CADES_STAMPS: Mapping[str, TimestampKind] = MappingProxyType({oids.SIGNATURE_TIMESTAMP: TimestampKind.RFC3161})
"""RFC 3161, appendix A: packages of NuGet, archives of Java and plain CMS have theirs here."""


def read_timestamps(
    signer: SignerInfo, target: Target, source: Source, stamps: Mapping[str, TimestampKind] = AUTHENTICODE_STAMPS
) -> tuple[TimestampFacts | None, tuple[Problem, ...]]:
    """The time stamp that counts (the first valid one, else the first), and what is to be said about the others.

    `stamps`: the unsigned attributes in which they stand.
    """
    elements = [
        (stamps[attribute.oid], value) for attribute in signer.unsigned if attribute.oid in stamps for value in attribute.values
    ]
    if not elements:
        return None, ()
    read = [_read(kind, value, target, source) for kind, value in elements[: target.limits.max_timestamps]]
    counts = next((one for one in read if one.valid), read[0])
    problems = [problem for one in read if one is not counts and not one.valid for problem in one.problems]
    if len(elements) > 1:
        detail = f"{len(elements)} time stamps, {len(read)} of them looked at; the first valid one counts"
        problems.append(Problem(code=ProblemCode.TIMESTAMPS_SEVERAL, detail=detail))
    return counts, tuple(problems)


def _read(kind: TimestampKind, value: Element, target: Target, source: Source) -> TimestampFacts:
    try:
        token = _read_token(value, target, source) if kind is TimestampKind.RFC3161 else _read_counter_signature(value, target)
    except (FormatError, LimitError) as error:
        malformed = Problem(code=ProblemCode.TIMESTAMP_MALFORMED, detail=str(error))
        return TimestampFacts(kind=kind, time=None, valid=False, signer=None, chain=None, problems=(malformed,))
    return _judge(token, target)


def _read_token(value: Element, target: Target, source: Source) -> _Token:
    """RFC 3161, 2.4.2: a SignedData whose content is a TSTInfo."""
    inner = Source(value.raw, limits=target.limits, max_nodes=source.nodes_left)
    data = read_signed_data(inner, target.limits)
    if data.content_type != oids.TST_INFO or data.content is None or len(data.signers) != 1:
        raise FormatError("a time-stamp token holds something else than one signed TSTInfo", got=data.content_type)
    octets = data.content.octets()
    info = Source(octets, limits=target.limits, max_nodes=inner.nodes_left).root().fields()
    info.take(INTEGER)
    info.take(OID)
    imprint = info.take(SEQUENCE).fields()
    algorithm, hashed = read_digest_algorithm(imprint.take(SEQUENCE)), imprint.take(OCTET_STRING).contents
    info.take(INTEGER)
    time = info.take(GENERALIZED_TIME).time()
    source.nodes_left = inner.nodes_left
    certificates = tuple(dict.fromkeys((*data.certificates, *target.certificates)))
    check = check_signer(data.signers[0], certificates, octets, content_type=oids.TST_INFO)
    check.problems = _translated(check, TimestampKind.RFC3161)
    if algorithm is None:
        check.add(ProblemCode.TIMESTAMP_MALFORMED, "the imprint's digest algorithm is unknown")
    elif hashlib.new(algorithm, target.signature).digest() != hashed:
        check.add(ProblemCode.TIMESTAMP_OTHER_SIGNATURE, "the time stamp was made for another signature")
    _check_binding(check, data.signers[0])
    return _Token(
        kind=TimestampKind.RFC3161,
        signer=data.signers[0],
        time=time,
        certificates=certificates,
        check=check,
        digest_algorithm=algorithm,
    )


def _read_counter_signature(value: Element, target: Target) -> _Token:
    """PKCS #9, 5.3.6: a SignerInfo over the signature's octets. Its certificates are in the outer list, its time is an attribute."""
    signer = read_signer(value)
    signed_time = signer.attribute(oids.SIGNING_TIME)
    if signed_time is None:
        raise FormatError("a counter-signature without signing time says nothing")
    check = check_signer(
        signer,
        target.certificates,
        target.signature,
        content_type=oids.DATA,
        allow_raw_digest=True,
        is_countersignature=True,
    )
    check.problems = _translated(check, TimestampKind.PKCS9)
    return _Token(
        kind=TimestampKind.PKCS9,
        signer=signer,
        time=signed_time.time(),
        certificates=target.certificates,
        check=check,
        digest_algorithm=signer.digest_algorithm,
    )


def _translated(check: Check, kind: TimestampKind) -> list[Problem]:
    """The faults of a time stamp's CMS in the words of time stamps. Its SignerInfo may have any version."""
    return [_translate(problem, kind) for problem in check.problems if problem.code is not ProblemCode.CMS_SIGNER_VERSION]


def _translate(problem: Problem, kind: TimestampKind) -> Problem:
    if problem.code in TRANSLATED:
        return Problem(code=TRANSLATED[problem.code], detail=problem.detail)
    if problem.code is ProblemCode.CMS_MESSAGE_DIGEST_WRONG and kind is TimestampKind.PKCS9:
        return Problem(code=ProblemCode.TIMESTAMP_OTHER_SIGNATURE, detail="the time stamp was made for another signature")
    if problem.code in FATAL:
        return Problem(code=ProblemCode.TIMESTAMP_SIGNATURE_WRONG, detail=f"{problem.code.value}: {problem.detail}")
    return problem


def _check_binding(check: Check, signer: SignerInfo) -> None:
    """RFC 5035: the signing-certificate attribute names the certificate by hash; without it another with the same key could stand in."""
    if check.certificate is None:
        return
    bindings = [
        (attribute, default)
        for oid, default in ((oids.SIGNING_CERTIFICATE, "sha1"), (oids.SIGNING_CERTIFICATE_V2, "sha256"))
        if (attribute := signer.attribute(oid)) is not None
    ]
    if not bindings:
        check.add(ProblemCode.TIMESTAMP_CERTIFICATE_NOT_BOUND, "the token does not name its certificate")
    if not all(names_certificate(attribute, default, check.certificate) for attribute, default in bindings):
        check.add(
            ProblemCode.TIMESTAMP_CERTIFICATE_NOT_BOUND, "the token names another certificate than the one that signed it"
        )


def names_certificate(attribute: Element, default: str, certificate: Certificate) -> bool:
    """Whether a signing-certificate attribute (RFC 2634 with SHA-1, RFC 5035 with SHA-256 as `default`) names the certificate."""
    try:
        first = attribute.fields().take(SEQUENCE).children()[0].fields()
        named = first.optional(SEQUENCE)
        algorithm = default if named is None else read_digest_algorithm(named)
        hashed = first.take(OCTET_STRING).contents
    except (ArtifactError, IndexError):
        return False
    return algorithm is not None and hashlib.new(algorithm, certificate.der).digest() == hashed


def _judge(token: _Token, target: Target) -> TimestampFacts:
    check, signer, time = token.check, token.check.certificate, token.time
    chain: Chain | None = None
    if signer is not None:
        chain = build_chain(signer, token.certificates, target.roots, target.limits)
        if not is_for(signer.facts, oids.EKU_TIME_STAMPING):
            check.add(ProblemCode.TIMESTAMP_SIGNER_EKU, f"not meant for time stamps: {signer.facts.subject}")
        if not signer.facts.not_before <= time <= signer.facts.not_after:
            check.add(ProblemCode.TIMESTAMP_SIGNER_EXPIRED, f"not valid at {time:%Y-%m-%d}: {signer.facts.subject}")
        for problem in chain.problems:
            if problem.code in CHAIN_FATAL:
                check.add(ProblemCode.TIMESTAMP_CHAIN_INVALID, f"{problem.code.value}: {problem.detail}")
        for issuer in chain.certificates[1:]:
            if not issuer.facts.not_before <= time <= issuer.facts.not_after:
                check.add(ProblemCode.TIMESTAMP_CHAIN_INVALID, f"not valid at {time:%Y-%m-%d}: {issuer.facts.subject}")
    if target.signer is not None and not target.signer.facts.not_before <= time <= target.signer.facts.not_after:
        detail = f"{time:%Y-%m-%d} is outside the validity of the signer's certificate"
        check.add(ProblemCode.TIMESTAMP_OUTSIDE_VALIDITY, detail)
    return TimestampFacts(
        kind=token.kind,
        time=time,
        valid=all(problem.code in HARMLESS for problem in check.problems),
        signer=signer.facts if signer else None,
        chain=chain.facts if chain else None,
        digest_algorithm=token.digest_algorithm,
        problems=tuple(dict.fromkeys(check.problems)),
    )
