"""Signer rules: root, EKUs, publisher, issuer, programme name, sign time, file attributes and exceptions, all of which must hold.

A TBS value is the digest of a certificate's TBSCertificate by the hash of *that certificate's own signature*, so the same digest length
may mean different certificates; any certificate of the chain counts. An exception un-matches its signer and decides nothing else.

Sources: App Control docs, "Understand App Control policy rules and file rules" (file rule levels), "Understanding App Control event
tags" (well-known roots), "Create a deny policy"; the sipolicy XML schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain as chained

from csv_gate.engine.appcontrol.attributes import RuleSet
from csv_gate.engine.appcontrol.common_names import common_name_matches, text_matches
from csv_gate.engine.appcontrol.truth import (
    ALLOW,
    CONTEXT,
    DENY,
    FACT,
    FALSE,
    NOT_SPECIFIED,
    TRUE,
    Answer,
    Direction,
    all_of,
    any_of,
    no,
    unknown,
    yes,
)
from csv_gate.engine.appcontrol.usability import is_trusted_authority
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.engine.appcontrol.well_known import FLIGHT_ROOTS, OWN_TBS_ALGORITHM, TEST_ROOTS, TRUST_LIST, ends_in
from csv_gate.model.appcontrol import RootKind, Signer, SignerUse
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainEnd, ChainFacts, SignatureFacts
from csv_gate.model.verdict import RuleRef
from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSigner:
    """A signer in one use."""

    signer: Signer
    use: SignerUse
    attributes: RuleSet | None
    exceptions: RuleSet | None
    exceptions_count: bool
    """False in a supplemental, where a deny rule may be ignored even as an exception."""
    flight_off: bool
    """Option 4: flight roots are not trusted."""
    dangling_attributes: tuple[str, ...]
    """Ids that the policy refers to and does not hold."""
    dangling_exceptions: tuple[str, ...]
    ref: RuleRef

    @property
    def looks_at_chain_alone(self) -> bool:
        """Whether no condition asks for more than root, publisher, issuer and EKUs."""
        signer = self.signer
        asks_more = (signer.oem_id, signer.sign_time_after, self.attributes, self.exceptions)
        return not signer.artifact_rules and all(part is None for part in asks_more)


def _not_defined(ids: tuple[str, ...]) -> Iterator[Answer]:
    if ids:
        yield unknown(NOT_SPECIFIED, f"what the missing rules {', '.join(ids[:5])} would say")


def signer_conditions(
    compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView, direction: Direction
) -> Iterator[tuple[str, Answer]]:
    """Each condition with its name, cheap ones first."""
    signer, leaf = compiled.signer, signature.signer
    yield "root", _root_matches(compiled, signature.chain, view.context)
    if leaf is None:
        yield "signer certificate", unknown(FACT, "the signer's certificate")
        return
    yield from _name_conditions(signer, leaf, direction)
    yield from _programme_conditions(signer, signature)
    if signer.ekus:
        yield "EKU", ekus_match(signer, leaf)
    yield from _file_conditions(compiled, signature, view, direction)


def names_match(
    compiled: CompiledSigner, chain: ChainFacts, leaf: CertificateFacts, context: AppControlContext, direction: Direction
) -> Answer:
    """Root, publisher and issuer. The context counts only where `root_asks_the_target`."""
    root = ("root", _root_matches(compiled, chain, context))
    return all_of([answer for _, answer in (root, *_name_conditions(compiled.signer, leaf, direction))])


def rest_matches(
    compiled: CompiledSigner, names: Answer, ekus: Answer, signature: SignatureFacts, view: ArtifactView, direction: Direction
) -> Answer:
    """All conditions together, of which those of names and EKUs are answered already."""
    programme = [answer for _, answer in _programme_conditions(compiled.signer, signature)]
    rest = (answer for _, answer in _file_conditions(compiled, signature, view, direction))
    return all_of(chained((names, *programme, ekus), rest))


def _name_conditions(signer: Signer, leaf: CertificateFacts, direction: Direction) -> Iterator[tuple[str, Answer]]:
    if signer.publisher is not None:
        yield "publisher", common_name_matches(leaf.subject, leaf.subject_cn, signer.publisher, "publisher", direction)
    if signer.issuer is not None:
        answer = common_name_matches(leaf.issuer, leaf.issuer_cn, signer.issuer, "certificate issuer", direction)
        yield "issuer", answer


def _programme_conditions(signer: Signer, signature: SignatureFacts) -> Iterator[tuple[str, Answer]]:
    if signer.oem_id is not None:
        yield "OEM id", text_matches(signature.program_name, signer.oem_id, "programme name in the signature")


def _file_conditions(
    compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView, direction: Direction
) -> Iterator[tuple[str, Answer]]:
    """What is no matter of the certificates."""
    signer = compiled.signer
    if signer.sign_time_after is not None:
        yield "sign time", _signed_after(signer, signature, view.context, direction)
    if compiled.attributes is not None:
        yield "file attributes", _attributes_match(compiled, compiled.attributes, view, direction)
    if signer.artifact_rules:
        yield "artifact rules", unknown(NOT_SPECIFIED, "how Windows applies the artifact rules of a signer")
    if compiled.exceptions is not None:
        yield "exceptions", _exceptions_spare(compiled, compiled.exceptions, view, direction)


def _attributes_match(compiled: CompiledSigner, attributes: RuleSet, view: ArtifactView, direction: Direction) -> Answer:
    answer = any_of((attributes.any_match(view, direction), *_not_defined(compiled.dangling_attributes)))
    return no("none of its file attributes matches") if answer.truth is FALSE else answer


def root_asks_the_target(compiled: CompiledSigner) -> bool:
    """Whether it takes more than a chain to tell if the signer's root is the one it ends in: what the target trusts."""
    root = compiled.signer.root
    return root.kind is RootKind.WELL_KNOWN and len(root.value) == 1 and root.value[0] in TEST_ROOTS | {TRUST_LIST}


def _root_matches(compiled: CompiledSigner, chain: ChainFacts | None, context: AppControlContext) -> Answer:
    root = compiled.signer.root
    if chain is None:
        return unknown(FACT, "the certificate chain")
    if root.kind is RootKind.TBS:
        return _tbs_matches(root.value.hex(), chain)
    if len(root.value) != 1:
        return unknown(NOT_SPECIFIED, f"what the well-known root {root.text} of a policy matches")
    number = root.value[0]
    if number in FLIGHT_ROOTS and compiled.flight_off:
        return no("option 4 of the policy takes trust from flight roots")
    if number in TEST_ROOTS and not context.test_signing and chain.well_known_root == f"{number:02X}":
        return unknown(NOT_SPECIFIED, "whether a rule for a test root counts on a machine without TESTSIGNING")
    return ends_in(number, chain, context)


def _tbs_matches(wanted: str, chain: ChainFacts) -> Answer:
    doubt: Answer | None = None
    for cert in chain.certificates:
        own = cert.tbs.get(cert.tbs_algorithm) if cert.tbs_algorithm else None
        if own == wanted:
            if _is_pss(cert):
                doubt = unknown(NOT_SPECIFIED, "which hash Windows takes for the TBS of a certificate signed with RSASSA-PSS")
                continue
            return yes(f"its chain holds {cert.subject_cn or cert.subject!r}")
        if own is None and wanted in cert.tbs.values():
            doubt = unknown(FACT, f"the hash by which {cert.subject_cn or cert.subject!r} was signed")
    if wanted in chain.root_tbs.values():
        algorithm = OWN_TBS_ALGORITHM.get(chain.well_known_root or "")
        if chain.end is ChainEnd.KNOWN_ROOT and algorithm and chain.root_tbs.get(algorithm) == wanted:
            return yes(f"its chain ends in root {chain.well_known_root}")
        if algorithm is None or chain.end is not ChainEnd.KNOWN_ROOT:
            doubt = doubt or unknown(NOT_SPECIFIED, "whether Windows sees a root that the signature does not carry")
    return doubt or no(f"no certificate of its chain has the TBS hash {wanted[:16]}…")


def _is_pss(cert: CertificateFacts) -> bool:
    name = cert.signature_algorithm.lower()
    return "pss" in name or name == "1.2.840.113549.1.1.10"


def ekus_match(signer: Signer, leaf: CertificateFacts) -> Answer:
    held = leaf.eku or ()
    for condition in signer.ekus:
        name = condition.eku.friendly_name or condition.eku.oid
        if not condition.eku.oid:
            return unknown(NOT_SPECIFIED, f"which EKU {condition.eku.id} means")
        if condition.is_except and condition.eku.oid in held:
            return no(f"the signing certificate has the EKU {name}, which the rule excepts")
        if not condition.is_except and condition.eku.oid not in held:
            return no(f"the signing certificate lacks the EKU {name}")
    return yes("its EKUs match")


def _signed_after(signer: Signer, signature: SignatureFacts, context: AppControlContext, direction: Direction) -> Answer:
    """By the time stamp, if its authority is one that the target trusts: anybody can sign any time."""
    stamp, after = signature.timestamp, signer.sign_time_after
    assert after is not None
    if stamp is not None and stamp.valid and stamp.time is not None:
        answer = _is_after(stamp.time, after)
        if (answer.truth is FALSE and direction is ALLOW) or is_trusted_authority(stamp, context):
            return answer
        return unknown(CONTEXT, "whether the target trusts the root of the time stamp (`trusted_roots`), for SignTimeAfter")
    if stamp is None and direction is ALLOW:
        return no("the signature has no time stamp, the rule wants one (SignTimeAfter)")
    return unknown(NOT_SPECIFIED, "what SignTimeAfter means for a signature without a valid time stamp")


def _is_after(time: datetime, after: datetime) -> Answer:
    if time == after:
        return unknown(NOT_SPECIFIED, "whether SignTimeAfter includes its own instant")
    if time > after:
        return yes(f"it was signed after {after.isoformat()}")
    return no(f"it was signed at {time.isoformat()}, the rule wants later than {after.isoformat()}")


def _exceptions_spare(compiled: CompiledSigner, exceptions: RuleSet, view: ArtifactView, direction: Direction) -> Answer:
    """An allowed signer is un-matched by deny rules, a denied one by allow rules."""
    opposite = DENY if direction is ALLOW else ALLOW
    answer = any_of((exceptions.any_match(view, opposite), *_not_defined(compiled.dangling_exceptions)))
    if answer.truth is FALSE:
        return yes("")
    if not compiled.exceptions_count:
        return unknown(NOT_SPECIFIED, "whether an exception counts in a supplemental policy, whose deny rules are ignored")
    if answer.truth is TRUE:
        return no(f"an exception of the rule matches: {answer.why or 'any file'}")
    return answer
