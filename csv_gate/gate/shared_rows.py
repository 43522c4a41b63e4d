"""Rows of files that no target can tell apart: worked out for the first of them, and for the others filled with what is theirs.

Most of a build is allowed by one of a few signers, and such rows differ in path, size, digests, names and times alone. Only where facts
were kept is known what a file has in common with others; where that is read from its bytes, the rest costs nothing beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from csv_gate.gate.engines import Evaluate
from csv_gate.gate.judged import Row
from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.tally import Count, count
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.result import ArtifactResult, Owner
from csv_gate.model.split_facts import SplitFacts
from csv_gate.records.rows import NamedTuple
from csv_gate.report.artifact_line import ArtifactLines, Frame

MOST: Final = 512
"""Rows kept; more than a build has kinds of files. A full table is emptied."""

Contexts = tuple[AppControlContext | None, ...]
_Key = tuple[int, Owner | None, tuple[int, ...]]


class _Shared(NamedTuple):
    frame: Frame
    counted: Count
    shape: Facts
    contexts: Contexts
    """Both are named by their identity in the key, which no other object gets as long as they are held here."""


class SharedRows:
    """The rows of one process."""

    def __init__(self, plan: Plan, targets: Sequence[tuple[Target, Evaluate]], lines: ArtifactLines) -> None:
        self._owners, self._fail_on = plan.owners, plan.fail_on
        self._targets = targets
        self._lines = lines
        self._kept: dict[_Key, _Shared] = {}
        self._are_told_apart = bool(plan.requirements or plan.waivers.waivers)
        """Requirements and waivers ask for paths and digests."""

    def row(self, path: str, scope: str, facts: SplitFacts) -> Row | None:
        """The row of a file like one that was learnt; `None`: it must be judged."""
        if not self._kept:
            return None
        contexts = self._contexts(scope)
        shared = self._kept.get(self._key(scope, facts, contexts))
        if shared is None or not all(
            evaluate.lists_none_of(facts)
            for (_, evaluate), context in zip(self._targets, contexts, strict=True)
            if context is not None
        ):
            return None
        return shared.frame.line(path, facts.size, facts.own), shared.counted

    def learn(self, scope: str, facts: SplitFacts, result: ArtifactResult) -> None:
        """Keep what a file was judged to be, if that holds for all that are like it."""
        if self._are_told_apart or result.findings or result.artifact.facts.gaps or not result.verdicts:
            return
        contexts = self._contexts(scope)
        asked = [evaluate for (_, evaluate), context in zip(self._targets, contexts, strict=True) if context is not None]
        if not all(evaluate.is_shared(verdict, facts) for evaluate, verdict in zip(asked, result.verdicts, strict=True)):
            return
        frame = self._lines.frame(result)
        if frame is None:
            return
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[self._key(scope, facts, contexts)] = _Shared(frame, count(result, self._fail_on), facts.shape, contexts)

    def _contexts(self, scope: str) -> Contexts:
        return tuple([target.routes.context_for(scope) for target, _ in self._targets])

    def _key(self, scope: str, facts: SplitFacts, contexts: Contexts) -> _Key:
        return id(facts.shape), self._owners.owner_of(scope, facts.own[0]), tuple(map(id, contexts))
