"""The one door from bytes to facts: detect, then read by the format's own reader."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from mmap import mmap
from types import MappingProxyType
from typing import Final, cast

from csv_gate.errors import ArtifactError
from csv_gate.formats import detect
from csv_gate.formats.file_names import format_of_name
from csv_gate.formats.packages import PACKAGES, package_reader
from csv_gate.formats.pe_digest import feed
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import Digests, FactName, Facts, Gap

_WSH_OBJECTS: Final = re.compile(rb"\bW\0?S\0?c\0?r\0?i\0?p\0?t\b|\bA\0?c\0?t\0?i\0?v\0?e\0?X\0?O\0?b\0?j\0?e\0?c\0?t")
"""What a JScript must name to reach anything outside of itself under Windows Script Host; scripts for browsers and Node do not."""
JAVASCRIPT: Final = "javascript"
JSCRIPT: Final = "jscript"
OLE: Final = "ole"
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


def identify(data: bytes | mmap | memoryview, settings: ExtractionSettings, *, name: str | None = None) -> str:
    """The format of a whole file: what `detect_format` says of its head, and what only the rest can tell."""
    with memoryview(data) as view:
        return _identify(view, settings, name)


def _identify(view: memoryview, settings: ExtractionSettings, name: str | None) -> str:
    format = detect.detect_format(bytes(view[: detect.HEAD_BYTES]), len(view), name)
    if format == detect.PE and not _is_pe(view):
        return detect.DOS_MZ
    if format in (detect.ZIP, detect.UNKNOWN):
        format = detect.name_by_end(format, bytes(view[-detect.ZIP_TAIL_BYTES :]))
    if format == OLE:
        from csv_gate.formats.msi import compound_format

        return compound_format(view, settings)
    if format == JSCRIPT and not _is_for_script_host(view, settings):
        return JAVASCRIPT
    if format in (detect.TEXT, detect.UNKNOWN) and format_of_name(name) is None:
        from csv_gate.formats.script import script_kind

        kind = script_kind(view, name, settings.limits)
        return kind.format if kind is not None else format
    return format


def _is_for_script_host(view: memoryview, settings: ExtractionSettings) -> bool:
    """Whether a `.js` file is for Windows Script Host: it is signed for it, or names its objects; a huge file may."""
    if len(view) > settings.limits.max_script_bytes:
        return True
    data = bytes(view)
    return b"// SIG // " in data.replace(b"\0", b"") or _WSH_OBJECTS.search(data) is not None


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
    flat: dict[str, bytes] = {}

    def candidates(algorithm: str) -> Sequence[bytes]:
        if algorithm not in flat:
            hasher = hashlib.new(algorithm, usedforsecurity=False)
            feed(view, (hasher,))
            flat[algorithm] = hasher.digest()
        return [flat[algorithm]]

    sha256 = candidates("sha256")[0].hex()
    signatures = settings.catalogs.signatures_for(candidates)
    return Facts(format=format, size=len(view), digests=Digests(sha256=sha256), signatures=signatures)


def _is_pe(view: memoryview) -> bool:
    """Whether a file that may be PE by its head is: the signature is there, or the file ends before it."""
    at = int.from_bytes(view[0x3C:0x40], "little")
    return at + 4 > len(view) or bytes(view[at : at + 4]) == b"PE\0\0"
