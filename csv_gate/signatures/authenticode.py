"""Authenticode signatures: one block of octets to the facts of every signature in it (Authenticode PE signature format, 2008).

A block is a SignedData over SpcIndirectData. Further signatures over the same file stand in its unsigned attributes, each a block of its
own, at any depth: they are walked with a list, not by recursion, and their number is bounded. Nothing here raises for bad octets; a
signature that cannot be read is a fact with `valid=False` and the problem that says why.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.model.facts import PageHashFacts, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import replace
from csv_gate.signatures import oids
from csv_gate.signatures.cms import Check, SignerInfo, read_signed_data
from csv_gate.signatures.content import SignedContent, Subject
from csv_gate.signatures.der import SEQUENCE, Source
from csv_gate.signatures.indirect import IndirectData, OpusInfo, read_indirect_data, read_interface, read_opus, read_page_hashes
from csv_gate.signatures.judgement import judge, trailing_problems, unique
from csv_gate.signatures.roots import Roots

NO_OPUS: Final = OpusInfo(program_name=None, more_info=None)


def read_signatures(
    der: bytes | memoryview,
    content: SignedContent,
    *,
    source: SignatureSource,
    place: str,
    roots: Roots,
    limits: Limits,
    subject: Subject | None = None,
) -> tuple[SignatureFacts, ...]:
    """All signatures of one block, the primary first, then the nested ones by depth.

    `subject`: the kind of file they must have been made for; `None` takes any (the type that a PE signature names is not always right).

    `der` may be followed by padding: up to seven zeros are normal, anything else is a problem of the primary signature. Digests are
    asked of `content` only for algorithms that a signature names. Never raises for what the octets hold.
    """
    octets = bytes(der)
    if len(octets) > limits.max_certificate_table_bytes:
        detail = f"{len(octets)} bytes, more than limits.max_certificate_table_bytes"
        return (_unreadable(source, place, Problem(code=ProblemCode.CMS_MALFORMED, detail=detail)),)
    found: list[SignatureFacts] = []
    waiting = deque([(octets, source, place)])
    nodes_left = limits.max_asn1_nodes
    too_many = False
    while waiting:
        block, kind, where = waiting.popleft()
        reader = Source(block, limits=limits, max_nodes=nodes_left)
        facts, nested = _read_one(reader, content, subject, source=kind, place=where, roots=roots, limits=limits)
        nodes_left = max(reader.nodes_left, 0)
        if where.count(".") > place.count(".") + 1:
            detail = "it is nested in a nested signature, where targets may not look"
            facts = _with_problem(facts, Problem(code=ProblemCode.NESTED_DEEP, detail=detail))
        found.append(facts)
        for number, inner in enumerate(nested):
            if len(found) + len(waiting) >= limits.max_nested_signatures:
                too_many = True
                break
            waiting.append((inner, SignatureSource.NESTED, f"{where}.{number}"))
    if too_many:
        detail = f"more than {limits.max_nested_signatures} signatures in one block; the rest was not looked at"
        found[0] = _with_problem(found[0], Problem(code=ProblemCode.NESTED_TOO_MANY, detail=detail))
    return tuple(found)


def _read_one(
    reader: Source,
    content: SignedContent,
    subject: Subject | None,
    *,
    source: SignatureSource,
    place: str,
    roots: Roots,
    limits: Limits,
) -> tuple[SignatureFacts, list[bytes]]:
    """One signature and the blocks nested in it."""
    try:
        data = read_signed_data(reader, limits)
        if data.content_type != oids.SPC_INDIRECT_DATA or data.content is None:
            detail = f"the signed content is of type {data.content_type}"
            return _unreadable(source, place, Problem(code=ProblemCode.CMS_NOT_AUTHENTICODE, detail=detail)), []
        signed_content = data.content.expect(SEQUENCE)
        indirect = read_indirect_data(signed_content)
        judgement = judge(data, signed_content.contents, reader, roots=roots, limits=limits)
        check, signer = judgement.check, judgement.signer_info
        opus = _read_opus(signer, check, limits)
        _compare_subject(check, indirect, subject)
        digest_matches = _compare_digest(check, indirect, signer, content)
        page_hashes = _compare_page_hashes(check, indirect, reader, content)
    except (FormatError, LimitError) as error:
        code = ProblemCode.NESTED_MALFORMED if source is SignatureSource.NESTED else ProblemCode.CMS_MALFORMED
        return _unreadable(source, place, Problem(code=code, detail=str(error))), []
    if reader.not_der:
        check.add(ProblemCode.CMS_NOT_DER, "the signature is encoded in BER, not in DER")
    if indirect.data_type not in oids.USUAL_DATA_TYPES:
        check.add(ProblemCode.CMS_DATA_TYPE_UNUSUAL, f"the signed data is of type {indirect.data_type}")
    check.problems.extend(trailing_problems(reader.data, data.stop))
    facts = SignatureFacts(
        source=source,
        place=place,
        digest_algorithm=indirect.digest_algorithm,
        signed_digest=indirect.digest.hex(),
        digest_matches=digest_matches,
        valid=check.is_sound and digest_matches is True,
        problems=unique(check.problems),
        program_name=opus.program_name,
        more_info=opus.more_info,
        signer=judgement.signer,
        chain=judgement.chain_facts,
        timestamp=judgement.timestamp,
        page_hashes=page_hashes,
    )
    return facts, _nested_blocks(signer, limits)


def _nested_blocks(signer: SignerInfo | None, limits: Limits) -> list[bytes]:
    """The blocks in the unsigned attributes, one more than may be looked at so that the reader sees that there are more."""
    if signer is None:
        return []
    values = [value for attribute in signer.unsigned if attribute.oid == oids.NESTED_SIGNATURE for value in attribute.values]
    return [value.raw for value in values[: limits.max_nested_signatures + 1]]


def _read_opus(signer: SignerInfo | None, check: Check, limits: Limits) -> OpusInfo:
    attribute = signer.attribute(oids.SPC_OPUS_INFO) if signer is not None else None
    if attribute is None:
        return NO_OPUS
    try:
        return read_opus(attribute, limits)
    except ArtifactError as error:
        check.add(ProblemCode.CMS_MALFORMED, f"the programme name cannot be read: {error}")
        return NO_OPUS


def _compare_digest(check: Check, indirect: IndirectData, signer: SignerInfo | None, content: SignedContent) -> bool | None:
    algorithm = indirect.digest_algorithm
    if signer is not None and algorithm != signer.digest_algorithm:
        detail = f"the file is digested with {algorithm}, the message with {signer.digest_algorithm}"
        check.add(ProblemCode.CMS_DIGEST_ALGORITHM_MISMATCH, detail)
    actual = content.digest(algorithm) if algorithm is not None else None
    if actual is None:
        check.add(ProblemCode.CMS_ALGORITHM_UNKNOWN, f"the file has no digest by {algorithm or 'the algorithm that is named'}")
        return None
    if actual == indirect.digest:
        return True
    check.add(
        ProblemCode.DIGEST_MISMATCH, f"the file's {algorithm} digest is {actual.hex()}, signed is {indirect.digest.hex()[:128]}"
    )
    return False


def _compare_subject(check: Check, indirect: IndirectData, subject: Subject | None) -> None:
    if subject is None:
        return
    interface = read_interface(indirect)
    if indirect.data_type != subject.data_type or interface != subject.interface:
        named = indirect.data_type + (f" {interface.hex()}" if interface is not None else "")
        check.add(ProblemCode.CMS_OTHER_SUBJECT, f"the signature was made for another file type ({named}) than {subject.name}")


def _compare_page_hashes(check: Check, indirect: IndirectData, reader: Source, content: SignedContent) -> PageHashFacts | None:
    try:
        tables = read_page_hashes(indirect, reader)
    except FormatError as error:
        check.add(ProblemCode.PAGE_HASH_MALFORMED, str(error))
        return None
    if not tables:
        return None
    matches = all(content.page_hash_table(algorithm) == octets for algorithm, octets in tables)
    if not matches:
        check.add(ProblemCode.PAGE_HASH_MISMATCH, "a page of the file does not hash to its entry in the signed table")
    return PageHashFacts(algorithm=tables[0][0], matches=matches)


def _unreadable(source: SignatureSource, place: str, problem: Problem) -> SignatureFacts:
    return SignatureFacts(
        source=source,
        place=place,
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=(problem,),
    )


def _with_problem(facts: SignatureFacts, problem: Problem) -> SignatureFacts:
    return replace(facts, problems=(*facts.problems, problem))
