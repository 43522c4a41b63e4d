"""Context: what the bytes of an artifact cannot tell about where it will run. Each `None` means: not told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from csv_gate.records import dataclass


class Mode(StrEnum):
    """How a policy in audit mode is judged."""

    POLICY = "policy"
    """As the policy says: an audit policy blocks nothing."""
    ENFORCE = "enforce"
    """As if every policy were enforced."""


class CodeMode(StrEnum):
    """Which signing scenario judges a PE file."""

    KERNEL = "kernel"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppControlContext:
    """What the target is like. Defaults are the cautious production reading: no test signing, nothing assumed."""

    evaluated_at: datetime
    """The instant of the run; the engine knows no other clock."""
    mode: Mode = Mode.POLICY
    code_mode: CodeMode | None = None
    """Overrides the reading of the PE header."""
    install_path: str | None = None
    """Windows path of the artifact on the target (`C:\\Program Files\\App\\a.dll`), for FilePath rules."""
    is_user_writable: bool | None = None
    """Whether anyone but administrators may write the file or its folders on the target."""
    os_build: int | None = None
    """Windows build number; 22000 and up is Windows 11. Decides the wildcard grammar of paths."""
    test_signing: bool = False
    """TESTSIGNING is on: test roots count."""
    flight_signing: bool | None = None
    """The target trusts flight (preview) roots. `None`: not told."""
    whql_exempt: bool = False
    """The driver predates the target's WHQL requirement."""
    driver_signing_satisfied: bool | None = None
    """Windows' own driver-signing rule is met, on the user's word."""
    managed_installer: bool | None = None
    """The artifact will be written by a managed installer."""
    isg_trusted: bool | None = None
    """The Intelligent Security Graph knows the artifact as good."""
    calling_process: str | None = None
    """OriginalFilename of the process that loads the artifact, for AppIDs rules."""
    package_family_name: str | None = None
    """Of the package the artifact is part of; empty: it is in none."""
    trusted_roots_sha256: frozenset[str] | None = None
    """SHA-256 thumbprints of the AuthRoot programme's roots on the target, for well-known root 14."""
    machine_roots_sha256: frozenset[str] | None = None
    """SHA-256 thumbprints of further roots in the machine's own store. Hosts of scripts and installers want a trusted root."""
    revoked_sha256: frozenset[str] = frozenset()
    """Thumbprints of certificates known to be revoked."""
