"""Any other CMS SignedData: content in an envelope, such as a signed App Control policy."""

from __future__ import annotations

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import CertificateFacts, ChainFacts, TimestampFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.cms import read_signed_data as read_structure
from csv_gate.signatures.der import OCTET_STRING, Source
from csv_gate.signatures.judgement import judge, trailing_problems, unique
from csv_gate.signatures.roots import Roots


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDataFacts:
    """What a SignedData holds and whether its signature is right. Says nothing of trust or dates."""

    content_type: str | None
    """Dotted; None: the octets are no SignedData."""
    content: bytes | None
    """The signed octets (of an OCTET STRING its contents, of any other type the contents without tag and length); None: detached."""
    valid: bool
    signer: CertificateFacts | None = None
    chain: ChainFacts | None = None
    timestamp: TimestampFacts | None = None
    problems: tuple[Problem, ...] = ()


def read_signed_data(
    der: bytes | memoryview, *, limits: Limits = DEFAULT_LIMITS, detached: bytes | None = None, roots: Roots | None = None
) -> SignedDataFacts:
    """Read an envelope. `detached` is the content of one that holds none. Never raises for what the octets hold."""
    octets = bytes(der)
    source = Source(octets, limits=limits)
    try:
        data = read_structure(source, limits)
        content = detached
        if data.content is not None:
            is_octets = data.content.tag & ~0x20 == OCTET_STRING
            content = data.content.octets() if is_octets else data.content.contents
        judgement = judge(data, content or b"", source, roots=roots or Roots.known(), limits=limits, strict=False)
    except (FormatError, LimitError) as error:
        problem = Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error))
        return SignedDataFacts(content_type=None, content=None, valid=False, problems=(problem,))
    check = judgement.check
    if data.content is not None and detached is not None and detached != content:
        check.add(ProblemCode.CMS_MALFORMED, "the signature holds another content than the one that was given")
    if content is None:
        check.add(ProblemCode.CMS_MALFORMED, "the signature is detached and its content was not given")
    if source.not_der:
        check.add(ProblemCode.CMS_NOT_DER, "the envelope is encoded in BER, not in DER")
    check.problems.extend(trailing_problems(octets, data.stop))
    return SignedDataFacts(
        content_type=data.content_type,
        content=content,
        valid=check.is_sound,
        signer=judgement.signer,
        chain=judgement.chain_facts,
        timestamp=judgement.timestamp,
        problems=unique(check.problems),
    )
