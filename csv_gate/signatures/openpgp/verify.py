"""Detached and clear-signed OpenPGP signatures: octets and the content they are over, to facts (RFC 9580, sections 5.2, 7 and 10.4)."""

from __future__ import annotations

from typing import Final

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.model.facts import KeyFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field, replace
from csv_gate.signatures.openpgp import armor, packets
from csv_gate.signatures.openpgp.algorithms import HASHES, hash_name, key_name
from csv_gate.signatures.openpgp.hashing import Feed, Sink, digest_of, verifies_left16
from csv_gate.signatures.openpgp.keys import GivenKey, KeyRing
from csv_gate.signatures.openpgp.packets import read_packets
from csv_gate.signatures.openpgp.signature_packet import BINARY, TEXT, Signature, read_signature

HARMLESS: Final = frozenset({ProblemCode.WEAK_KEY, ProblemCode.OPENPGP_SIGNATURE_EXPIRES})
"""Problems that leave a signature valid; what they mean depends on the day or on who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of each signature of a block."""

    feed: Feed
    keys: KeyRing
    scheme: SignatureScheme
    source: SignatureSource
    role: str | None
    types: frozenset[int]


@dataclass(slots=True, kw_only=True)
class _Finding:
    problems: list[Problem] = field(default_factory=list)
    digest_matches: bool | None = None

    def add(self, code: ProblemCode, detail: str) -> None:
        self.problems.append(Problem(code=code, detail=detail))


def read_openpgp_signatures(
    octets: bytes,
    feed: Feed,
    *,
    keys: KeyRing,
    scheme: SignatureScheme,
    source: SignatureSource,
    place: str,
    role: str | None,
    limits: Limits,
    is_text_allowed: bool = True,
) -> tuple[SignatureFacts, ...]:
    """The signatures in `octets` (packets or ASCII armor, attacker-controlled) over the content that `feed` gives.

    `feed` is called once for each signature with something to `update`. Never raises for what the octets hold: what is no signature
    gives facts that are not valid and say why. An unknown key leaves `digest_matches` unknown where the signature's own two octets of
    the digest fit, and False where they do not. A text signature leaves line ends open, which only text can bear: `is_text_allowed`.
    """
    types = frozenset({BINARY, TEXT}) if is_text_allowed else frozenset({BINARY})
    question = Question(feed=feed, keys=keys, scheme=scheme, source=source, role=role, types=types)
    try:
        signatures = _signature_bodies(octets, limits)
    except (FormatError, LimitError) as error:
        return (malformed(question, place, str(error)),)
    return facts_of(signatures, question, place)


def read_clear_signed(
    octets: bytes,
    *,
    keys: KeyRing,
    scheme: SignatureScheme,
    source: SignatureSource,
    place: str,
    role: str | None,
    limits: Limits,
) -> tuple[bytes, tuple[SignatureFacts, ...]]:
    """The signed text of a clear-signed file, with lines ended by CR LF, and its signatures. Nothing else of the file is signed.

    Never raises for what the octets hold. Where there is no such text it is empty, and the one signature is not valid.
    """
    text = b""

    def feed(sink: Sink) -> None:
        sink.update(text)

    question = Question(feed=feed, keys=keys, scheme=scheme, source=source, role=role, types=frozenset({TEXT}))
    try:
        signed = armor.read_clear_signed(octets, limits)
        bodies = _packet_bodies(signed.signature, limits)
    except (FormatError, LimitError) as error:
        return b"", (malformed(question, place, str(error)),)
    text = signed.text
    facts = facts_of(bodies, question, place)
    if signed.has_other_text:
        detail = "text stands outside of what is signed"
        other = Problem(code=ProblemCode.OPENPGP_UNSIGNED_TEXT, detail=detail)
        facts = tuple(replace(one, problems=(*one.problems, other)) for one in facts)
    return text, facts


def facts_of(bodies: list[bytes], question: Question, place: str) -> tuple[SignatureFacts, ...]:
    """Facts of each signature packet; one has the place itself, of several each has its number behind it."""
    if len(bodies) == 1:
        return (_facts(bodies[0], question, place),)
    return tuple(_facts(body, question, f"{place}.{number}") for number, body in enumerate(bodies))


def malformed(question: Question, place: str, why: str) -> SignatureFacts:
    """Facts of what should have been a signature and cannot be read."""
    return SignatureFacts(
        source=question.source,
        place=place,
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=(Problem(code=ProblemCode.OPENPGP_MALFORMED, detail=why),),
        scheme=question.scheme,
        role=question.role,
    )


def _signature_bodies(octets: bytes, limits: Limits) -> list[bytes]:
    if len(octets) > limits.max_openpgp_signature_bytes:
        raise LimitError(
            f"{len(octets)} bytes of signatures, more than max_openpgp_signature_bytes ({limits.max_openpgp_signature_bytes})"
        )
    if not armor.is_armored(octets):
        return _packet_bodies(octets, limits)
    blocks = armor.read_blocks(octets, limits)
    if not blocks:
        raise FormatError("this is neither an OpenPGP signature nor an armored one")
    for block in blocks:
        if block.kind != armor.SIGNATURE:
            raise FormatError("an armored block holds no signature", got=block.kind, expected=armor.SIGNATURE)
    return _packet_bodies(b"".join(block.octets for block in blocks), limits)


def _packet_bodies(octets: bytes, limits: Limits) -> list[bytes]:
    bodies = []
    for packet in read_packets(octets, limits):
        if packet.tag == packets.SIGNATURE:
            bodies.append(packet.body)
        elif packet.tag not in (packets.MARKER, packets.PADDING) and packet.tag < packets.FIRST_NONCRITICAL:
            raise FormatError("something else than signatures is among them", got=f"packet type {packet.tag}")
        if len(bodies) > limits.max_openpgp_signatures:
            raise LimitError(f"more than max_openpgp_signatures ({limits.max_openpgp_signatures}) signatures")
    if not bodies:
        raise FormatError("there is no OpenPGP signature in it")
    return bodies


def _facts(body: bytes, question: Question, place: str) -> SignatureFacts:
    try:
        signature = read_signature(body)
    except ArtifactError as error:
        return malformed(question, place, str(error))
    finding = _Finding()
    digest = _content_digest(signature, question, finding)
    key = _verify(signature, digest, question.keys, finding)
    if signature.said.expires_after:
        days = signature.said.expires_after / 86_400
        finding.add(
            ProblemCode.OPENPGP_SIGNATURE_EXPIRES, f"the signature says that it expires {days:.0f} days after it was made"
        )
    return SignatureFacts(
        source=question.source,
        place=place,
        digest_algorithm=hash_name(signature.hash),
        signed_digest=None,
        digest_matches=finding.digest_matches,
        valid=finding.digest_matches is True and all(problem.code in HARMLESS for problem in finding.problems),
        problems=tuple(finding.problems),
        scheme=question.scheme,
        role=question.role,
        key=key,
    )


def _content_digest(signature: Signature, question: Question, finding: _Finding) -> bytes | None:
    """The digest of the content as this signature takes it, or a problem that says why there is none."""
    if signature.type not in question.types:
        finding.add(
            ProblemCode.OPENPGP_MALFORMED, f"a signature of type {signature.type:#04x} is not over this kind of content"
        )
        return None
    if signature.problem:
        finding.add(ProblemCode.OPENPGP_MALFORMED, signature.problem)
    known = HASHES.get(signature.hash)
    if known is None:
        finding.add(ProblemCode.OPENPGP_ALGORITHM_UNKNOWN, f"{hash_name(signature.hash)} is not computed here")
        return None
    if not known.is_strong:
        finding.add(ProblemCode.WEAK_DIGEST, f"{known.name} does not count in OpenPGP signatures any more")
    return digest_of(signature, question.feed)


def _verify(signature: Signature, digest: bytes | None, keys: KeyRing, finding: _Finding) -> KeyFacts | None:
    fits = digest is not None and verifies_left16(signature, digest)
    if digest is not None and not fits:
        finding.digest_matches = False
        finding.add(ProblemCode.DIGEST_MISMATCH, "the content is not what was signed")
    issuer = signature.issuer
    if issuer is None:
        finding.add(ProblemCode.OPENPGP_MALFORMED, "the signature does not name its signer's key")
        return None
    candidates = [given for given in keys.named(issuer) if (given.key.version == 6) == (signature.version == 6)]
    if not candidates:
        detail = f"key unknown: {issuer.hex()} is not among the keys that were given"
        finding.add(ProblemCode.OPENPGP_KEY_UNKNOWN, detail)
        return KeyFacts(key_id=issuer.hex(), is_given=False, algorithm=key_name(signature.algorithm))
    made_it = [one for one in candidates if digest is not None and _is_made_by(one, signature, digest)]
    given = (made_it or candidates)[0]
    if made_it and fits:
        finding.digest_matches = True
    elif fits:
        detail = "the signature does not verify with the signer's key"
        if given.key.loaded is None:
            finding.add(
                ProblemCode.OPENPGP_ALGORITHM_UNKNOWN, f"keys such as this {key_name(given.key.algorithm)} are not used here"
            )
        else:
            finding.add(ProblemCode.OPENPGP_SIGNATURE_WRONG, detail)
    judged = keys.judged(given)
    if why := judged.why_unfit(given.key, signature.created):
        finding.add(ProblemCode.OPENPGP_KEY_UNFIT, f"the key may not have signed this: {why}")
    if given.key.is_weak:
        finding.add(ProblemCode.WEAK_KEY, f"{key_name(given.key.algorithm)} of {given.key.bits} bits")
    return KeyFacts(
        key_id=issuer.hex(),
        is_given=True,
        fingerprint=given.certificate.primary.fingerprint.hex(),
        algorithm=key_name(given.key.algorithm),
        bits=given.key.bits,
        user_ids=judged.user_ids,
    )


def _is_made_by(given: GivenKey, signature: Signature, digest: bytes) -> bool:
    known = HASHES.get(signature.hash)
    return known is not None and given.key.verifies(signature.algorithm, signature.value, digest, known.name)
