"""From parsed arguments, variables and the configuration to the plan of a run, for `check` and `explain`."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from csv_gate import __version__
from csv_gate.cli.console import Console
from csv_gate.cli.parser import or_environment, text, texts
from csv_gate.config import Config, FailOn, LoadedConfig, find_config, load_config
from csv_gate.errors import ConfigError, Place, UsageError
from csv_gate.gate import Plan
from csv_gate.gate.configured import Asked, files_of, owners_of, targets_of
from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS, KIB
from csv_gate.model.context import CodeMode, Mode
from csv_gate.model.verdict import Level
from csv_gate.waivers import NO_WAIVERS, read_waivers

MAX_ROOTS_BYTES = 1024 * KIB
"""A file of root certificates."""


def load_settings(args: argparse.Namespace, console: Console) -> LoadedConfig:
    """The configuration with variables and flags laid over it.

    Raises:
        ConfigErrors: all its faults.
    """
    path = None if getattr(args, "no_config", False) else _config_path(text(args, "config"), console)
    flags: dict[str, str | tuple[str, ...]] = {}
    for key, name in (("include", "include"), ("exclude", "exclude"), ("catalogs", "catalog"), ("roots", "root")):
        if values := texts(args, name):
            flags[key] = values
    for key in ("fail_on", "jobs"):
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
    base = loaded.path.parent if loaded.path else Path.cwd()
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
        fail_on=None if config.fail_on is FailOn.NEVER else Level(config.fail_on.value),
        jobs=config.jobs,
        opens_containers=config.containers,
        is_cross_checked=bool(getattr(args, "cross_check", False)),
        config_sha256=loaded.sha256,
        owners=owners_of(config, base),
        waivers=NO_WAIVERS if config.waivers is None else read_waivers(config.waivers),
    )
    return Selection(plan=plan, config=config)


def _instant(written: str | None) -> datetime:
    if written is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError("this is no time", got=written, expected="RFC 3339, such as 2026-11-24T06:00:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_roots(path: Path) -> tuple[bytes, ...]:
    """The DER of each certificate of a file, PEM (any number) or DER (one).

    Raises:
        ConfigError: not readable, or no certificates.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    place = Place(path=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ROOTS_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"the root certificates cannot be read: {error.strerror or type(error).__name__}", place=place
        ) from error
    if len(data) > MAX_ROOTS_BYTES:
        raise ConfigError(
            "the file of root certificates is too large", place=place, expected=f"at most {MAX_ROOTS_BYTES} bytes"
        )
    try:
        if b"-----BEGIN" in data:
            return tuple(cert.public_bytes(Encoding.DER) for cert in x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data).public_bytes(Encoding.DER),)
    except ValueError as error:
        raise ConfigError("these are no certificates", place=place, expected="PEM or DER") from error
