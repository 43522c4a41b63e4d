"""Requirement sets: which artifacts one means, and what it demands of them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from csv_gate.errors import Place
from csv_gate.globs import Below, Glob, GlobSet
from csv_gate.model.facts import SignatureScheme
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass
from csv_gate.requirements.signers import Signer

EVERYWHERE = GlobSet()
CATALOG = "catalog"
SIGNABLE = frozenset(
    {"pe", CATALOG, "powershell", "powershell_xml", "mof", "vbscript", "jscript", "wsf", "msi", "msp", "mst", "cab"}
)
"""Formats whose files carry a signature of their own, beside packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A valid time stamp of the signature that counts."""

    is_rfc3161: bool = False
    """Of no older kind."""
    signers: tuple[Signer, ...] = ()
    """By one of these authorities; none: whoever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBits:
    rsa: int | None = None
    ec: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    days: int
    is_always: bool = False
    """Also where a valid time stamp shows that the signature is from while the certificate was valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestNames:
    """No certificate for tests. `patterns`: of common names and subjects, in any letter case, beside the word `test`."""

    __test__ = False  # for pytest

    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Named by a security catalog."""

    catalogs: frozenset[str]
    """SHA-256 of the catalog files that may do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A row of a list of files by foreign makers."""

    paths: GlobSet
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a set asks for. One and the same signature has to meet all that is asked of a signature."""

    signed: bool = False
    signed_by: tuple[Signer, ...] = ()
    schemes: frozenset[SignatureScheme] = frozenset()
    roles: frozenset[str] = frozenset()
    timestamp: Stamp | None = None
    min_digest: str | None = None
    min_key_bits: KeyBits | None = None
    expiry: Expiry | None = None
    if_signed: bool = False
    """What has no signature at all is left alone."""
    no_test: TestNames | None = None
    all_valid: bool = False
    no_unsigned_content: bool = False
    listed: Listed | None = None
    must_be_unsigned: bool = False
    wanted: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """Named demands on some artifacts."""

    name: str
    demands: Demands
    level: Level = Level.ERROR
    paths: GlobSet = EVERYWHERE
    """Empty: everywhere."""
    targets: tuple[str, ...] = ()
    """Only what goes to one of these; empty: whatever the target."""
    formats: frozenset[str] = frozenset()
    """Empty: files that can carry a signature, and files that a pattern names, whatever they are."""
    place: Place | None = None

    def means(self, scope: str, format: str, packages: Collection[str]) -> bool:
        """Whether the set is about the artifact at this pattern path. `packages`: the formats of packages that can be signed."""
        if self.paths and not self.paths.matches(scope):
            return False
        if self.formats:
            return format in self.formats
        if self.demands.listed is not None:
            return format != CATALOG
        return can_be_signed(format, packages) or any(_names(glob, scope) for glob in self.paths)

    def reaches_into(self, scope: str) -> bool:
        """Whether something inside of a container, or below a folder that could not be listed, may be meant."""
        return not self.paths or self.paths.may_reach(scope)


def can_be_signed(format: str, packages: Collection[str]) -> bool:
    return format in SIGNABLE or format in packages


def _names(glob: Glob, scope: str) -> bool:
    """Whether the pattern names this very file, by name or extension, and not merely a folder that it is in."""
    last = glob.pattern.rpartition("/")[2]
    return bool(last.strip("*")) and _exactly(glob).matches(scope)


@cache
def _exactly(glob: Glob) -> Glob:
    return Glob(glob.pattern, glob.case_sensitive, Below.NEVER, glob.floating)
