"""Signer rules: root, EKUs, publisher, issuer, programme name, sign time, file attributes and exceptions, all of which must hold.

A TBS value is the digest of a certificate's TBSCertificate by the hash of *that certificate's own signature*, so the same digest length
may mean different certificates; any certificate of the chain counts. An exception un-matches its signer and decides nothing else.

Sources: App Control docs, "Understand App Control policy rules and file rules" (file rule levels), "Understanding App Control event
tags" (well-known roots), "Create a deny policy"; the sipolicy XML schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain as chained
from operator import itemgetter
from typing import NamedTuple

from csv_gate.engine.appcontrol.attributes import RuleSet, index_rules
from csv_gate.engine.appcontrol.common_names import common_name_matches, spellings, text_matches
from csv_gate.engine.appcontrol.names import wide_key
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
from csv_gate.engine.appcontrol.usability import is_trusted_authority, is_usable
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.engine.appcontrol.well_known import FLIGHT_ROOTS, OWN_TBS_ALGORITHM, TEST_ROOTS, ends_in
from csv_gate.model.appcontrol import AppControlPolicy, Option, RootKind, Signer, SignerUse
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainEnd, SignatureFacts
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


_ANSWER = itemgetter(1)
Group = dict[str | None, tuple[CompiledSigner, ...]]
"""Signers of one root by the wide key of their publisher; `None`: any publisher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerIndex:
    """Signers by root and publisher, so that only those that could match a signature are looked at."""

    by_tbs: dict[str, Group]
    """By the TBS hash, lower-case hex as the facts have it."""
    well_known: tuple[Group, ...]
    """Of each well-known root, by its number."""

    @property
    def is_empty(self) -> bool:
        return not (self.by_tbs or self.well_known)

    def matches(self, view: ArtifactView, direction: Direction, minimum_hash: int | None) -> Iterator[SignerHit]:
        """Every signer that matches or may match over all signatures, in no particular order."""
        if self.is_empty:
            return
        for signature in view.signatures:
            usable: Answer | None = None
            for compiled in self._candidates(signature):
                answer = match_signer(compiled, signature, view, direction)
                if answer.truth is FALSE:
                    continue
                usable = usable or is_usable(signature, view, direction, minimum_hash)
                yield SignerHit(compiled=compiled, signature=signature, match=answer, usable=usable)

    def _candidates(self, signature: SignatureFacts) -> Iterator[CompiledSigner]:
        chain = signature.chain
        if chain is None or signature.signer is None:
            yield from self.all_signers
            return
        values = {value for cert in chain.certificates for value in cert.tbs.values()}
        values.update(chain.root_tbs.values())
        publishers = spellings(signature.signer.subject, signature.signer.subject_cn)
        for group in (*(self.by_tbs[value] for value in values if value in self.by_tbs), *self.well_known):
            if publishers is None:
                yield from chained.from_iterable(group.values())
                continue
            yield from group.get(None, ())
            for key in dict.fromkeys(map(wide_key, publishers)):
                yield from group.get(key, ())

    @property
    def all_signers(self) -> Iterator[CompiledSigner]:
        for group in (*self.by_tbs.values(), *self.well_known):
            for signers in group.values():
                yield from signers

    def under_roots_of(self, signature: SignatureFacts) -> Iterator[CompiledSigner]:
        """Signers whose root may fit, whatever their publisher: where near misses are looked for."""
        chain = signature.chain
        values = {value for cert in chain.certificates for value in cert.tbs.values()} if chain else set()
        for group in (*(self.by_tbs[value] for value in sorted(values) if value in self.by_tbs), *self.well_known):
            for signers in group.values():
                yield from signers


class SignerHit(NamedTuple):
    """A signer that matches, or may match, by one signature; `usable` tells whether the signature counts."""

    compiled: CompiledSigner
    signature: SignatureFacts
    match: Answer
    usable: Answer

    @property
    def answer(self) -> Answer:
        return all_of((self.usable, self.match))


def index_signers(
    policy: AppControlPolicy, uses: Iterable[SignerUse], direction: Direction, *, is_supplemental: bool
) -> SignerIndex:
    """Compile the signers of one list. A use of a signer that the policy does not hold is left out; `dangling_uses` finds it."""
    by_root: dict[tuple[RootKind, bytes], dict[str | None, list[CompiledSigner]]] = {}
    policy_id = str(policy.policy_id)
    for use in uses:
        signer = policy.signers.get(use.signer)
        if signer is None:
            continue
        compiled = CompiledSigner(
            signer=signer,
            use=use,
            attributes=_rules(policy, signer.file_attributes) if signer.file_attributes else None,
            exceptions=_rules(policy, use.exceptions) if use.exceptions else None,
            exceptions_count=not is_supplemental,
            flight_off=Option.DISABLED_FLIGHT_SIGNING in policy.options,
            dangling_attributes=_absent(policy, signer.file_attributes),
            dangling_exceptions=_absent(policy, use.exceptions),
            ref=RuleRef(
                policy=policy.label,
                policy_id=policy_id,
                id=signer.id,
                kind="allowed_signer" if direction is ALLOW else "denied_signer",
                name=signer.name,
                place=signer.place,
            ),
        )
        key = None if signer.publisher is None else wide_key(signer.publisher)
        by_root.setdefault((signer.root.kind, signer.root.value), {}).setdefault(key, []).append(compiled)
    groups = {root: {key: tuple(found) for key, found in group.items()} for root, group in by_root.items()}
    numbered = [(value, group) for (kind, value), group in groups.items() if kind is RootKind.WELL_KNOWN]
    return SignerIndex(
        by_tbs={value.hex(): group for (kind, value), group in groups.items() if kind is RootKind.TBS},
        well_known=tuple(group for _, group in sorted(numbered, key=lambda one: one[0])),
    )


def _rules(policy: AppControlPolicy, ids: Iterable[str]) -> RuleSet:
    return index_rules(policy.file_rules[id] for id in ids if id in policy.file_rules)


def _absent(policy: AppControlPolicy, ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(id for id in ids if id not in policy.file_rules)


def _not_defined(ids: tuple[str, ...]) -> Iterator[Answer]:
    if ids:
        yield unknown(NOT_SPECIFIED, f"what the missing rules {', '.join(ids[:5])} would say")


def match_signer(compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView, direction: Direction) -> Answer:
    """Every condition of a signer rule, leaving aside whether the signature counts."""
    return all_of(map(_ANSWER, signer_conditions(compiled, signature, view, direction)))


def signer_conditions(
    compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView, direction: Direction
) -> Iterator[tuple[str, Answer]]:
    """Each condition with its name, cheap ones first."""
    signer, leaf = compiled.signer, signature.signer
    yield "root", _root_matches(compiled, signature, view)
    if leaf is None:
        yield "signer certificate", unknown(FACT, "the signer's certificate")
        return
    if signer.publisher is not None:
        yield "publisher", common_name_matches(leaf.subject, leaf.subject_cn, signer.publisher, "publisher", direction)
    if signer.issuer is not None:
        answer = common_name_matches(leaf.issuer, leaf.issuer_cn, signer.issuer, "certificate issuer", direction)
        yield "issuer", answer
    if signer.oem_id is not None:
        yield "OEM id", text_matches(signature.program_name, signer.oem_id, "programme name in the signature")
    if signer.ekus:
        yield "EKU", _ekus_match(signer, leaf)
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


def _root_matches(compiled: CompiledSigner, signature: SignatureFacts, view: ArtifactView) -> Answer:
    root = compiled.signer.root
    chain = signature.chain
    if chain is None:
        return unknown(FACT, "the certificate chain")
    if root.kind is RootKind.TBS:
        return _tbs_matches(root.value.hex(), signature)
    if len(root.value) != 1:
        return unknown(NOT_SPECIFIED, f"what the well-known root {root.text} of a policy matches")
    number = root.value[0]
    if number in FLIGHT_ROOTS and compiled.flight_off:
        return no("option 4 of the policy takes trust from flight roots")
    if number in TEST_ROOTS and not view.context.test_signing and chain.well_known_root == f"{number:02X}":
        return unknown(NOT_SPECIFIED, "whether a rule for a test root counts on a machine without TESTSIGNING")
    return ends_in(number, chain, view.context)


def _tbs_matches(wanted: str, signature: SignatureFacts) -> Answer:
    chain = signature.chain
    assert chain is not None
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


def _ekus_match(signer: Signer, leaf: CertificateFacts) -> Answer:
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
