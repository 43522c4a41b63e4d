"""The use-case: blocked artifacts in, one supplemental policy out, with what it promises and what it cannot mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from csv_gate.engine import CompiledPolicySet, compile_policy_set, with_supplemental
from csv_gate.errors import Place, UsageError
from csv_gate.model.appcontrol import AppControlPolicy, AppControlPolicySet, Option
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.guid import Guid
from csv_gate.model.verdict import Decision
from csv_gate.policies import read_policy, write_xml
from csv_gate.records import dataclass
from csv_gate.suggesting.levels import Level, Proposal
from csv_gate.suggesting.names import shown
from csv_gate.suggesting.supplemental import supplemental_of
from csv_gate.suggesting.trying import Trial, first_that_allows, levels_told, unmendable


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One artifact that is to run."""

    path: str
    facts: Facts
    context: AppControlContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the rules shall be made."""

    level: Level = Level.FILE_PUBLISHER
    fallbacks: tuple[Level, ...] = (Level.HASH,)
    base_id: Guid | None = None
    """Of the base to extend; needed where the set has several."""
    name: str | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        return (self.level, *self.fallbacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """An artifact that the suggested policy allows."""

    path: str
    level: Level
    notes: tuple[str, ...] = ()
    """Why no rule of an earlier level, and whose rule it is if not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promised:
    trial: Trial
    mended: Mended
    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmended:
    """An artifact that stays blocked."""

    path: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What came of it. `policy` is `None` where there is nothing to allow, or nothing that could be."""

    policy: AppControlPolicy | None
    xml: bytes
    """The policy as a file."""
    mended: tuple[Mended, ...]
    unmended: tuple[Unmended, ...]
    untouched: tuple[str, ...]
    """Paths of artifacts that run already, or that no policy governs."""
    caveats: tuple[str, ...] = ()


def suggest(policies: AppControlPolicySet, candidates: Iterable[Candidate], wish: Wish = Wish()) -> Suggestion:  # noqa: B008, frozen
    """Find, for each blocked artifact, the first level whose rules the engine honours, and put those rules into one policy.

    The result depends on the policies and on the set of candidates only, not on their order.

    Raises:
        UsageError: it is not clear which base to extend, or that base takes no supplemental policies.
    """
    base = _base(policies, wish.base_id)
    compiled = compile_policy_set(policies)
    proposals: dict[int, list[Proposal]] = {}
    promised: list[_Promised] = []
    without: list[tuple[Trial, Unmended]] = []
    unmended: list[Unmended] = []
    untouched: list[str] = []
    for candidate in sorted(candidates, key=lambda one: one.path):
        trial = Trial(compiled=compiled, base=base, facts=candidate.facts, context=candidate.context, path=candidate.path)
        verdict = trial.verdict()
        if verdict.decision in (Decision.ALLOWED, Decision.NOT_APPLICABLE):
            untouched.append(candidate.path)
            continue
        if (why := unmendable(verdict)) is not None:
            unmended.append(Unmended(path=candidate.path, why=(why,)))
            continue
        found = first_that_allows(trial, wish.levels)
        notes = tuple(levels_told(found.passed_over))
        if found.proposal is None or found.level is None:
            without.append((trial, Unmended(path=candidate.path, why=notes)))
            continue
        for value in trial.scenarios:
            proposals.setdefault(value, []).append(found.proposal)
        mended = Mended(path=candidate.path, level=found.level, notes=notes)
        promised.append(_Promised(trial=trial, mended=mended, proposal=found.proposal))
    if not promised:
        stay = sorted((*unmended, *(one for _, one in without)), key=lambda one: one.path)
        return Suggestion(policy=None, xml=b"", mended=(), unmended=tuple(stay), untouched=tuple(untouched))
    xml = write_xml(supplemental_of(base, proposals, name=wish.name))
    policy = read_policy(xml, path="suggested policy")
    extended = with_supplemental(compiled, policy)
    kept, lost = _as_read_back(extended, promised)
    for trial, one in without:
        if trial.under(extended).decision is Decision.ALLOWED:
            kept.append(_by_the_rule_of_another(trial, one, promised))
        else:
            lost.append(one)
    return Suggestion(
        policy=policy,
        xml=xml,
        mended=tuple(sorted(kept, key=lambda one: one.path)),
        unmended=tuple(sorted((*unmended, *lost), key=lambda one: one.path)),
        untouched=tuple(untouched),
        caveats=tuple(_caveats(base)),
    )


def _base(policies: AppControlPolicySet, wanted: Guid | None) -> AppControlPolicy:
    bases = [entry.base for entry in policies.bases if wanted is None or entry.base.policy_id == wanted]
    if len(bases) != 1:
        known = ", ".join(f"{{{str(entry.base.policy_id).upper()}}} {shown(entry.base.label)}" for entry in policies.bases)
        raise UsageError(
            "it is not clear which base policy to extend" if bases else "there is no base policy to extend",
            got=known or "no base policy",
            expected="one base policy, or the PolicyID of one of them",
        )
    base = bases[0]
    if Option.ALLOW_SUPPLEMENTAL_POLICIES not in base.options:
        raise UsageError(
            f"the base policy {shown(base.label)!r} takes no supplemental policies",
            place=Place(path=base.path),
            expected="option 17, Enabled:Allow Supplemental Policies",
            help="set option 17 in the base, or have its owner add rules to the base itself",
        )
    return base


def _caveats(base: AppControlPolicy) -> Iterator[str]:
    if base.signature is not None or Option.UNSIGNED_POLICY not in base.options:
        yield (
            f"the base {shown(base.label)!r} is a signed policy: it takes this one only when it is signed by one of its "
            "SupplementalPolicySigners"
        )


def _as_read_back(extended: CompiledPolicySet, promised: Sequence[_Promised]) -> tuple[list[Mended], list[Unmended]]:
    """What the written policy keeps of the promises. All of it, unless writing and reading changed a rule."""
    kept: list[Mended] = []
    lost: list[Unmended] = []
    for one in promised:
        verdict = one.trial.under(extended)
        if verdict.decision is Decision.ALLOWED:
            kept.append(one.mended)
        else:
            why = f"the written policy does not allow it: {shown(verdict.because)}"
            lost.append(Unmended(path=one.mended.path, why=(why,)))
    return kept, lost


def _by_the_rule_of_another(trial: Trial, one: Unmended, promised: Sequence[_Promised]) -> Mended:
    """What no rule of its own could be made for, and yet the written policy allows: a file without a version is one of any publisher
    rule that asks for none in particular."""
    other = next((other for other in promised if trial.with_proposal(other.proposal).decision is Decision.ALLOWED), promised[0])
    note = f"the rule for {shown(other.mended.path)} allows it too"
    return Mended(path=one.path, level=other.mended.level, notes=(*one.why, note))
