"""Manifests of packaged apps and of bundles: who they say they are, and the packages in a bundle.

Sources: Windows app docs, "Identity (Windows 10 and later)", "Bundle manifest schema reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from csv_gate.errors import FormatError
from csv_gate.formats.packages.app_publisher import MAX_PUBLISHER_CHARACTERS
from csv_gate.formats.packages.xml_elements import elements
from csv_gate.formats.packages.zip_members import Listing
from csv_gate.records import dataclass

APP_MANIFEST: Final = "AppxManifest.xml"
BUNDLE_MANIFEST: Final = "AppxMetadata/AppxBundleManifest.xml"


@dataclass(frozen=True, slots=True)
class InnerPackage:
    """One package as the manifest of a bundle lists it. Attacker-controlled."""

    file_name: str
    """With `/` between folders."""
    offset: int | None
    """Of its content in the bundle."""
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Attacker-controlled text, each of bounded length."""

    name: str
    version: str | None
    publisher: str
    architecture: str | None
    packages: tuple[InnerPackage, ...] = ()
    """Of a bundle."""


def read_manifest(listing: Listing) -> Manifest:
    """The manifest of a package: that of a bundle where there is one.

    Raises:
        FormatError: there is none, there are both, or it states not exactly one identity.
        LimitError: it is too large.
    """
    app, bundle = listing.named(APP_MANIFEST), listing.named(BUNDLE_MANIFEST)
    if len(app) + len(bundle) != 1:
        raise FormatError("the package has not exactly one manifest", got=f"{len(app)} of an app, {len(bundle)} of a bundle")
    root = "Package" if app else "Bundle"
    identities: list[Mapping[str, str]] = []
    packages: list[InnerPackage] = []
    for tag in elements(listing.read((app or bundle)[0], max_bytes=listing.limits.max_package_text_bytes)):
        if tag.path == (root, "Identity"):
            identities.append(tag.attributes)
        elif tag.path == ("Bundle", "Packages", "Package"):
            name = tag.attributes.get("FileName", "").replace("\\", "/")
            packages.append(InnerPackage(name, _number(tag.attributes.get("Offset")), _number(tag.attributes.get("Size"))))
    if len(identities) != 1:
        raise FormatError("the manifest has not exactly one identity", got=str(len(identities)))
    stated, limit = identities[0], listing.limits.max_text_characters
    name, publisher = stated.get("Name", ""), stated.get("Publisher", "")
    if not name or not publisher or len(name) > limit or len(publisher) > MAX_PUBLISHER_CHARACTERS:
        raise FormatError("the manifest has no name or no publisher, or one that is too long")
    return Manifest(
        name=name,
        version=stated.get("Version", "")[:limit] or None,
        publisher=publisher,
        architecture=(stated.get("ProcessorArchitecture", "")[:limit] or "neutral") if app else None,
        packages=tuple(packages),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
