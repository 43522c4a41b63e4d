"""The `targets:` section: what is deployed to, which policies hold there, and what the bytes of an artifact can't tell."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from csv_gate.config.windows_paths import EXPECTED, path_fault
from csv_gate.documents import FilePattern, says
from csv_gate.errors import ConfigError, Place
from csv_gate.globs import Glob
from csv_gate.model.context import CodeMode, Mode
from csv_gate.records import dataclass, field

SHA256 = "[0-9A-Fa-f]{64}"


class Engine(StrEnum):
    """What kind of policy a target enforces."""

    APPCONTROL = "appcontrol"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetContext:
    """The state of a target's machines. What is not told is not assumed: a verdict that needs it is `undecided`."""

    os_build: int | None = field(
        default=None,
        metadata=says("Windows build number, for instance 22631; 22000 and up is Windows 11.", low=1, high=999_999),
    )
    test_signing: bool | None = field(default=None, metadata=says("TESTSIGNING is on: test roots count. Told nothing: off."))
    flight_signing: bool | None = field(default=None, metadata=says("The target trusts flight (preview) roots."))
    driver_signing_satisfied: bool | None = field(
        default=None, metadata=says("Windows' own driver-signing rule is met for these drivers, on your word.")
    )
    managed_installer: bool | None = field(default=None, metadata=says("A managed installer writes the artifacts."))
    isg_trusted: bool | None = field(default=None, metadata=says("The Intelligent Security Graph knows the artifacts as good."))
    calling_process: str | None = field(
        default=None, metadata=says("OriginalFilename of the process that loads the artifacts, for rules with AppIDs.")
    )
    package_family_name: str | None = field(default=None, metadata=says("Of the package that the artifacts are part of."))
    whql_exempt: bool | None = field(
        default=None, metadata=says("The drivers predate the target's WHQL requirement. Told nothing: they do not.")
    )
    trusted_roots: Path | None = field(
        default=None,
        metadata=says(
            "File with the SHA-256 thumbprints (one a line) or PEM certificates of the target's AuthRoot programme roots."
        ),
    )
    machine_roots: Path | None = field(
        default=None,
        metadata=says(
            "File like `trusted_roots` with further roots in the machines' own store, such as the company's: scripts and installers need "
            "a trusted root beside the policy."
        ),
    )
    revoked: tuple[str, ...] | None = field(
        default=None,
        metadata=says("SHA-256 thumbprints, 64 hex digits each, of certificates known to be revoked.", pattern=SHA256),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """Another version of the policy set that is still live on part of the fleet: its verdict counts too."""

    name: str = field(metadata=says("How reports call this version.", pattern=r"[A-Za-z0-9][A-Za-z0-9._ -]*"))
    policies: tuple[FilePattern, ...] = field(metadata=says("The policy files of this version, paths or globs."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if not self.policies:
            raise ConfigError("a policy version without policies allows nothing", place=self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPath:
    """Where a folder of the build output lies on the target."""

    source: str = field(metadata=says("Folder or file of the build output, relative to the tree's root.", key="from"))
    to: str = field(
        metadata=says(
            "Windows path on the target, for instance `C:\\Program Files\\App`; %OSDRIVE%, %WINDIR% and %SYSTEM32% are known."
        )
    )
    user_writable: bool | None = field(
        default=None, metadata=says("Whether anyone but administrators may write there. Told nothing: unknown.")
    )
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        _check_install_path(self.to, self.place)
        if ".." in self.source.split("/") or self.source.startswith("/"):
            raise ConfigError("`from` is relative to the tree's root, without '..'", place=self.place, got=repr(self.source))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeModeRule:
    """Which signing scenario judges these artifacts, instead of what the PE header looks like."""

    paths: tuple[Glob, ...] = field(metadata=says("Path globs of the build output."))
    mode: CodeMode = field(metadata=says("`kernel` or `user`."))
    place: Place = field(metadata=says("", given="place"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What is different for some artifacts. Later rows win over earlier ones, value by value."""

    paths: tuple[Glob, ...] = field(metadata=says("Path globs of the build output."))
    mode: Mode | None = field(default=None, metadata=says("Judges audit policies as they are, or as if enforced."))
    context: TargetContext = field(default=TargetContext(), metadata=says("Replaces what the target's own context says."))
    install_path: str | None = field(
        default=None, metadata=says("Full Windows path of the artifact on the target; for globs that mean one file.")
    )
    user_writable: bool | None = field(default=None, metadata=says("Whether anyone but administrators may write it there."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if self.install_path is not None:
            _check_install_path(self.install_path, self.place)


def _check_install_path(path: str, place: Place) -> None:
    fault = path_fault(path)
    if fault is not None:
        raise ConfigError(
            f"an install path is an absolute Windows path: {fault}", place=place, got=repr(path), expected=EXPECTED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A named deploy target."""

    name: str = field(metadata=says("", given="key"))
    engine: Engine = field(default=Engine.APPCONTROL, metadata=says("What kind of policy the target enforces."))
    policies: tuple[FilePattern, ...] = field(
        metadata=says("The policy files that are active together: bases and supplementals, XML or binary; paths or globs.")
    )
    also: tuple[PolicyVersion, ...] = field(
        default=(), metadata=says("Other versions of the policy set that still live in the fleet; all of them must allow.")
    )
    catalogs: tuple[FilePattern, ...] = field(
        default=(), metadata=says("Security catalogs that are installed on the target; paths or globs.")
    )
    mode: Mode = field(
        default=Mode.POLICY, metadata=says("`policy`: an audit policy only warns. `enforce`: judged as if it were enforced.")
    )
    paths: tuple[Glob, ...] = field(default=(), metadata=says("Which artifacts go to this target; none given: all."))
    context: TargetContext = field(default=TargetContext(), metadata=says("The state of the target's machines."))
    install_paths: tuple[InstallPath, ...] = field(
        default=(), metadata=says("Where folders of the build output lie on the target; the longest `from` wins.")
    )
    code_mode: tuple[CodeModeRule, ...] = field(
        default=(),
        metadata=says("Which artifacts are kernel or user code, where the header does not show it; the last match wins."),
    )
    overrides: tuple[Override, ...] = field(default=(), metadata=says("What is different for some artifacts, in order."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name) is None:
            raise ConfigError(
                "wrong target name", place=self.place, got=repr(self.name[:60]), expected="letters, digits, '.', '_' or '-'"
            )
        if not self.policies:
            raise ConfigError(
                f"the target {self.name!r} has no policies", place=self.place, expected="at least one policy file"
            )
        names = [version.name for version in self.also]
        if len(set(names)) != len(names):
            raise ConfigError("two policy versions have one name", place=self.place, got=", ".join(sorted(names)))

    def routes(self, path: str) -> bool:
        """Whether the artifact goes to this target."""
        return not self.paths or any(glob.matches(path) for glob in self.paths)
