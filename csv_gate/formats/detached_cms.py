"""A CMS message over a file that it does not hold, or that it holds a copy of (RFC 5652; S/MIME's `.p7s` and `.p7m`)."""

from __future__ import annotations

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.signatures import oids
from csv_gate.signatures.cms import SignedData, SignerInfo, read_signed_data
from csv_gate.signatures.der import OCTET_STRING, Source
from csv_gate.signatures.judgement import judge_signer, trailing_problems, unique
from csv_gate.signatures.roots import Roots
from csv_gate.signatures.timestamp import AUTHENTICODE_STAMPS, CADES_STAMPS

_STAMPS = {**AUTHENTICODE_STAMPS, **CADES_STAMPS}
_SET = 0x31


def has_signers(der: bytes, limits: Limits, *, is_detached: bool = False) -> bool:
    """Whether anybody signs; `is_detached`: and the message holds no content.

    Raises:
        FormatError, LimitError: it is no SignedData.
    """
    data = read_signed_data(Source(der, limits=limits), limits)
    return bool(data.signers) and not (is_detached and data.content is not None)


def read_detached_cms(
    der: bytes, content: memoryview, *, place: str, roots: Roots, limits: Limits
) -> tuple[SignatureFacts, ...]:
    """The signature of each signer over `content`. Never raises for what `der` holds; a message without signers has none.

    Of several signers each has its number behind the place.
    """
    source = Source(der, limits=limits)
    try:
        data = read_signed_data(source, limits)
        if data.content is not None and data.content.tag & ~0x20 != OCTET_STRING:
            raise FormatError("the message holds something else than octets")
        held = None if data.content is None else data.content.octets()
        many = len(data.signers) > 1
        return tuple(
            _facts(data, signer, held, content, source, f"{place}.{number}" if many else place, der, roots, limits)
            for number, signer in enumerate(data.signers)
        )
    except (FormatError, LimitError) as error:
        problem = Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error))
        return (
            SignatureFacts(
                source=SignatureSource.DETACHED,
                place=place,
                digest_algorithm=None,
                signed_digest=None,
                digest_matches=None,
                valid=False,
                problems=(problem,),
                scheme=SignatureScheme.CMS,
            ),
        )


def _facts(
    data: SignedData,
    signer: SignerInfo,
    held: bytes | None,
    content: memoryview,
    source: Source,
    place: str,
    der: bytes,
    roots: Roots,
    limits: Limits,
) -> SignatureFacts:
    judgement = judge_signer(
        signer,
        data.certificates,
        content if held is None else held,
        source,
        content_type=data.content_type,
        roots=roots,
        limits=limits,
        stamps=_STAMPS,
    )
    check = judgement.check
    if data.content_type != oids.DATA:
        # Octets that were signed as something else, such as the list of a catalog, are no file that anybody signed.
        check.add(ProblemCode.CMS_CONTENT_TYPE_WRONG, f"the message is not over data but over {data.content_type}")
    if signer.signed_attributes is None and content[:1] == bytes([_SET]):
        # A signature over attributes would verify over a file that holds their octets.
        check.add(
            ProblemCode.CMS_NO_SIGNED_ATTRIBUTES, "without attributes the file may be the attributes of another signature"
        )
    codes = {problem.code for problem in check.problems}
    matches = None if ProblemCode.CMS_MESSAGE_DIGEST_WRONG not in codes else False
    if held is not None and held != content:
        matches = False
        check.add(ProblemCode.DIGEST_MISMATCH, "the message holds another content than the file")
    elif matches is False:
        check.add(ProblemCode.DIGEST_MISMATCH, "the file is not what was signed")
    elif check.is_sound or (signer.signed_attributes is not None and signer.digest_algorithm is not None):
        matches = ProblemCode.CMS_MESSAGE_DIGEST_MISSING not in codes or None
    if source.not_der:
        check.add(ProblemCode.CMS_NOT_DER, "the message is encoded in BER, not in DER")
    stated = signer.attribute(oids.MESSAGE_DIGEST)
    return SignatureFacts(
        source=SignatureSource.DETACHED,
        place=place,
        digest_algorithm=signer.digest_algorithm,
        signed_digest=stated.contents.hex() if stated is not None and stated.tag == OCTET_STRING else None,
        digest_matches=matches,
        valid=check.is_sound and matches is True,
        problems=unique([*data.problems, *check.problems, *trailing_problems(der, data.stop)]),
        signer=judgement.signer,
        chain=judgement.chain_facts,
        timestamp=judgement.timestamp,
        scheme=SignatureScheme.CMS,
    )
