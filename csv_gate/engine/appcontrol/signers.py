"""Signer rules sorted so that a signature meets only those that could match it.

By root and publisher first, whatever their number. Of those, the ones that a chain leaves in question are kept for the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain as chained
from operator import itemgetter

from csv_gate.engine.appcontrol.attributes import RuleSet, index_rules
from csv_gate.engine.appcontrol.common_names import spellings
from csv_gate.engine.appcontrol.names import wide_key
from csv_gate.engine.appcontrol.per_chain import PerChain
from csv_gate.engine.appcontrol.signer_match import (
    CompiledSigner,
    ekus_match,
    names_match,
    rest_matches,
    root_asks_the_target,
    signer_conditions,
)
from csv_gate.engine.appcontrol.truth import ALLOW, FALSE, YES, Answer, Direction, all_of
from csv_gate.engine.appcontrol.usability import is_usable
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.appcontrol import AppControlPolicy, Option, RootKind, SignerUse
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainFacts, SignatureFacts
from csv_gate.model.verdict import RuleRef
from csv_gate.records import dataclass, field
from csv_gate.records.rows import NamedTuple

Group = dict[str | None, tuple[CompiledSigner, ...]]
"""Signers of one root by the wide key of their publisher; `None`: any publisher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerIndex:
    """Signers by root and publisher, so that only those that could match a signature are looked at."""

    by_tbs: dict[str, Group]
    """By the TBS hash, lower-case hex as the facts have it."""
    well_known: tuple[Group, ...]
    """Of each well-known root, by its number."""
    direction: Direction
    likely: PerChain[tuple[Likely, ...]] = field(default_factory=PerChain, compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        return not (self.by_tbs or self.well_known)

    def matches(self, view: ArtifactView, minimum_hash: int | None) -> list[SignerHit]:
        """Every signer that matches or may match over all signatures, in no particular order."""
        hits: list[SignerHit] = []
        for signature in view.signatures:
            usable: Answer | None = None
            for likely in self._likely(signature, view.context):
                answer = likely.match(signature, view, self.direction)
                if answer.truth is FALSE:
                    continue
                usable = usable or is_usable(signature, view, self.direction, minimum_hash)
                hits.append(SignerHit(likely.compiled, signature, answer, usable))
        return hits

    def _likely(self, signature: SignatureFacts, context: AppControlContext) -> Iterable[Likely]:
        """The signers that the chain of a signature leaves: of a known chain the same for every file."""
        chain, leaf = signature.chain, signature.signer
        if chain is None or leaf is None:
            return (Likely(compiled=compiled) for compiled in self.all_signers)
        known = self.likely.get(chain, leaf)
        if known is not None:
            return known
        weighed = (_weighed(compiled, chain, leaf, context, self.direction) for compiled in self._candidates(chain, leaf))
        found = tuple([likely for likely in weighed if likely is not None])
        return self.likely.put(chain, leaf, found) if len(found) <= _MOST_KEPT else found

    def _candidates(self, chain: ChainFacts, leaf: CertificateFacts) -> Iterator[CompiledSigner]:
        """By root and publisher."""
        values = {value for cert in chain.certificates for value in cert.tbs.values()}
        values.update(chain.root_tbs.values())
        publishers = spellings(leaf.subject, leaf.subject_cn)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """A signer that a chain leaves in question, with what the chain says of it where that holds for every file and target."""

    compiled: CompiledSigner
    names: Answer | None = None
    """Root, publisher and issuer; `None`: the target is to be asked."""
    ekus: Answer = YES
    whole: Answer | None = None
    """All there is to ask, where the signer asks for nothing else."""

    def match(self, signature: SignatureFacts, view: ArtifactView, direction: Direction) -> Answer:
        """Every condition of the rule, leaving aside whether the signature counts."""
        if self.whole is not None:
            return self.whole
        if self.names is None:
            return all_of(map(_ANSWER, signer_conditions(self.compiled, signature, view, direction)))
        return rest_matches(self.compiled, self.names, self.ekus, signature, view, direction)


_ANSWER = itemgetter(1)
_MOST_KEPT = 64
"""Of signers for one chain: one with an unreadable name leaves thousands in question, and a build may have many of those."""


def _weighed(
    compiled: CompiledSigner, chain: ChainFacts, leaf: CertificateFacts, context: AppControlContext, direction: Direction
) -> Likely | None:
    """What a chain says of a signer; `None`: it rules it out."""
    ekus = ekus_match(compiled.signer, leaf) if compiled.signer.ekus else YES
    if ekus.truth is FALSE:
        return None
    if root_asks_the_target(compiled):
        return Likely(compiled=compiled)
    names = names_match(compiled, chain, leaf, context, direction)
    if names.truth is FALSE:
        return None
    whole = all_of((names, ekus)) if compiled.looks_at_chain_alone else None
    return Likely(compiled=compiled, names=names, ekus=ekus, whole=whole)


class SignerHit(NamedTuple):
    """A signer that matches, or may match, by one signature; `usable` tells whether the signature counts."""

    compiled: CompiledSigner
    signature: SignatureFacts
    match: Answer
    usable: Answer

    @property
    def answer(self) -> Answer:
        return self.match if self.usable is YES else all_of((self.usable, self.match))


def index_signers(
    policy: AppControlPolicy, uses: Iterable[SignerUse], direction: Direction, *, is_supplemental: bool
) -> SignerIndex:
    """Compile the signers of one list. A use of a signer that the policy does not hold is left out; `dangling_uses` finds it."""
    by_root: dict[tuple[RootKind, bytes], dict[str | None, list[CompiledSigner]]] = {}
    label, policy_id = policy.label, str(policy.policy_id)
    flight_off = Option.DISABLED_FLIGHT_SIGNING in policy.options
    kind = "allowed_signer" if direction is ALLOW else "denied_signer"
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
            flight_off=flight_off,
            dangling_attributes=_absent(policy, signer.file_attributes) if signer.file_attributes else (),
            dangling_exceptions=_absent(policy, use.exceptions) if use.exceptions else (),
            ref=RuleRef(
                policy=label,
                policy_id=policy_id,
                id=signer.id,
                kind=kind,
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
        direction=direction,
    )


def _rules(policy: AppControlPolicy, ids: Iterable[str]) -> RuleSet:
    return index_rules([policy.file_rules[id] for id in ids if id in policy.file_rules])


def _absent(policy: AppControlPolicy, ids: Iterable[str]) -> tuple[str, ...]:
    return tuple([id for id in ids if id not in policy.file_rules])
