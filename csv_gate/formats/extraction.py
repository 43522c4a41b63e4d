"""The one door from bytes to facts: detect, then read by the format's own reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from mmap import mmap
from types import MappingProxyType
from typing import Final, cast

from csv_gate.errors import ArtifactError
from csv_gate.formats import detect
from csv_gate.formats.file_names import format_of_name
from csv_gate.formats.identification import identify
from csv_gate.formats.packages import PACKAGES, package_reader
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import Digests, FactName, Facts, Gap
from csv_gate.records import replace
from csv_gate.signatures.content import ListedDigests

SCRIPTS: Final = frozenset({"powershell", "powershell_xml", "mof", "vbscript", "jscript", "wsf"})
"""Scripts that can be signed: the keys of `script_kinds.BY_FORMAT`."""

_Reader = Callable[[memoryview, ExtractionSettings], Facts]
_READERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "cab": ("cab", "extract_cab"),
        "catalog": ("catalog", "extract_catalog"),
        "elf": ("elf", "extract_elf"),
        "msi": ("msi", "extract_compound"),
        "msp": ("msi", "extract_compound"),
        "mst": ("msi", "extract_compound"),
        "ole": ("msi", "extract_compound"),
    }
)
"""Format -> module and function of its reader, beside PE images, scripts and packages. All are imported when one of their kind is met."""


def _identify(view: memoryview, settings: ExtractionSettings, name: str | None) -> str:
    """As `identify`; text whose name says nothing is also looked through for the signature block of a script."""
    format = identify(view, name=name, limits=settings.limits)
    if format in (detect.TEXT, detect.UNKNOWN) and format_of_name(name) is None:
        from csv_gate.formats.script import script_kind

        kind = script_kind(view, name, settings.limits)
        return kind.format if kind is not None else format
    return format


def extract(
    data: bytes | mmap | memoryview, settings: ExtractionSettings, *, name: str | None = None, sha256: bytes | None = None
) -> Facts:
    """All facts of one artifact. `name`, its file name or path, is a hint that tells kinds of text apart.

    `data` is attacker-controlled; a file is best given as a read-only `mmap`, of which only what is needed is read. Beyond
    `max_artifact_bytes` nothing is hashed and the facts have a gap for their whole content. `sha256` is the digest of `data` where the
    caller has taken it already.

    Raises:
        ArtifactError: hardly ever; nearly all trouble is a problem or a gap in the facts.
    """
    with memoryview(data) as view:
        size = len(view)
        if size > settings.limits.max_artifact_bytes:
            format = detect.detect_format(bytes(view[: detect.HEAD_BYTES]), size, name)
            why = f"the file has {size} bytes, more than max_artifact_bytes ({settings.limits.max_artifact_bytes})"
            return Facts(format=format, size=size, digests=None, gaps=(Gap(what=FactName.CONTENT, why=why),))
        format = _identify(view, settings, name)
        if format == detect.PE:
            from csv_gate.formats.pe import extract_pe

            return extract_pe(view, settings, sha256)
        if format in _READERS:
            module, function = _READERS[format]
            reader = cast("_Reader", getattr(import_module(f"csv_gate.formats.{module}"), function))
            return reader(view, settings)
        if format in SCRIPTS:
            from csv_gate.formats.script import extract_script
            from csv_gate.formats.script_kinds import BY_FORMAT

            return extract_script(view, BY_FORMAT[format], settings)
        facts = extract_flat(view, format, settings)
        return facts if format not in PACKAGES else _with_package(facts, view, settings)


def _with_package(facts: Facts, view: memoryview, settings: ExtractionSettings) -> Facts:
    try:
        reading = package_reader(facts.format)(view, settings)
    except ArtifactError as error:
        return replace(facts, gaps=(*facts.gaps, Gap(what=FactName.SIGNATURES, why=f"the package cannot be read: {error}")))
    return replace(
        facts,
        package=reading.package,
        signatures=(*facts.signatures, *reading.signatures),
        problems=(*facts.problems, *reading.problems),
        gaps=(*facts.gaps, *reading.gaps),
    )


def extract_flat(view: memoryview, format: str, settings: ExtractionSettings) -> Facts:
    """Facts of a file whose format the gate does not read: its flat digest and the catalogs that list it."""
    listed = ListedDigests(view)
    sha256 = listed("sha256")[0].hex()
    signatures = settings.catalogs.signatures_for(listed)
    return Facts(format=format, size=len(view), digests=Digests(sha256=sha256), signatures=signatures)
