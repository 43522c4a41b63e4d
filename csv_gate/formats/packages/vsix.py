"""Extensions of Visual Studio (`.vsix`): a package by the Open Packaging Conventions, signed as these say.

Packages for Visual Studio Code carry the same ending and no signature of their own: the Marketplace keeps it beside them.
"""

from __future__ import annotations

from typing import Final

from csv_gate.errors import ArtifactError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.opc import Package, open_package
from csv_gate.formats.packages.opc_signature import read_opc_signatures
from csv_gate.formats.packages.xml_elements import elements
from csv_gate.formats.packages.zip_members import read_listing
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import PackageFacts

MANIFEST: Final = "extension.vsixmanifest"
MAX_UNCOVERED: Final = 20
"""Names that facts tell of parts without a signature."""


def read_vsix(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of an extension. See `PackageReader`."""
    package = open_package(read_listing(data, settings.limits))
    signatures = read_opc_signatures(package, settings)
    left = signatures.uncovered(package) if signatures.found else []
    name, version, publisher = _identity(package, settings)
    facts = PackageFacts(
        name=name,
        version=version,
        publisher=publisher,
        uncovered=tuple(left[:MAX_UNCOVERED]),
        uncovered_count=len(left),
    )
    return PackageReading(package=facts, signatures=tuple(one.facts for one in signatures.found))


def _identity(package: Package, settings: ExtractionSettings) -> tuple[str | None, str | None, str | None]:
    """Name, version and publisher as the manifest has them; nothing where it cannot be read."""
    if MANIFEST not in package.parts:
        return None, None, None
    limit = settings.limits.max_text_characters
    try:
        for tag in elements(package.read(MANIFEST)):
            if tag.path == ("PackageManifest", "Metadata", "Identity"):
                said = (tag.attributes.get(name) for name in ("Id", "Version", "Publisher"))
                name, version, publisher = (None if text is None else text[:limit] for text in said)
                return name, version, publisher
    except ArtifactError:
        pass
    return None, None, None
