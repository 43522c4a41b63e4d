"""A PE image to facts: headers, digests, version resource, signatures.

Everything is read from the file's raw ranges; the image is never mapped as the loader would. What contradicts itself becomes a
`Problem`; where a contradiction leaves open what Windows would see, a `Gap` says so, and no verdict can rest on it.

Not modelled: hot-patch images, compressed resources of other languages (`.mui`), strong names (they carry no trust).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from csv_gate.formats import detect
from csv_gate.formats.pe_certificates import CertificateTable, read_certificate_table
from csv_gate.formats.pe_digest import PeContent, digest_pe, feed
from csv_gate.formats.pe_kind import check_checksum, read_kind
from csv_gate.formats.pe_layout import BrokenHeader, PeLayout, read_layout
from csv_gate.formats.pe_overlay import read_overlay
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.formats.version_resource import read_version
from csv_gate.model.facts import Digests, FactName, Facts, Gap, PeFacts, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import replace
from csv_gate.signatures import read_signatures
from csv_gate.signatures.content import ListedDigests

_REFUSED_BY_LOADER = frozenset(
    {
        ProblemCode.PE_TRUNCATED,
        ProblemCode.PE_SECTIONS_TOO_MANY,
        ProblemCode.PE_SECTIONS_OVERLAP,
        ProblemCode.PE_HEADERS_SIZE_WRONG,
    }
)
"""Layouts that the Windows loader refuses, or may refuse: that a policy allows the file would promise too much."""


def extract_pe(view: memoryview, settings: ExtractionSettings, sha256: bytes | None = None) -> Facts:
    """All facts of a file that starts like a PE image. Bad bytes become problems and gaps, never an exception.

    `sha256` is the flat digest, where it is known already.
    """
    layout = read_layout(view, settings.limits)
    if isinstance(layout, BrokenHeader):
        return _broken(view, layout.problem)
    digests, content = digest_pe(view, layout, sha256, takes_sha1=settings.takes_sha1)
    table = read_certificate_table(view, layout, settings.limits)
    version = read_version(view, layout, settings.limits)
    kind, kind_problems = _kind(view, layout, settings)
    signatures = _embedded(table, content, settings)
    behind = next((problem for problem in layout.problems if problem.code is ProblemCode.TABLE_NOT_LAST), None)
    if behind is not None:
        # Windows takes no signature that is not at the end of the file (MS12-024), whatever it says of the bytes behind it.
        signatures = tuple(replace(one, valid=False, problems=(*one.problems, behind)) for one in signatures)
    catalog_signatures, catalog_gaps = _from_catalogs(view, layout, digests, content, settings)
    problems = (*layout.problems, *_length_problem(layout), *table.problems, *kind_problems, *version.problems)
    gaps = (*_layout_gaps(layout, digests), *_signature_gaps(table, signatures), *version.gaps, *catalog_gaps)
    return Facts(
        format=detect.PE,
        size=layout.size,
        digests=digests,
        pe=kind,
        version=version.facts,
        signatures=(*signatures, *catalog_signatures),
        problems=problems,
        gaps=gaps,
    )


def _broken(view: memoryview, problem: Problem) -> Facts:
    """A file whose headers end or fail: nothing but the flat digests can be had."""
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    feed(view, (sha1, sha256))
    unreadable = (FactName.PE, FactName.AUTHENTICODE, FactName.VERSION, FactName.SIGNATURES)
    return Facts(
        format=detect.PE,
        size=len(view),
        digests=Digests(sha256=sha256.hexdigest(), sha1=sha1.hexdigest()),
        problems=(problem, Problem(code=ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT, detail=problem.detail, offset=problem.offset)),
        gaps=tuple(Gap(what=what, why=problem.detail) for what in unreadable),
    )


def _kind(view: memoryview, layout: PeLayout, settings: ExtractionSettings) -> tuple[PeFacts, tuple[Problem, ...]]:
    kind = read_kind(view, layout)
    overlay = read_overlay(view, layout)
    problems = list(overlay.problems)
    if settings.verify_all_checksums or kind.is_driver:
        checksum = check_checksum(view, layout)
        problems += [checksum] if checksum else []
    return replace(kind, overlay_bytes=overlay.size), tuple(problems)


def _length_problem(layout: PeLayout) -> tuple[Problem, ...]:
    if layout.size % 8 == 0 or layout.table != (0, 0):
        return ()
    detail = "the length is no multiple of 8; a signer would append zeros and sign them too"
    return (Problem(code=ProblemCode.PE_LENGTH_NOT_ALIGNED, detail=detail, offset=layout.size),)


def _embedded(table: CertificateTable, content: PeContent, settings: ExtractionSettings) -> tuple[SignatureFacts, ...]:
    found: list[SignatureFacts] = []
    for entry in table.entries:
        found += read_signatures(
            entry.der,
            content,
            source=SignatureSource.EMBEDDED,
            place=str(entry.index),
            roots=settings.roots,
            limits=settings.limits,
        )
    return tuple(found)


def _from_catalogs(
    view: memoryview, layout: PeLayout, digests: Digests, content: PeContent, settings: ExtractionSettings
) -> tuple[tuple[SignatureFacts, ...], tuple[Gap, ...]]:
    """Catalogs list a PE by its Authenticode digest, or by its flat digest as any file."""
    listed = ListedDigests(view, content, sha256=bytes.fromhex(digests.sha256))
    signatures = tuple(_by_digest(one, content) for one in settings.catalogs.signatures_for(listed))
    padded = {"sha1": digests.padded_authenticode_sha1, "sha256": digests.padded_authenticode_sha256}
    known = {algorithm: [bytes.fromhex(value)] for algorithm, value in padded.items() if value is not None}
    if signatures or not known or not settings.catalogs.signatures_for(lambda algorithm: known.get(algorithm, [])):
        return signatures, ()
    why = "a catalog lists the digest of this file padded to a multiple of 8; whether Windows pads there is not specified"
    return (), (Gap(what=FactName.CATALOGS, why=why),)


def _by_digest(signature: SignatureFacts, content: PeContent) -> SignatureFacts:
    """Windows looks a program up by the digest of its image; that another entry lists the file's flat digest is told, and no more."""
    algorithm = signature.digest_algorithm or ""
    image = content.digest(algorithm)
    if image is not None and signature.signed_digest == image.hex():
        return signature
    detail = f"the catalog lists the {algorithm} digest of the whole file, not that of the program in it"
    problem = Problem(code=ProblemCode.CATALOG_FLAT_DIGEST, detail=detail)
    return replace(signature, problems=(*signature.problems, problem))


def _layout_gaps(layout: PeLayout, digests: Digests) -> tuple[Gap, ...]:
    gaps: list[Gap] = []
    refused = next((problem for problem in layout.problems if problem.code in _REFUSED_BY_LOADER), None)
    if refused is not None:
        gaps.append(Gap(what=FactName.PE, why=f"Windows may not load an image like this: {refused.detail}"))
    if layout.not_authenticode is not None:
        why = f"which digest Windows takes of an image like this is not specified: {layout.not_authenticode}"
        gaps.append(Gap(what=FactName.AUTHENTICODE, why=why))
    elif digests.page_sha256 is None:
        why = (
            f"SizeOfHeaders ({layout.headers_size}) is more than a page; what the first page hash covers then is not specified"
        )
        gaps.append(Gap(what=FactName.PAGE_HASH, why=why))
    return tuple(gaps)


def _signature_gaps(table: CertificateTable, signatures: Sequence[SignatureFacts]) -> tuple[Gap, ...]:
    unclear = table.unclear
    if unclear is None and any(p.code is ProblemCode.NESTED_TOO_MANY for signature in signatures for p in signature.problems):
        unclear = "not all nested signatures were read"
    if unclear is None:
        return ()
    return (Gap(what=FactName.SIGNATURES, why=f"which signatures Windows finds here is not specified: {unclear}"),)
