"""From parsed arguments, variables and the configuration to the plan of a run, for `check` and `explain`."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from csv_gate import __version__
from csv_gate.cli.console import Console
from csv_gate.cli.parser import or_environment, text, texts
from csv_gate.config import Config, FailOn, LoadedConfig, find_config, load_config
from csv_gate.errors import UsageError
from csv_gate.gate import Plan
from csv_gate.gate.anchors import read_openpgp_keys, read_roots
from csv_gate.gate.asked import Asked, files_of
from csv_gate.gate.configured import owners_of, required_of, targets_of
from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.context import CodeMode, Mode
from csv_gate.model.result import Shard
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass
from csv_gate.store.location import cache_folder
from csv_gate.waivers import NO_WAIVERS, WaiverFile

_REPEATED = (
    ("include", "include"),
    ("exclude", "exclude"),
    ("catalogs", "catalog"),
    ("roots", "root"),
    ("openpgp_keys", "openpgp_key"),
)
"""Field of the configuration, and the flag that takes its place."""


def load_settings(args: argparse.Namespace, console: Console) -> LoadedConfig:
    """The configuration with variables and flags laid over it.

    Raises:
        ConfigErrors: all its faults.
    """
    path = None if getattr(args, "no_config", False) else _config_path(text(args, "config"), console)
    flags: dict[str, str | tuple[str, ...]] = {}
    for key, name in _REPEATED:
        if values := texts(args, name):
            flags[key] = values
    for key in ("fail_on", "jobs", "sigstore_root", "waivers"):
        if (value := text(args, key)) is not None:
            flags[key] = value
    if getattr(args, "no_containers", False):
        flags["containers"] = "false"
    return load_config(path, environment=console.environment, flags=flags)


def _config_path(named: str | None, console: Console) -> Path | None:
    named = named or console.environment.get("CSV_GATE_CONFIG")
    if named:
        return Path(named)
    # Found by its whole path; told, like all that it names, as one would write it from here.
    found = find_config(Path.cwd())
    return None if found is None else Path(os.path.relpath(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a command line and its configuration come to."""

    plan: Plan
    config: Config


def select(args: argparse.Namespace, console: Console, inputs: tuple[str, ...]) -> Selection:
    """The plan of a run.

    Raises:
        UsageError: no input, no target, a wrong time.
        ConfigErrors: faults of the configuration.
        PolicyError: a policy cannot be read, or the set has no base.
    """
    loaded = load_settings(args, console)
    config = loaded.config
    evaluated_at = _instant(text(args, "evaluated_at"))
    code_mode = CodeMode.KERNEL if args.kernel else CodeMode.USER if args.user else None
    mode = text(args, "mode") or console.environment.get("CSV_GATE_MODE")
    if mode is not None and mode not in set(Mode):
        raise UsageError("there is no such mode", got=mode, expected=", ".join(Mode))
    targets = targets_of(
        loaded,
        Asked(
            evaluated_at=evaluated_at,
            names=or_environment(texts(args, "target"), console.environment, "CSV_GATE_TARGET"),
            policies=or_environment(texts(args, "policy"), console.environment, "CSV_GATE_POLICY"),
            mode=Mode(mode) if mode else None,
            code_mode=code_mode,
            limits=DEFAULT_LIMITS,
        ),
    )
    paths = inputs or tuple(str(path) for path in config.inputs)
    if not paths:
        raise UsageError(
            "there is no path to check",
            expected="files or folders, or `inputs:` in csv-gate.yaml",
            help="csv-gate check build/",
        )
    kept = _kept(args, console)
    base = loaded.path.parent if loaded.path else Path.cwd()
    required = required_of(config, DEFAULT_LIMITS)
    plan = Plan(
        inputs=paths,
        targets=targets,
        evaluated_at=evaluated_at,
        tool_version=__version__,
        base=base,
        include=GlobSet(config.include),
        exclude=GlobSet(config.exclude),
        catalogs=tuple(str(path) for path in files_of(config.catalogs, "catalogs", loaded.origins.get("catalogs"))),
        given_roots=tuple(der for path in config.roots for der in read_roots(path)),
        given_openpgp_keys=tuple(read_openpgp_keys(path) for path in config.openpgp_keys),
        sigstore_root=config.sigstore_root,
        fail_on=None if config.fail_on is FailOn.NEVER else Level(config.fail_on.value),
        jobs=config.jobs,
        opens_containers=config.containers,
        is_cross_checked=bool(getattr(args, "cross_check", False)),
        takes_all_digests=bool(getattr(args, "all_digests", False)),
        config_sha256=loaded.sha256,
        owners=owners_of(config, base),
        waivers=_waivers(config.waivers, text(args, "waivers_from") or console.environment.get("CSV_GATE_WAIVERS_FROM")),
        kept_facts=None if kept == "off" else cache_folder(console.environment),
        trusts_files=kept == "trust-files",
        shard=_shard(text(args, "shard")),
        requirements=required.sets,
        requirement_catalogs=required.catalogs,
    )
    return Selection(plan=plan, config=config)


def _waivers(path: Path | None, ref: str | None) -> WaiverFile:
    if ref and path is None:
        raise UsageError(
            "waivers are to be read from a ref, and no waiver file is named",
            got=f"--waivers-from {ref}",
            expected="`waivers:` in csv-gate.yaml, or --waivers FILE",
        )
    if path is None:
        return NO_WAIVERS
    from csv_gate.waivers import read_waivers, read_waivers_at

    return read_waivers_at(ref, path) if ref else read_waivers(path)


def _shard(written: str | None) -> Shard | None:
    if written is None:
        return None
    from csv_gate.gate.shards import read_shard

    return read_shard(written)


def _kept(args: argparse.Namespace, console: Console) -> str:
    """How facts are kept between runs. Verbs without the option keep none."""
    if getattr(args, "no_cache", True):
        return "off"
    kept = text(args, "cache") or console.environment.get("CSV_GATE_CACHE") or "content"
    if kept not in ("content", "trust-files", "off"):
        raise UsageError("CSV_GATE_CACHE has a wrong value", got=kept, expected="content, trust-files or off")
    return kept


def _instant(written: str | None) -> datetime:
    if written is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError("this is no time", got=written, expected="RFC 3339, such as 2026-11-24T06:00:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
