"""From configuration to plan: targets with their policies read, contexts per path, owners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.config import Config, LoadedConfig, has_owners, owner_index
from csv_gate.errors import PolicyError, UsageError
from csv_gate.gate.asked import Asked, files_of
from csv_gate.gate.plan import NoOwners, Owners, Routes, Target, Uniform
from csv_gate.limits import Limits
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.policies import join_policies, load_policy
from csv_gate.records import dataclass

if TYPE_CHECKING:
    from csv_gate.config import Target as TargetSettings
    from csv_gate.requirements import RequirementSet

COMMAND_LINE_TARGET = "policy"
"""Name of the target that `--policy` makes where no configured one is named."""


def targets_of(loaded: LoadedConfig, asked: Asked) -> tuple[Target, ...]:
    """The targets of a run, sorted by name, with their policies read; none, where the configuration has requirements alone.

    `--policy` alone makes a target of its own; with one named target it takes the place of that target's policies.

    Raises:
        UsageError: no target, an unknown one, or several with one set of policies.
        ConfigError: a pattern for policies or catalogs means no file.
        PolicyError: a policy cannot be read.
    """
    if asked.policies and not asked.names:
        return _with_base((_from_command_line(asked),))
    chosen = _chosen(loaded, asked.names)
    if asked.policies and len(chosen) > 1:
        raise UsageError(
            "--policy replaces the policies of one target", got=f"{len(chosen)} targets", expected="one --target with --policy"
        )
    from csv_gate.gate.configured_routes import routes_of  # with what works out contexts behind it

    routes = routes_of(chosen, asked)
    targets = [target for settings, way in zip(chosen, routes, strict=True) for target in _versions(settings, way, asked)]
    return _with_base(tuple(targets))


def _from_command_line(asked: Asked) -> Target:
    context = AppControlContext(evaluated_at=asked.evaluated_at, mode=asked.mode or Mode.POLICY, code_mode=asked.code_mode)
    return Target(
        name=COMMAND_LINE_TARGET,
        policies=join_policies([load_policy(Path(path), asked.limits) for path in asked.policies]),
        routes=Uniform(context),
        is_enforced=context.mode is Mode.ENFORCE,
    )


def _chosen(loaded: LoadedConfig, names: Sequence[str]) -> tuple[TargetSettings, ...]:
    known = loaded.config.targets
    if not known and not names and loaded.config.requirements:
        return ()
    if not known:
        where = f"{loaded.path} names none" if loaded.path else "there is no csv-gate.yaml and no --policy"
        raise UsageError(
            "there is no target to judge for",
            got=where,
            expected="a policy: `--policy FILE`, or `targets:` or `requirements:` in csv-gate.yaml",
            help="`csv-gate check build/ --policy SiPolicy.xml` needs no configuration",
        )
    for name in names:
        if name not in known:
            raise UsageError("there is no such target", got=name, expected=", ".join(sorted(known)))
    return tuple(known[name] for name in sorted(set(names) or known))


def _versions(settings: TargetSettings, routes: Routes, asked: Asked) -> Iterable[Target]:
    """The target as it is to be, and one more for each other version of its policies that is still live."""
    mode = asked.mode or settings.mode
    catalogs = tuple(str(path) for path in files_of(settings.catalogs, "catalogs", settings.place))

    def target(name: str, paths: Sequence[Path], version_of: str | None = None) -> Target:
        return Target(
            name=name,
            engine=settings.engine.value,
            policies=join_policies([load_policy(path, asked.limits) for path in paths]),
            routes=routes,
            is_enforced=mode is Mode.ENFORCE,
            catalogs=catalogs,
            version_of=version_of,
        )

    if asked.policies:
        yield target(settings.name, [Path(path) for path in asked.policies])
        return
    yield target(settings.name, files_of(settings.policies, "policies", settings.place))
    for version in settings.also:
        yield target(f"{settings.name}@{version.name}", files_of(version.policies, "policies", version.place), settings.name)


def owners_of(config: Config, root: Path) -> Owners:
    """Who owns what, by all the sources that the configuration names and those that lie where forges look for them."""
    return owner_index(config, root) if has_owners(config, root) else NoOwners()


def _with_base(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Raises PolicyError where a target has no base policy: the rest judges nothing, and nothing would be blocked."""
    for target in targets:
        if not target.policies.bases:
            kinds = ", ".join(sorted({policy.kind.value for policy in target.policies.policies}))
            raise PolicyError(
                f"the policies of target {target.name!r} have no base policy among them",
                got=kinds or "none",
                expected="at least one base policy",
                help="a supplemental policy only extends a base: give the base too",
            )
    return targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """What a configuration asks of signatures."""

    sets: tuple[RequirementSet, ...] = ()
    catalogs: tuple[str, ...] = ()
    """Files that sets name."""


def required_of(config: Config, limits: Limits) -> Required:
    """The requirements of a configuration; what reads them is loaded only where there are any.

    Raises:
        ConfigError: a catalog that a set names is not there or cannot be read.
    """
    if not config.requirements:
        return Required()
    from csv_gate.gate.requirement_sets import requirement_catalogs, requirements_of

    return Required(sets=requirements_of(config, limits), catalogs=requirement_catalogs(config))
