"""The plan of a run: what is checked, for which targets, at which instant. Plain values that may cross to another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from csv_gate.globs import GlobSet
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.appcontrol import AppControlPolicySet
from csv_gate.model.context import AppControlContext
from csv_gate.model.result import Owner, Shard
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, field
from csv_gate.waivers import NO_WAIVERS, WaiverFile

if TYPE_CHECKING:
    from csv_gate.requirements import RequirementSet


class Routes(Protocol):
    """Which artifacts a target gets, and where each of them will lie on it. Must pickle."""

    def context_for(self, scope: str) -> AppControlContext | None:
        """The context of the artifact whose pattern path is `scope`; `None`: it does not go to this target."""
        ...


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every artifact goes to the target, with one context."""

    context: AppControlContext

    def context_for(self, scope: str) -> AppControlContext | None:
        del scope
        return self.context


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One deploy target as the run judges it."""

    name: str
    engine: str = "appcontrol"
    policies: AppControlPolicySet
    routes: Routes
    is_enforced: bool = False
    """Judged as if every policy were enforced."""
    catalogs: tuple[str, ...] = ()
    """Catalog files that are installed on this target alone."""
    version_of: str | None = None
    """Name of the target of which this is another version that is still live."""

    def takes(self, scope: str) -> bool:
        """Whether what lies at that pattern path goes to this target."""
        return self.routes.context_for(scope) is not None


class Owners(Protocol):
    """Who an artifact belongs to. Must pickle."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing says who owns what, so that an artifact without an owner is no surprise."""
        ...

    @property
    def of_the_rest(self) -> Owner | None:
        """Who answers for what is nobody else's: the default owner."""
        ...

    def owner_of(self, path: str, sha256: str | None = None) -> Owner | None: ...


@dataclass(frozen=True, slots=True)
class NoOwners:
    """Nobody said who owns what."""

    is_silent: bool = True
    of_the_rest: Owner | None = None

    def owner_of(self, path: str, sha256: str | None = None) -> Owner | None:
        del path, sha256
        return None


EVERYWHERE = GlobSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a run depends on."""

    inputs: tuple[str, ...]
    targets: tuple[Target, ...]
    evaluated_at: datetime
    """The run's only clock."""
    tool_version: str
    base: Path | None = None
    """The folder that patterns are relative to."""
    include: GlobSet = EVERYWHERE
    exclude: GlobSet = EVERYWHERE
    catalogs: tuple[str, ...] = ()
    """Catalog files that are installed on every target, beside those found in the inputs."""
    given_roots: tuple[bytes, ...] = ()
    """DER certificates that count as ends of chains."""
    given_openpgp_keys: tuple[bytes, ...] = ()
    """Files of OpenPGP public keys, as they are, that signatures are verified with."""
    sigstore_root: Path | None = None
    """The trusted root that sigstore bundles are verified with."""
    fail_on: Level | None = Level.ERROR
    """Findings of this level and graver fail the run; `None`: none does. What is undecided fails it all the same."""
    jobs: int | None = None
    """Processes; `None`: as many as pay for the amount of work."""
    is_cross_checked: bool = False
    takes_all_digests: bool = False
    """Also those that no rule and no catalog of the run is compared with."""
    opens_containers: bool = True
    stopwatch: Callable[[], float] = time.monotonic
    """Seconds from any start: what time budgets are measured with. Must pickle."""
    config_sha256: str | None = None
    kept_facts: Path | None = None
    """The folder where facts are kept between runs; `None`: none are."""
    trusts_files: bool = False
    """Believe the file system that a file is what it was, where its identity and times are the same."""
    shard: Shard | None = None
    """Judge this part of the files only."""
    limits: Limits = DEFAULT_LIMITS
    owners: Owners = field(default_factory=NoOwners)
    waivers: WaiverFile = NO_WAIVERS
    requirements: tuple[RequirementSet, ...] = ()
    """What is asked of signatures beside any policy."""
    requirement_catalogs: tuple[str, ...] = ()
    """Catalog files that requirements name; installed nowhere by that."""
