"""Files that no rule of a policy set can tell apart get one verdict, which is worked out once.

Most files of a build bear one of a few signatures and are named by no rule. Of such a file the engine reads its header, its signers, and
which digests it has; what the digests and names are, it only looks up among those of the rules. So two files of which the rules list
neither digest nor name are alike if all else that is read is equal.

Only what is allowed is kept: other verdicts tell of the file itself. Where a rule asks for more than digests and names (a version, a path,
the time of a signature), or a file has gaps, problems or page hashes, nothing is taken for alike. Which facts the engine reads at all is
held by a test that changes each of them under generated policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, Protocol

from csv_gate.engine.appcontrol.attributes import RuleSet
from csv_gate.engine.appcontrol.signers import SignerIndex
from csv_gate.engine.appcontrol.view import TAKEN, name_key
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts, PeFacts, SignatureFacts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records.rows import NamedTuple

MOST: Final = 512
"""Verdicts kept: more than a build has kinds of files. A full table is emptied."""
FEW: Final = 64
"""Files before what the rules ask for is put together: it takes as long as judging some of them."""

Key = tuple[object, ...]


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
    """The verdicts of one policy set. Threads may share it: at worst two of them work out the same verdict."""

    __slots__ = ("_asked", "_kept", "_scenarios", "_seen")

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        """All scenarios of all policies of the set."""
        self._scenarios = scenarios
        self._seen = 0
        self._asked: Asked | None = None
        self._kept: dict[Key, tuple[Verdict, Facts, AppControlContext]] = {}
        """What a key names by its identity is held by the facts beside it, so that no other object can have that identity."""

    def __reduce__(self) -> tuple[Callable[[Sequence[Scenario]], Alike], tuple[Sequence[Scenario]]]:
        """A copy begins empty: identities hold in one process and for these very objects."""
        return Alike, (self._scenarios,)

    def key(self, facts: Facts, context: AppControlContext, target: str) -> Key | None:
        """What is equal for alike files; `None`: it may be like no other."""
        self._seen += 1
        if self._seen == FEW:
            self._asked = asked_by(self._scenarios)
        asked, digests = self._asked, facts.digests
        if asked is None or digests is None or facts.pe is None or facts.format != "pe" or facts.gaps or facts.problems:
            return None
        taken = TAKEN(digests)
        if not asked.digests.isdisjoint(taken):
            return None
        if any((field, name_key(facts.version, field)) in asked.names for field in asked.fields):
            return None
        parts = [target, id(context), _HEADER(facts.pe), *[value is None for value in taken]]
        for signature in facts.signatures:
            if signature.problems or signature.page_hashes is not None or signature.key is not None:
                return None
            stamp = signature.timestamp
            if stamp is None:
                parts += (*_SIGNED(signature), None, None, None)
            elif stamp.problems:
                return None
            else:
                parts += (*_SIGNED(signature), stamp.valid, id(stamp.signer), id(stamp.chain))
            parts += (id(signature.signer), id(signature.chain))
        return tuple(parts)

    def get(self, key: Key) -> Verdict | None:
        """The verdict of a file with this key, if one was put in."""
        kept = self._kept.get(key)
        return None if kept is None else kept[0]

    def put(self, key: Key, verdict: Verdict, facts: Facts, context: AppControlContext) -> None:
        """Keep the verdict of these facts, if it holds for all that are like them."""
        if verdict.decision is not Decision.ALLOWED:
            return
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (verdict, facts, context)


_HEADER: Callable[[PeFacts], object] = attrgetter(
    "machine", "is_dll", "is_driver", "is_dotnet", "is_efi", "subsystem", "imports_kernel", "force_integrity"
)
"""All that a header says but how much lies behind the image."""
_SIGNED: Callable[[SignatureFacts], tuple[object, ...]] = attrgetter(
    "source._value_",
    "scheme._value_",
    "place",
    "digest_algorithm",
    "digest_matches",
    "valid",
    "program_name",
    "catalog_sha256",
    "role",
)
"""All that a signature says but its signer, its time, where more is told of the programme, and the digest that it is over."""
