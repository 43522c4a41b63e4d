"""What the rules of one scenario say of an artifact: every rule that matches or may match, best first."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.engine.appcontrol.compiled import CompiledPolicy, CompiledScenario
from csv_gate.engine.appcontrol.truth import (
    ALLOW,
    DENY,
    FACT,
    FALSE,
    NOT_SPECIFIED,
    OPEN,
    YES,
    Answer,
    Direction,
    Truth,
    all_of,
    unknown,
)
from csv_gate.engine.appcontrol.usability import hidden_signers
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.model.appcontrol import FileRule
from csv_gate.model.facts import SignatureFacts, SignatureSource
from csv_gate.model.verdict import RuleRef
from csv_gate.records import dataclass
from csv_gate.records.rows import NamedTuple

_CATALOG = SignatureSource.CATALOG
_BESIDE_CATALOGS = {source: f"by the {source} signature" for source in SignatureSource}


class Hit(NamedTuple):
    """A rule that matches (yes) or may match (unknown)."""

    rule: RuleRef | None
    answer: Answer
    direction: Direction
    is_package_rule: bool = False
    is_signer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenHit:
    """A signer rule that matches by a signature that does not count."""

    rule: RuleRef
    why: str
    signature: SignatureFacts


class Hits(NamedTuple):
    found: tuple[Hit, ...]
    """Sure ones first."""
    broken: tuple[BrokenHit, ...] = ()

    @property
    def truth(self) -> Truth:
        return max((hit.answer.truth for hit in self.found), default=FALSE)

    @property
    def best(self) -> Hit | None:
        return self.found[0] if self.found else None

    @property
    def doubts(self) -> Answer:
        """The doubts of what is unknown, joined."""
        return all_of([hit.answer for hit in self.found if hit.answer.truth is OPEN]) if self.found else YES


def rule_ref(entry: CompiledPolicy, rule: FileRule) -> RuleRef:
    """Name a file rule for people."""
    kind = (
        "hash"
        if rule.hash is not None
        else "path"
        if rule.file_path is not None
        else "package"
        if rule.package_family_name
        else "attributes"
    )
    direction = ("deny", "allow", "attribute")[rule.kind]
    return RuleRef(
        policy=entry.label,
        policy_id=entry.policy_id,
        id=rule.id,
        kind=f"{direction}_{kind}",
        name=rule.friendly_name or rule.file_name or rule.file_path,
        place=rule.place,
    )


def collect(entry: CompiledPolicy, scenario: CompiledScenario, view: ArtifactView, direction: Direction) -> Hits:
    """All hits of one policy's scenario in one direction, sorted: sure before unknown, file rules before signers, then by id."""
    found: list[Hit] = []
    broken: list[BrokenHit] = []
    rules = scenario.allow if direction is ALLOW else scenario.deny
    for rule, answer in rules.matches(view, direction):
        found.append(Hit(rule_ref(entry, rule), answer, direction, is_package_rule=rule.package_family_name is not None))
    signers = scenario.allowed_signers if direction is ALLOW else scenario.denied_signers
    for hit in () if signers.is_empty else signers.matches(view, scenario.scenario.minimum_hash_algorithm):
        answer = hit.answer
        ref = hit.compiled.ref
        if answer.truth is FALSE:
            broken.append(BrokenHit(rule=ref, why=hit.usable.why, signature=hit.signature))
            continue
        if direction is ALLOW and hit.signature.source is _CATALOG and scenario.has_artifact_rules:
            answer = all_of((answer, unknown(NOT_SPECIFIED, "how Windows applies artifact rules to a catalog")))
        source = _source(hit.signature)
        why = f"{source}: {answer.why}" if answer.why else source
        found.append(Hit(ref, Answer(answer.truth, why, answer.doubts), direction, is_signer=True))
    dangling = scenario.dangling_allow if direction is ALLOW else scenario.dangling_deny
    if dangling:
        found.append(Hit(rule=None, direction=direction, answer=_not_defined(entry, dangling)))
    if not signers.is_empty and (view.signatures_gap is not None or direction is DENY):
        found.extend(_unseen(view, direction))
    if len(found) > 1:
        found.sort(key=lambda one: (-one.answer.truth, one.is_signer, one.rule.id if one.rule else "", one.answer.why))
    if len(broken) > 1:
        broken.sort(key=lambda one: (one.rule.id, one.why))
    return Hits(found=tuple(found), broken=tuple(broken))


def _source(signature: SignatureFacts) -> str:
    if signature.source is _CATALOG:
        return f"by the catalog {signature.place!r}"
    return _BESIDE_CATALOGS[signature.source]


def _unseen(view: ArtifactView, direction: Direction) -> Iterator[Hit]:
    """For signers that could not even be compared."""
    if view.signatures_gap is not None:
        yield Hit(
            rule=None, direction=direction, is_signer=True, answer=unknown(FACT, f"its signatures ({view.signatures_gap})")
        )
    if direction is DENY:
        for what in dict.fromkeys(hidden_signers(signature) for signature in view.signatures):
            if what is not None:
                yield Hit(rule=None, direction=direction, is_signer=True, answer=unknown(NOT_SPECIFIED, what))


def _not_defined(entry: CompiledPolicy, dangling: tuple[str, ...]) -> Answer:
    what = f"what {', '.join(dangling[:5])} would say, which {entry.label!r} refers to and does not define"
    return unknown(NOT_SPECIFIED, what)
