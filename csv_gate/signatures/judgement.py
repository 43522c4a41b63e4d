"""One SignedData with one signer, judged: the part that Authenticode signatures, catalogs and policy envelopes have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from csv_gate.limits import Limits
from csv_gate.model.facts import CertificateFacts, ChainFacts, TimestampFacts, TimestampKind
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures import oids
from csv_gate.signatures.certificate import Certificate, is_for
from csv_gate.signatures.chain import Chain, build_chain
from csv_gate.signatures.cms import Check, SignedData, SignerInfo, check_signer
from csv_gate.signatures.der import Source
from csv_gate.signatures.roots import Roots
from csv_gate.signatures.timestamp import AUTHENTICODE_STAMPS, Target, read_timestamps

KNOWN_UNSIGNED: Final = frozenset({oids.NESTED_SIGNATURE, oids.RFC3161_TOKEN, oids.COUNTER_SIGNATURE})
MAX_UNKNOWN_ATTRIBUTE_BYTES: Final = 1024
"""Larger ones carry something that has no name here: a payload as well as a label."""
MAX_PADDING_BYTES: Final = 7
"""Entries of a certificate table end at multiples of 8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What can be said of a signature without knowing what it is over."""

    signer_info: SignerInfo | None
    certificate: Certificate | None
    chain: Chain | None
    timestamp: TimestampFacts | None
    check: Check
    """Where further problems go."""

    @property
    def signer(self) -> CertificateFacts | None:
        return self.certificate.facts if self.certificate is not None else None

    @property
    def chain_facts(self) -> ChainFacts | None:
        return self.chain.facts if self.chain is not None else None


def judge(
    data: SignedData,
    octets: bytes,
    source: Source,
    *,
    roots: Roots,
    limits: Limits,
    strict: bool = True,
    stamps: Mapping[str, TimestampKind] = AUTHENTICODE_STAMPS,
) -> Judgement:
    """Judge a SignedData whose content is `octets`. `strict` asks for one digest algorithm, the signer's own, as Authenticode does."""
    if len(data.signers) != 1:
        check = Check(problems=list(data.problems))
        check.add(ProblemCode.CMS_SIGNER_COUNT, f"{len(data.signers)} signers where there must be one")
        return Judgement(signer_info=None, certificate=None, chain=None, timestamp=None, check=check)
    signer = data.signers[0]
    judgement = judge_signer(
        signer, data.certificates, octets, source, content_type=data.content_type, roots=roots, limits=limits, stamps=stamps
    )
    check = judgement.check
    check.problems[:0] = data.problems
    if strict and data.digest_algorithms != (signer.digest_algorithm,):
        check.add(ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH, "the digest algorithms of the message and of its signer differ")
    return judgement


def judge_signer(
    signer: SignerInfo,
    certificates: tuple[Certificate, ...],
    octets: bytes | memoryview,
    source: Source,
    *,
    content_type: str,
    roots: Roots,
    limits: Limits,
    stamps: Mapping[str, TimestampKind] = AUTHENTICODE_STAMPS,
    known_unsigned: frozenset[str] = frozenset(),
    is_countersignature: bool = False,
) -> Judgement:
    """Judge one SignerInfo over `octets`. `known_unsigned`: further unsigned attributes that are nothing odd."""
    check = check_signer(signer, certificates, octets, content_type=content_type, is_countersignature=is_countersignature)
    chain = None
    if check.certificate is not None:
        chain = build_chain(check.certificate, certificates, roots, limits)
        check.problems.extend(chain.problems)
        note_usage(check, check.certificate)
    target = Target(
        signature=signer.signature,
        signer=check.certificate,
        certificates=certificates,
        roots=roots,
        limits=limits,
    )
    timestamp, problems = read_timestamps(signer, target, source, stamps)
    check.problems.extend(problems)
    _note_unsigned(check, signer, KNOWN_UNSIGNED | known_unsigned | stamps.keys())
    return Judgement(signer_info=signer, certificate=check.certificate, chain=chain, timestamp=timestamp, check=check)


def note_usage(check: Check, certificate: Certificate) -> None:
    """Tell of a signer's certificate that is not meant for code, or not for signatures."""
    facts = certificate.facts
    if facts.eku is None:
        check.add(ProblemCode.EKU_MISSING, f"no extended key usage: {facts.subject}")
    elif not is_for(facts, oids.EKU_CODE_SIGNING):
        check.add(ProblemCode.EKU_NO_CODE_SIGNING, f"not meant for code: {facts.subject}")
    if facts.eku is not None and oids.EKU_LIFETIME_SIGNING in facts.eku:
        check.add(ProblemCode.EKU_LIFETIME_SIGNING, "a time stamp does not extend the life of this signature")
    if facts.key_usage_digital_signature is False:
        check.add(ProblemCode.KEY_USAGE_NO_SIGNATURE, f"the key is not meant for signatures: {facts.subject}")


def _note_unsigned(check: Check, signer: SignerInfo, known: frozenset[str]) -> None:
    for attribute in signer.unsigned:
        if attribute.oid in known:
            continue
        detail = f"unsigned attribute {attribute.oid}, {attribute.size} bytes, that anyone may have put there"
        check.add(ProblemCode.CMS_UNSIGNED_ATTRIBUTE_UNKNOWN, detail)
        if attribute.size > MAX_UNKNOWN_ATTRIBUTE_BYTES:
            check.add(ProblemCode.CMS_UNSIGNED_ATTRIBUTE_LARGE, detail)


def trailing_problems(der: bytes, stop: int) -> tuple[Problem, ...]:
    """What stands behind the structure: up to seven zeros are padding, everything else is told."""
    rest = der[stop:]
    if len(rest) > MAX_PADDING_BYTES:
        return (Problem(code=ProblemCode.ENTRY_TRAILING_DATA, detail=f"{len(rest)} bytes behind the signature", offset=None),)
    if any(rest):
        return (Problem(code=ProblemCode.ENTRY_PADDING_NOT_ZERO, detail=f"padding {rest.hex()} behind the signature"),)
    return ()


def unique(problems: list[Problem]) -> tuple[Problem, ...]:
    """Each problem once, in the order they were found."""
    return tuple(dict.fromkeys(problems))
