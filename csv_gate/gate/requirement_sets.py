"""From the configuration's requirements to sets that can be judged: names of signers resolved, catalogs read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from csv_gate.config import Config
from csv_gate.config.requirements import RequirementSettings, SignerSettings, StampKind, WantedSettings
from csv_gate.errors import ConfigError, Place
from csv_gate.gate.asked import files_of
from csv_gate.globs import GlobSet
from csv_gate.limits import Limits
from csv_gate.requirements import (
    Demands,
    Expiry,
    KeyBits,
    Listed,
    RequirementSet,
    Signer,
    Stamp,
    TestNames,
    Wanted,
)

Signers = Mapping[str, Signer]


def requirements_of(config: Config, limits: Limits) -> tuple[RequirementSet, ...]:
    """The sets of a configuration, sorted by name.

    Raises:
        ConfigError: a catalog that a set names is not there or cannot be read.
    """
    signers = {name: _signer(settings) for name, settings in config.signers.items()}
    return tuple(_set(config.requirements[name], signers, limits) for name in sorted(config.requirements))


def requirement_catalogs(config: Config) -> tuple[str, ...]:
    """The catalog files that sets name. They sign nothing on any target by that.

    Raises:
        ConfigError: a pattern means no file.
    """
    paths = [path for name in sorted(config.requirements) for path in _catalogs(config.requirements[name])]
    return tuple(dict.fromkeys(map(str, paths)))


def _catalogs(settings: RequirementSettings) -> tuple[Path, ...]:
    return files_of(settings.catalogs_complete, "catalogs_complete", settings.place)


def _signer(settings: SignerSettings) -> Signer:
    return Signer(
        name=settings.name,
        subject=settings.subject,
        cn=settings.cn,
        issuer=settings.issuer,
        thumbprint=_lower(settings.thumbprint),
        tbs=_lower(settings.tbs),
        fingerprint=_lower(settings.fingerprint),
        identity=settings.identity,
        identity_issuer=settings.identity_issuer,
    )


def _lower(digests: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(digest.lower() for digest in digests)


def _set(settings: RequirementSettings, signers: Signers, limits: Limits) -> RequirementSet:
    return RequirementSet(
        name=settings.name,
        demands=_demands(settings, signers, limits),
        level=settings.level,
        paths=GlobSet(settings.paths),
        targets=settings.targets,
        formats=frozenset(settings.formats),
        place=settings.place,
    )


def _demands(settings: RequirementSettings, signers: Signers, limits: Limits) -> Demands:
    bits, days = settings.min_key_bits, settings.not_expiring_within_days
    listed = frozenset(_sha256(path, limits) for path in _catalogs(settings))
    return Demands(
        signed=settings.signed,
        signed_by=_named(settings.signed_by, signers),
        schemes=frozenset(settings.scheme),
        roles=frozenset(settings.role),
        timestamp=_stamp(settings, signers),
        min_digest=None if settings.min_digest is None else settings.min_digest.value,
        min_key_bits=None if bits is None else KeyBits(rsa=bits.rsa, ec=bits.ec),
        expiry=None if days is None else Expiry(days=days, is_always=settings.even_time_stamped),
        if_signed=settings.if_signed,
        no_test=TestNames(patterns=settings.test_names) if settings.no_test_certificates else None,
        all_valid=settings.all_signatures_valid,
        no_unsigned_content=settings.no_unsigned_content,
        listed=Listed(catalogs=listed) if listed else None,
        must_be_unsigned=settings.must_be_unsigned,
        wanted=tuple(_row(row, signers) for row in settings.wanted),
    )


def _named(names: tuple[str, ...], signers: Signers) -> tuple[Signer, ...]:
    return tuple(signers[name] for name in names)


def _row(row: WantedSettings, signers: Signers) -> Wanted:
    return Wanted(paths=GlobSet(row.paths), signers=_named(row.signed_by, signers))


def _stamp(settings: RequirementSettings, signers: Signers) -> Stamp | None:
    if settings.timestamp is None and not settings.timestamp_by:
        return None
    return Stamp(is_rfc3161=settings.timestamp is StampKind.RFC3161, signers=_named(settings.timestamp_by, signers))


def _sha256(path: Path, limits: Limits) -> str:
    try:
        size = path.stat().st_size
        if size > limits.max_catalog_bytes:
            raise ConfigError(
                "a catalog is too large", place=Place(path=str(path)), got=f"{size} bytes", expected="max_catalog_bytes"
            )
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"a catalog cannot be read: {error.strerror}", place=Place(path=str(path))) from error
