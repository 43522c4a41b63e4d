"""Packages that carry a signature of their own: what it says, and how far it reaches. A further kind is a module here and one line below.

Such a signature says where a package comes from; hosts that enforce a policy look at what is inside. None of it is Authenticode but that
of packaged apps, and no App Control rule is compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol, cast

from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import Gap, PackageFacts, SignatureFacts
from csv_gate.model.problems import Problem
from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageReading:
    """What a reader adds to the facts of a package."""

    package: PackageFacts | None = None
    signatures: tuple[SignatureFacts, ...] = ()
    problems: tuple[Problem, ...] = ()
    gaps: tuple[Gap, ...] = ()


class PackageReader(Protocol):
    """Reads one kind of package.

    `data` is attacker-controlled. Raises ArtifactError where nothing of it can be read: that becomes a gap in the signatures.
    """

    def __call__(self, data: memoryview, settings: ExtractionSettings) -> PackageReading: ...


PACKAGES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "deb": ("csv_gate.formats.packages.deb", "read_deb"),
        "nupkg": ("csv_gate.formats.packages.nuget", "read_nuget"),
        "rpm": ("csv_gate.formats.packages.rpm", "read_rpm"),
    }
)
"""Format, as `detect_format` names it -> module and function of its reader, which is imported when it is first needed."""


def package_reader(format: str) -> PackageReader:
    """The reader of a format that is in `PACKAGES`."""
    module, function = PACKAGES[format]
    return cast("PackageReader", getattr(import_module(module), function))
