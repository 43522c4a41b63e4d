"""Per artifact: what a target's configuration says of one path. Pure; files it needs are read before and handed in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from csv_gate.config.targets import SHA256, InstallPath, Override, Target, TargetContext
from csv_gate.config.windows_paths import is_plain_name
from csv_gate.errors import ConfigError, Place
from csv_gate.lazy import regex
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.records import fields

TrustedRoots = Mapping[Path, frozenset[str]]
"""What `read_trusted_roots` gave for each file that targets name."""

_NONE: TrustedRoots = MappingProxyType({})
MAX_ROOTS_BYTES = 8 * 1024 * 1024
"""The whole AuthRoot programme as PEM has about 1 MB."""


def context_for(
    target: Target,
    path: str,
    *,
    evaluated_at: datetime,
    mode: Mode | None = None,
    trusted_roots: TrustedRoots = _NONE,
) -> AppControlContext:
    """The context that judges one artifact (path relative to the tree's root, attacker-controlled).

    Of `install_paths` the longest `from` wins; of `code_mode` the last match; overrides are laid over the target's own values in their
    order, value by value, save that revoked certificates add up. `mode` is what the command line says and wins over everything.
    """
    overrides = [entry for entry in target.overrides if any(glob.matches(path) for glob in entry.paths)]
    told = _laid_over(target.context, overrides)
    install_path, user_writable = _installed(target, path, overrides)
    modes = [entry.mode for entry in overrides if entry.mode is not None]
    roots = None if told.trusted_roots is None else trusted_roots.get(told.trusted_roots)
    machine_roots = None if told.machine_roots is None else trusted_roots.get(told.machine_roots)
    return AppControlContext(
        evaluated_at=evaluated_at,
        mode=mode or (modes[-1] if modes else target.mode),
        code_mode=code_mode_for(target, path),
        install_path=install_path,
        is_user_writable=user_writable,
        os_build=told.os_build,
        test_signing=bool(told.test_signing),
        flight_signing=told.flight_signing,
        whql_exempt=bool(told.whql_exempt),
        driver_signing_satisfied=told.driver_signing_satisfied,
        managed_installer=told.managed_installer,
        isg_trusted=told.isg_trusted,
        calling_process=told.calling_process,
        package_family_name=told.package_family_name,
        trusted_roots_sha256=roots,
        machine_roots_sha256=machine_roots,
        revoked_sha256=frozenset(thumbprint.lower() for thumbprint in told.revoked or ()),
    )


def _laid_over(own: TargetContext, overrides: Iterable[Override]) -> TargetContext:
    values = {entry.name: getattr(own, entry.name) for entry in fields(TargetContext)}
    for override in overrides:
        for entry in fields(TargetContext):
            value = getattr(override.context, entry.name)
            if value is not None:
                values[entry.name] = value if entry.name != "revoked" else (*(values["revoked"] or ()), *value)
    return TargetContext(**values)


def code_mode_for(target: Target, path: str) -> CodeMode | None:
    """What `code_mode` says; the last match wins."""
    found = [rule.mode for rule in target.code_mode if any(glob.matches(path) for glob in rule.paths)]
    return found[-1] if found else None


def _installed(target: Target, path: str, overrides: Iterable[Override]) -> tuple[str | None, bool | None]:
    """The Windows path on the target and whether it is user-writable; `None` for what nobody told."""
    row = install_row(target.install_paths, path)
    install_path, user_writable = (None, None) if row is None else (_joined(row, path), row.user_writable)
    for override in overrides:
        if override.install_path is not None:
            install_path = override.install_path
        if override.user_writable is not None:
            user_writable = override.user_writable
    return install_path, user_writable


def _source(row: InstallPath) -> str:
    source = row.source.removeprefix("./").strip("/")
    return "" if source == "." else source


def install_row(rows: Iterable[InstallPath], path: str) -> InstallPath | None:
    """The row with the longest `from` that holds the path; of two alike the first."""
    best: InstallPath | None = None
    for row in rows:
        source = _source(row)
        holds = not source or path == source or path.startswith(source + "/")
        if holds and (best is None or len(source) > len(_source(best))):
            best = row
    return best


def _joined(row: InstallPath, path: str) -> str | None:
    """The path below `to`. A name that Windows would read as more than one, or as a way up, gives no path."""
    source = _source(row)
    rest = path[len(source) :].strip("/")
    if not rest and not row.to.endswith("\\"):
        return row.to  # `from` names the file itself, and so does `to`
    names = rest.split("/") if rest else [source.rpartition("/")[2]]
    if not all(is_plain_name(name) and not name.endswith("!") for name in names):
        return None  # also members of containers: where an installer puts them is not told by where the container lies
    return "\\".join([row.to.rstrip("\\"), *names])


def trusted_root_files(targets: Iterable[Target]) -> frozenset[Path]:
    """All files that contexts and overrides name under `trusted_roots` and `machine_roots`."""
    contexts = [context for target in targets for context in (target.context, *(entry.context for entry in target.overrides))]
    named = (path for context in contexts for path in (context.trusted_roots, context.machine_roots))
    return frozenset(path for path in named if path is not None)


_PEM = regex(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def read_trusted_roots(path: Path) -> frozenset[str]:
    """SHA-256 thumbprints of a file that lists them, one a line (`#` comments), or that holds PEM certificates.

    Raises:
        ConfigError: not readable, too large, or a line that is neither.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the file can't be read: {error.strerror}", place=Place(path=str(path))) from error
    if len(data) > MAX_ROOTS_BYTES:
        raise ConfigError("the file is too large", place=Place(path=str(path)), expected=f"at most {MAX_ROOTS_BYTES} bytes")
    text = data.decode("utf-8-sig", "replace")
    if "-----BEGIN CERTIFICATE-----" in text:
        return frozenset(_thumbprint(body, path) for body in _PEM.findall(text))
    found: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.partition("#")[0].replace(":", "").strip()
        if word and re.fullmatch(SHA256, word) is None:
            place = Place(path=str(path), line=number)
            raise ConfigError("wrong thumbprint", place=place, got=repr(line[:80]), expected="64 hex digits (SHA-256)")
        if word:
            found.add(word.lower())
    return frozenset(found)


def _thumbprint(body: str, path: Path) -> str:
    try:
        return hashlib.sha256(base64.b64decode("".join(body.split()), validate=True)).hexdigest()
    except binascii.Error as error:
        raise ConfigError("a PEM certificate is damaged", place=Place(path=str(path))) from error
