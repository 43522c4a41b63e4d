"""Facts without verdicts: for people who look at one file, and for tools that want the facts alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from csv_gate.gate.anchors import roots_with
from csv_gate.gate.artifact_facts import ArtifactFacts
from csv_gate.gate.catalogs import read_catalogs
from csv_gate.gate.plan import Plan
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import Artifact
from csv_gate.scan import walk

_NO_INSTANT = datetime.fromtimestamp(0, UTC)
"""Facts do not depend on when they are read."""


def inspect(
    inputs: Sequence[str],
    *,
    catalogs: Sequence[str] = (),
    given_roots: tuple[bytes, ...] = (),
    given_openpgp_keys: tuple[bytes, ...] = (),
    sigstore_root: Path | None = None,
    opens_containers: bool = True,
) -> Iterator[Artifact]:
    """The facts of each file at and below the inputs and, if containers are opened, of what is in them, sorted by path.

    Catalogs sign what they list only where they are given.

    Raises:
        UsageError: an input does not exist.
        ConfigError: a given catalog cannot be read.
    """
    roots = roots_with(given_roots)
    read = read_catalogs((), catalogs, (), roots=roots, limits=DEFAULT_LIMITS)
    plan = Plan(
        inputs=tuple(inputs),
        targets=(),
        evaluated_at=_NO_INSTANT,
        tool_version="",
        given_roots=given_roots,
        given_openpgp_keys=given_openpgp_keys,
        sigstore_root=sigstore_root,
        opens_containers=opens_containers,
        takes_all_digests=True,
    )
    facts = ArtifactFacts(plan, read)
    for entry in walk(inputs, limits=DEFAULT_LIMITS).entries:
        for known in facts.read(entry, None):
            yield Artifact(path=known.path, facts=known.facts)
