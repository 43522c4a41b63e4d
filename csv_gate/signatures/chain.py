"""Chains: from a signer's certificate upward, through embedded certificates, to an anchor; every link verified by key.

Candidates for an issuer are found by name (octet for octet) and count only if their key made the signature; authority and subject key
identifiers, and issuer with serial, order them. All alternatives are walked: a rogue authority with equal names and another key never
becomes a link, and where several true chains exist the best one is told (an anchor before a stranger, true authorities before others,
then the order of digests) together with a problem that says so, since Windows may choose another.

A link that verifies says who issued, not that it should have: authority flags are problems, dates are left to whoever knows the time.
Not modelled: path length, name constraints, revocation, issuers that are neither embedded nor given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from csv_gate.limits import Limits
from csv_gate.model.facts import ChainEnd, ChainFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.anchors import Anchor
from csv_gate.signatures.certificate import Certificate
from csv_gate.signatures.keys import WEAK_DIGESTS, WEAK_RSA_BITS, read_key
from csv_gate.signatures.roots import Roots

MAX_LINKS: Final = 64
"""Signatures verified for one chain. A real one needs three; certificates that cross-sign each other could ask for any number."""
END_RANK: Final = {ChainEnd.KNOWN_ROOT: 0, ChainEnd.GIVEN_ROOT: 1, ChainEnd.SELF_SIGNED: 2, ChainEnd.INCOMPLETE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The best chain of one certificate, its problems, and its certificates for whoever checks dates."""

    facts: ChainFacts
    certificates: tuple[Certificate, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    certificates: tuple[Certificate, ...]
    end: ChainEnd
    anchor: Anchor | None
    is_anchor_embedded: bool = False

    @property
    def rank(self) -> tuple[object, ...]:
        strangers = sum(certificate.facts.is_ca is not True for certificate in self.certificates[1:])
        mismatches = sum(
            not _ids_agree(child, parent) for child, parent in zip(self.certificates, self.certificates[1:], strict=False)
        )
        digests = [certificate.facts.thumbprint_sha256 for certificate in self.certificates]
        return END_RANK[self.end], strangers, mismatches, len(digests), digests

    @property
    def identity(self) -> tuple[object, ...]:
        """Two paths with the same identity mean the same to a policy."""
        return tuple(
            certificate.facts.thumbprint_sha256 for certificate in self.certificates
        ), self.anchor and self.anchor.order


@lru_cache(maxsize=4096)
def _is_link(child: Certificate, parent: Certificate) -> bool:
    return child.is_signed_by(parent.key)


@lru_cache(maxsize=1024)
def _is_anchored(child: Certificate, spki: bytes) -> bool:
    return child.is_signed_by(read_key(spki))


def build_chain(leaf: Certificate, embedded: Sequence[Certificate], roots: Roots, limits: Limits) -> Chain:
    """The chain of `leaf`. `embedded` are the certificates that came along, in any order, attacker-controlled.

    The result depends on the set of certificates only, and is kept per process for the same leaf, set and roots. Never raises.
    """
    return _build(leaf, frozenset(embedded), roots, limits)


@lru_cache(maxsize=512)
def _build(leaf: Certificate, embedded: frozenset[Certificate], roots: Roots, limits: Limits) -> Chain:
    search = _Search(embedded=embedded, roots=roots, limits=limits)
    search.run(leaf)
    best = min(search.paths, key=lambda path: path.rank)
    problems = [*search.problems, *_strength_problems(best)]
    others = {path.identity for path in search.paths} - {best.identity}
    if others:
        detail = f"{len(others) + 1} different chains verify; the one with the best end is shown"
        problems.append(Problem(code=ProblemCode.CHAIN_AMBIGUOUS, detail=detail))
    if best.end is ChainEnd.INCOMPLETE and len(best.certificates) == 1:
        detail = f"no certificate of the issuer came along: {leaf.facts.issuer}"
        problems.append(Problem(code=ProblemCode.CHAIN_INCOMPLETE, detail=detail))
    if best.end is ChainEnd.SELF_SIGNED and len(best.certificates) == 1:
        problems.append(
            Problem(code=ProblemCode.CHAIN_SIGNER_IS_ROOT, detail=f"the signer signed itself: {leaf.facts.subject}")
        )
    facts = ChainFacts(
        certificates=tuple(certificate.facts for certificate in best.certificates),
        end=best.end,
        well_known_root=best.anchor.well_known if best.anchor else None,
        root_tbs=dict(best.anchor.tbs) if best.anchor and not best.is_anchor_embedded else {},
        root_sha256=best.anchor.thumbprint_sha256 if best.anchor and not best.is_anchor_embedded else None,
    )
    return Chain(facts=facts, certificates=best.certificates, problems=tuple(problems))


class _Search:
    """All chains of one leaf, walked with a list of what is open instead of recursion."""

    def __init__(self, *, embedded: frozenset[Certificate], roots: Roots, limits: Limits) -> None:
        self.roots = roots
        self.limits = limits
        self.by_subject: dict[bytes, list[Certificate]] = {}
        for certificate in sorted(embedded, key=lambda one: one.facts.thumbprint_sha256):
            self.by_subject.setdefault(certificate.subject, []).append(certificate)
        self.links_left = MAX_LINKS
        self.paths: list[_Path] = []
        self.problems: list[Problem] = []

    def run(self, leaf: Certificate) -> None:
        open_paths: list[tuple[Certificate, ...]] = [(leaf,)]
        while open_paths:
            open_paths.extend(self._grow(open_paths.pop()))

    def _grow(self, path: tuple[Certificate, ...]) -> list[tuple[Certificate, ...]]:
        """Close the path or name the longer ones."""
        top = path[-1]
        if top.issuer == top.subject and self._links(top, top):
            known = next((anchor for anchor in self.roots.named(top.subject) if anchor.spki == top.spki), None)
            end = ChainEnd.SELF_SIGNED if known is None else _end(known)
            self.paths.append(_Path(path, end, known, is_anchor_embedded=True))
            return []
        candidates = [one for one in self.by_subject.get(top.issuer, ()) if one not in path]
        if len(path) >= self.limits.max_chain_length and candidates:
            self._note(ProblemCode.CHAIN_TOO_LONG, f"more than {self.limits.max_chain_length} certificates")
            candidates = []
        issuers = [one for one in candidates if self._links(top, one)]
        anchors = self.roots.named(top.issuer)
        keys_at_hand = {one.spki for one in issuers if one.issuer == one.subject}
        ends = [one for one in anchors if one.spki not in keys_at_hand and _is_anchored(top, one.spki)]
        self.paths.extend(_Path(path, _end(anchor), anchor) for anchor in ends)
        if not issuers and not ends:
            self._note_dead_end(top, candidates, anchors)
            self.paths.append(_Path(path, ChainEnd.INCOMPLETE, None))
        for issuer in issuers:
            if issuer.facts.is_ca is not True and not (issuer.facts.is_ca is None and issuer.facts.is_self_issued):
                self._note(
                    ProblemCode.CHAIN_ISSUER_NOT_CA, f"no authority, but it issued a certificate: {issuer.facts.subject}"
                )
        return [(*path, issuer) for issuer in issuers]

    def _links(self, child: Certificate, parent: Certificate) -> bool:
        if self.links_left <= 0:
            self._note(ProblemCode.CHAIN_TOO_LONG, f"more than {MAX_LINKS} signatures to verify")
            return False
        self.links_left -= 1
        return _is_link(child, parent)

    def _note_dead_end(self, top: Certificate, candidates: Sequence[Certificate], anchors: Sequence[Anchor]) -> None:
        if (candidates or anchors) and self.links_left > 0:
            detail = f"nobody with the name of the issuer made the signature of: {top.facts.subject}"
            self._note(ProblemCode.CHAIN_LINK_INVALID, detail)
        if any(one.key.is_curve_unnamed for one in candidates):
            self._note(ProblemCode.CURVE_NOT_NAMED, f"the issuer's key spells out its curve: {top.facts.issuer}")

    def _note(self, code: ProblemCode, detail: str) -> None:
        problem = Problem(code=code, detail=detail)
        if problem not in self.problems:
            self.problems.append(problem)


def _end(anchor: Anchor) -> ChainEnd:
    return ChainEnd.GIVEN_ROOT if anchor.is_given else ChainEnd.KNOWN_ROOT


def _ids_agree(child: Certificate, parent: Certificate) -> bool:
    """Whether what the child says of its issuer fits the parent; what one of them leaves out does not count against it."""
    keys_agree = child.authority_key_id is None or parent.subject_key_id in (None, child.authority_key_id)
    return keys_agree and child.authority_serial in (None, parent.serial)


def _strength_problems(path: _Path) -> list[Problem]:
    problems = []
    for certificate in path.certificates:
        facts = certificate.facts
        if facts.tbs_algorithm in WEAK_DIGESTS and not (facts.is_self_issued and certificate is path.certificates[-1]):
            detail = f"signed with {facts.tbs_algorithm}: {facts.subject}"
            problems.append(Problem(code=ProblemCode.WEAK_CHAIN_DIGEST, detail=detail))
        if certificate.key.is_weak:
            detail = f"{facts.key_bits} bits, less than {WEAK_RSA_BITS}: {facts.subject}"
            problems.append(Problem(code=ProblemCode.WEAK_KEY, detail=detail))
    return problems
