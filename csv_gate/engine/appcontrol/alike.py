"""Files that no rule of a policy set can tell apart: what is said of one of them holds for all.

Most files of a build bear one of a few signatures and are named by no rule. Of an image's own values the engine only looks up digests and
names among those of the rules, and the time of a signature where a signer asks for it. So two files of one shape, whose digests and names
no rule lists, have the same verdict, but for what a verdict tells of the file itself; one that allows tells nothing of it.

Where a rule asks for more than digests and names (a version, a path, the time of a signature), or a file has gaps, problems or page
hashes, nothing is taken for alike. That the engine reads no own value beside these is held by a test that changes each of them under
generated policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from csv_gate.engine.appcontrol.attributes import RuleSet
from csv_gate.engine.appcontrol.signers import SignerIndex
from csv_gate.engine.appcontrol.view import name_key
from csv_gate.model.facts import Facts, SignatureFacts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records.rows import NamedTuple

if TYPE_CHECKING:
    from csv_gate.model.split_facts import SplitFacts

FEW: Final = 64
"""Files before what the rules ask for is put together: it takes as long as judging some of them."""


class Asked(NamedTuple):
    """What the file rules of a set look up, whatever they are used for."""

    digests: frozenset[str]
    names: frozenset[tuple[int, str]]
    """Field and wide key."""
    fields: tuple[int, ...]
    """Those that are in `names`."""


class Scenario(Protocol):
    """The rules of one, whether its policy counts or not."""

    @property
    def allow(self) -> RuleSet: ...
    @property
    def deny(self) -> RuleSet: ...
    @property
    def allowed_signers(self) -> SignerIndex: ...
    @property
    def denied_signers(self) -> SignerIndex: ...


def asked_by(scenarios: Iterable[Scenario]) -> Asked | None:
    """What their rules can ask of a file; `None`: more than digests and names."""
    sets: list[RuleSet] = []
    for scenario in scenarios:
        sets += [scenario.allow, scenario.deny]
        for signer in chain(scenario.allowed_signers.all_signers, scenario.denied_signers.all_signers):
            if signer.signer.sign_time_after is not None:
                return None
            sets += [rules for rules in (signer.attributes, signer.exceptions) if rules is not None]
    if any(rules.others for rules in sets):
        return None
    return Asked(
        digests=frozenset[str]().union(*(rules.hashes.rules for rules in sets)),
        names=frozenset[tuple[int, str]]().union(*(rules.by_name for rules in sets)),
        fields=tuple(sorted({field for rules in sets for field in rules.named})),
    )


class Alike:
    """Tells which files the rules of one policy set cannot tell apart."""

    __slots__ = ("_asked", "_scenarios", "_seen")

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        """All scenarios of all policies of the set."""
        self._scenarios = scenarios
        self._seen = 0
        self._asked: Asked | None = None

    def lists_none_of(self, facts: SplitFacts) -> bool:
        """Whether no rule can ask for an own value of the file. False in doubt, and for the first few files."""
        self._seen += 1
        if self._seen == FEW:
            self._asked = asked_by(self._scenarios)
        asked = self._asked
        if asked is None or not asked.digests.isdisjoint(facts.own):
            return False
        if not asked.fields:
            return True
        version = facts.version()
        return not any((field, name_key(version, field)) in asked.names for field in asked.fields)

    def is_shared(self, verdict: Verdict, facts: SplitFacts) -> bool:
        """Whether the verdict of this file is that of each other one of its shape, in the same context, of which the rules list nothing."""
        return verdict.decision is Decision.ALLOWED and _is_plain(facts.shape) and self.lists_none_of(facts)


def _is_plain(shape: Facts) -> bool:
    return shape.format == "pe" and not (shape.gaps or shape.problems) and all(map(_is_plainly_signed, shape.signatures))


def _is_plainly_signed(signature: SignatureFacts) -> bool:
    stamp = signature.timestamp
    is_odd = signature.problems or signature.page_hashes is not None or signature.key is not None
    return not (is_odd or (stamp is not None and stamp.problems))
