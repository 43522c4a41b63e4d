"""The one door from bytes to facts: detect, then read by the format's own reader."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from mmap import mmap

from csv_gate.formats import detect
from csv_gate.formats.catalog import extract_catalog
from csv_gate.formats.pe import extract_pe
from csv_gate.formats.pe_digest import feed
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import Digests, FactName, Facts, Gap


def extract(data: bytes | mmap | memoryview, settings: ExtractionSettings, *, sha256: bytes | None = None) -> Facts:
    """All facts of one artifact.

    `data` is attacker-controlled; a file is best given as a read-only `mmap`, of which only what is needed is read. Beyond
    `max_artifact_bytes` nothing is hashed and the facts have a gap for their whole content. `sha256` is the digest of `data` where the
    caller has taken it already.

    Raises:
        ArtifactError: hardly ever; nearly all trouble is a problem or a gap in the facts.
    """
    with memoryview(data) as view:
        size = len(view)
        head = bytes(view[: detect.HEAD_BYTES])
        format = detect.detect_format(head, size)
        if size > settings.limits.max_artifact_bytes:
            why = f"the file has {size} bytes, more than max_artifact_bytes ({settings.limits.max_artifact_bytes})"
            return Facts(format=format, size=size, digests=None, gaps=(Gap(what=FactName.CONTENT, why=why),))
        if format == detect.PE and _is_pe(view):
            return extract_pe(view, settings, sha256)
        if format == detect.PE:
            format = detect.DOS_MZ
        format = detect.name_by_end(format, bytes(view[-detect.ZIP_TAIL_BYTES :]))
        if format == detect.CATALOG:
            return extract_catalog(view, settings)
        return extract_flat(view, format, settings)


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
