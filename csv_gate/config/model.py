"""The configuration as types. Each section has its module; a new section is a module with a dataclass and one field here.

The reader (`csv_gate.documents`), the JSON Schema and the reference page are all driven by these fields and their metadata.
Paths are relative to the file that states them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.config.ownership import Ownership
from csv_gate.documents import FilePattern, says
from csv_gate.globs import Glob
from csv_gate.lazy import lazily
from csv_gate.model.verdict import Level
from csv_gate.notify.settings import Notify
from csv_gate.records import dataclass, field

if TYPE_CHECKING:
    from csv_gate.config.requirements import RequirementSettings, SignerSettings
    from csv_gate.config.targets import Target
    from csv_gate.owners import OwnerName, OwnerRule
else:
    # Many runs have no file, and few files all sections: whoever reads one finds its type here.
    __getattr__ = lazily(
        "csv_gate",
        {
            "OwnerName": "owners",
            "OwnerRule": "owners",
            "RequirementSettings": "config.requirements",
            "SignerSettings": "config.requirements",
            "Target": "config.targets",
        },
    )

CONFIG_VERSION = 1


class FailOn(StrEnum):
    """From which level on a finding fails the build."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"

    def fails(self, level: Level) -> bool:
        return self.level is not None and level.rank >= self.level.rank

    @property
    def level(self) -> Level | None:
        """The threshold itself; `None`: findings never fail the build."""
        return None if self is FailOn.NEVER else Level(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole `csv-gate.yaml`, with what it extends put in."""

    version: int = field(metadata=says("Version of this file's format: 1.", low=CONFIG_VERSION, high=CONFIG_VERSION))
    extends: tuple[Path, ...] = field(
        default=(), metadata=says("Files with shared defaults. Mappings are merged key by key, everything else is replaced.")
    )
    inputs: tuple[Path, ...] = field(default=(), metadata=says("What `check` looks at when no path is given."))
    include: tuple[Glob, ...] = field(default=(), metadata=says("Only these paths are checked; none given: all."))
    exclude: tuple[Glob, ...] = field(default=(), metadata=says("These paths are not checked; they are counted in the result."))
    containers: bool = field(
        default=True, metadata=says("Open archives, packages and installers and judge what is in them, at every level.")
    )
    fail_on: FailOn = field(default=FailOn.ERROR, metadata=says("From which level on a finding fails the build."))
    catalogs: tuple[FilePattern, ...] = field(
        default=(), metadata=says("Security catalogs whose members count as signed, for every target; paths or globs.")
    )
    roots: tuple[Path, ...] = field(default=(), metadata=says("PEM files with further root certificates to build chains to."))
    openpgp_keys: tuple[Path, ...] = field(
        default=(),
        metadata=says(
            "Files with OpenPGP public keys, armored or binary, that signatures of packages and files are verified with."
        ),
    )
    sigstore_root: Path | None = field(
        default=None,
        metadata=says(
            "The `trusted_root.json` that sigstore bundles beside files are verified with; needs the extra `sigstore`."
        ),
    )
    docs_url: str | None = field(
        default=None, metadata=says("Where your people find help; reports link to it.", pattern=r"https?://[^\s]+")
    )
    jobs: int | None = field(
        default=None, metadata=says("Processes that read artifacts; none given: one per usable processor.", low=1, high=256)
    )
    targets: Mapping[str, Target] = field(default_factory=dict, metadata=says("Deploy targets by name.", section=True))
    signers: Mapping[str, SignerSettings] = field(
        default_factory=dict, metadata=says("Who signs, by name, for requirements to refer to.", section=True)
    )
    requirements: Mapping[str, RequirementSettings] = field(
        default_factory=dict, metadata=says("What is asked of signatures, beside any policy, by name.", section=True)
    )
    owners: tuple[OwnerRule, ...] = field(
        default=(), metadata=says("Who answers for which paths of the build output; the last match wins.", section=True)
    )
    default_owner: OwnerName | None = field(default=None, metadata=says("Who answers for what nobody else does.", section=True))
    ownership: Ownership = field(default=Ownership(), metadata=says("Where else owners are written down.", section=True))
    waivers: Path | None = field(default=None, metadata=says("The waiver file."))
    notify: Notify = field(default=Notify(), metadata=says("How owners are told of a red build.", section=True))

    def __post_init__(self) -> None:
        if self.requirements:
            from csv_gate.config.requirements import check_references

            check_references(self.requirements, self.signers, self.targets)
