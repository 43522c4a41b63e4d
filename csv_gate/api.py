"""For programs: load policies, read facts, evaluate, check a whole build output, suggest rules. The command line is not involved.

Everything here is also found under `csv_gate` itself, loaded when it is first asked for. All errors are `GateError`s. Values are frozen and
may be shared between threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from csv_gate import __version__, engine
from csv_gate.config import FailOn, load_config
from csv_gate.engine import CompiledPolicySet, compile_policy_set
from csv_gate.errors import (
    ArtifactError,
    ConfigError,
    GateError,
    NoArtifactsError,
    PolicyError,
    UsageError,
)
from csv_gate.gate import Plan, SpooledResult
from csv_gate.gate import run as run_plan
from csv_gate.gate.anchors import read_openpgp_keys, read_roots
from csv_gate.gate.asked import Asked, files_of
from csv_gate.gate.configured import owners_of, required_of, targets_of
from csv_gate.gate.inspection import inspect
from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.model.facts import Artifact, Facts
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.policies import join_policies, load_policy
from csv_gate.suggesting import Candidate, Suggestion, Wish
from csv_gate.suggesting import Level as RuleLevel
from csv_gate.suggesting import suggest as suggest_rules
from csv_gate.waivers import NO_WAIVERS, read_waivers

__all__ = [
    "AppControlContext",
    "Artifact",
    "ArtifactError",
    "ArtifactResult",
    "CodeMode",
    "CompiledPolicySet",
    "ConfigError",
    "Decision",
    "Facts",
    "Finding",
    "GateError",
    "Level",
    "Limits",
    "Mode",
    "NoArtifactsError",
    "PolicyError",
    "RuleLevel",
    "SpooledResult",
    "Suggestion",
    "UsageError",
    "Verdict",
    "check",
    "evaluate",
    "extract_facts",
    "load_policies",
    "suggest",
]

PathLike = str | os.PathLike[str]
TARGET = "policy"
"""Name that verdicts bear where the caller names no target."""


def load_policies(*paths: PathLike, limits: Limits = DEFAULT_LIMITS) -> CompiledPolicySet:
    """Read App Control policies, XML or compiled or signed, and make one set of them, ready for judging any number of artifacts.

    Every base of the set must allow an artifact, each together with its own supplementals. `source` of the result is the set as read.

    Raises:
        PolicyError: a file cannot be read as a policy, or no base policy is among them.
    """
    policies = join_policies([load_policy(Path(path), limits) for path in paths])
    if not policies.bases:
        raise PolicyError(
            "the policies have no base policy among them",
            got=", ".join(sorted({policy.kind.value for policy in policies.policies})) or "no policy",
            expected="at least one base policy",
        )
    return compile_policy_set(policies)


def extract_facts(
    path: PathLike,
    *,
    catalogs: Sequence[PathLike] = (),
    roots: Sequence[bytes] = (),
    openpgp_keys: Sequence[bytes] = (),
    sigstore_root: PathLike | None = None,
) -> Facts:
    """Everything that the bytes of one file say: format, digests, version resource, signatures with their chains and time stamps.

    `catalogs` are security catalogs that may list the file; `roots` are further root certificates, DER; `openpgp_keys` are files of
    public keys, armored or binary, as bytes; `sigstore_root` is a `trusted_root.json`. Signatures that lie beside the file are among its
    own. A file that cannot be read gives facts whose `gaps` say so; what the file holds is
    attacker-controlled, and so is every string in the result.

    Raises:
        UsageError: the path does not exist, or is a folder.
        ConfigError: a catalog, root or key cannot be used.
    """
    if Path(path).is_dir():
        raise UsageError("facts are those of one file", got=f"the folder {os.fspath(path)}", expected="a file")
    (artifact,) = inspect(
        [os.fspath(path)],
        catalogs=[os.fspath(catalog) for catalog in catalogs],
        given_roots=tuple(roots),
        given_openpgp_keys=tuple(openpgp_keys),
        sigstore_root=None if sigstore_root is None else Path(sigstore_root),
        opens_containers=False,
    )
    return artifact.facts


def evaluate(
    facts: Facts, policies: CompiledPolicySet, context: AppControlContext | None = None, *, target: str = TARGET
) -> Verdict:
    """What a target with these policies does with an artifact: allowed, denied, undecided or not applicable, and why.

    `context` says what the bytes cannot tell: where the file is installed, kernel or user mode, the instant; none: nothing is told, now.
    """
    return engine.evaluate(facts, policies, context or AppControlContext(evaluated_at=_now()), target=target)


def check(
    paths: PathLike | Iterable[PathLike],
    *,
    policies: Sequence[PathLike] = (),
    config: PathLike | None = None,
    targets: Sequence[str] = (),
    mode: Mode | None = None,
    fail_on: str | None = None,
    evaluated_at: datetime | None = None,
    jobs: int | None = None,
) -> SpooledResult:
    """Judge a whole build output, as `csv-gate check` does, and return the result. Use it as a context manager, or close it.

    Either `policies`, which make one set, or `config`, the path of a `csv-gate.yaml` with targets; no configuration is looked for, and
    no environment variable counts. `fail_on` (`error`, `warning`, `note`, `never`) and `jobs` (processes) go before what `config` says.
    `summary.exit_code` of the result is what the command line would return.

    Raises:
        NoArtifactsError: nothing here is judged by any target.
        UsageError: a path does not exist, there is neither policy nor target, an unknown target.
        ConfigError: faults of the configuration; as `ConfigErrors`, all at once.
        PolicyError: a policy cannot be read.
    """
    flags = {"fail_on": fail_on, "jobs": None if jobs is None else str(jobs)}
    given = {key: value for key, value in flags.items() if value is not None}
    with_config = load_config(None if config is None else Path(config), flags=given)
    settings = with_config.config
    instant = evaluated_at or _now()
    base = Path(config).parent if config is not None else Path.cwd()
    required = required_of(settings, DEFAULT_LIMITS)
    plan = Plan(
        inputs=tuple(os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)),
        targets=targets_of(
            with_config,
            Asked(
                evaluated_at=instant,
                names=tuple(targets),
                policies=tuple(os.fspath(path) for path in policies),
                mode=mode,
                limits=DEFAULT_LIMITS,
            ),
        ),
        evaluated_at=instant,
        tool_version=__version__,
        base=base,
        include=GlobSet(settings.include),
        exclude=GlobSet(settings.exclude),
        catalogs=tuple(str(path) for path in files_of(settings.catalogs, "catalogs", with_config.origins.get("catalogs"))),
        given_roots=tuple(der for path in settings.roots for der in read_roots(path)),
        given_openpgp_keys=tuple(read_openpgp_keys(path) for path in settings.openpgp_keys),
        sigstore_root=settings.sigstore_root,
        fail_on=None if settings.fail_on is FailOn.NEVER else Level(settings.fail_on.value),
        jobs=settings.jobs,
        opens_containers=settings.containers,
        takes_all_digests=True,
        config_sha256=with_config.sha256,
        owners=owners_of(settings, base),
        waivers=NO_WAIVERS if settings.waivers is None else read_waivers(settings.waivers),
        requirements=required.sets,
        requirement_catalogs=required.catalogs,
    )
    return run_plan(plan)


def suggest(
    policies: CompiledPolicySet,
    files: Iterable[PathLike],
    *,
    level: RuleLevel = RuleLevel.FILE_PUBLISHER,
    fallbacks: Sequence[RuleLevel] = (RuleLevel.HASH,),
    context: AppControlContext | None = None,
) -> Suggestion:
    """The supplemental policy that would let blocked files run, as `csv-gate suggest` makes it; `xml` of the result is the policy file.

    Raises:
        UsageError: a path is no file; it is not clear which base to extend, or it takes no supplemental policies.
    """
    context = context or AppControlContext(evaluated_at=_now())
    candidates = [Candidate(path=os.fspath(path), facts=extract_facts(path), context=context) for path in files]
    return suggest_rules(policies.source, candidates, Wish(level=level, fallbacks=tuple(fallbacks)))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
