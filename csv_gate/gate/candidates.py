"""What a run saw of each artifact, and where a target puts it: for use-cases that judge the same artifacts once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from csv_gate.gate.plan import Plan, Target
from csv_gate.gate.run import run
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Artifact
from csv_gate.records import replace
from csv_gate.scan import walk

MEMBER = "!/"
"""Between a container and its member in the path of an artifact."""


def candidates(plan: Plan, target: Target) -> Iterator[tuple[Artifact, AppControlContext]]:
    """Every artifact that the target gets, sorted by path, with its context there.

    Raises:
        NoArtifactsError, UsageError, ConfigError, StoreError: as `run`.
    """
    listed = walk(plan.inputs, include=plan.include, exclude=plan.exclude, base=plan.base, limits=plan.limits)
    scopes = {entry.path: entry.scope for entry in listed.entries}
    with run(replace(plan, targets=(target,), requirements=())) as result:
        for row in result.artifacts:
            context = target.routes.context_for(_scope(row.artifact.path, scopes))
            if context is not None:
                yield row.artifact, context


def _scope(path: str, scopes: Mapping[str, str]) -> str:
    """The path that patterns are matched with; a member is below its container in both."""
    if path in scopes:
        return scopes[path]
    outer, mark, inner = path.partition(MEMBER)
    return scopes.get(outer, outer) + mark + inner
