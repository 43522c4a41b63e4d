"""Packaged apps and bundles of them (`.appx`, `.msix`, `.appxbundle`, `.msixbundle`): one signature over the whole package.

The signature is the member `AppxSignature.p7x`: four letters, then Authenticode's CMS with five digests in place of one (`app_digest`).
It holds where the package is signed as a whole, the block map is right for every file, and the publisher of the manifest is the
subject of the signer's certificate: what Windows asks before it deploys a package. Packages in a bundle are signed on their own.

Sources: Windows app docs, "Sign an app package using SignTool" (digest of the block map, publisher), "App package block map schema
reference", "Bundle manifest schema reference"; App Installer does not deploy what breaks one of these rules.
Not modelled: encrypted packages, trust in roots, and what a `CodeIntegrity.cat` says of the files inside.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.app_digest import BLOCK_MAP, CODE_INTEGRITY, CONTENT_TYPES, SIGNATURE, AppContent, differing
from csv_gate.formats.packages.app_manifest import BUNDLE_MANIFEST, Manifest, read_manifest
from csv_gate.formats.packages.app_publisher import family_name, read_publisher, read_subject
from csv_gate.formats.packages.block_map import BlockMap, differences, part_name, read_block_map
from csv_gate.formats.packages.zip_members import STORED, Listing, read_listing
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.formats.zip_directory import SIZES_FOLLOW, Entry
from csv_gate.model.facts import FactName, Gap, PackageFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field, replace
from csv_gate.signatures import Subject, read_signatures
from csv_gate.signatures.oids import SPC_SIP_INFO

_MAGIC: Final = b"PKCX"
_PLACE: Final = "0"
"""A package has one signature, in which others may be nested."""
_APP: Final = Subject(
    data_type=SPC_SIP_INFO, interface=bytes.fromhex("4bdfc50a07cee24db76e23c839a09fd1"), name="a packaged app"
)
_BUNDLE: Final = Subject(
    data_type=SPC_SIP_INFO, interface=bytes.fromhex("b3585f0fdeaa9a4ba43495742d92eceb"), name="a bundle of packaged apps"
)
_UNLISTED: Final = frozenset({SIGNATURE, BLOCK_MAP, CONTENT_TYPES, CODE_INTEGRITY})
"""Members that a block map does not list: the signature has digests of its own for them."""
_MAX_DESCRIPTOR_BYTES: Final = 24
MAX_PROBLEMS: Final = 50


@dataclass(slots=True)
class _Parts:
    """What is wrong with the parts of a package, whoever signed it."""

    problems: list[Problem] = field(default_factory=list)
    digests_match: bool | None = None
    block_map: BlockMap | None = None
    manifest: Manifest | None = None
    gaps: list[Gap] = field(default_factory=list)

    def add(self, code: ProblemCode, detail: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code=code, detail=detail))

    def stop(self, what: str, error: ArtifactError) -> None:
        """The signature cannot hold. Where a bound was reached that is no statement about the package."""
        self.add(ProblemCode.PACKAGE_SIGNATURE_RULE, f"{what}: {error}")
        if isinstance(error, LimitError):
            self.gaps.append(Gap(what=FactName.SIGNATURES, why=f"{what}: {error}"))


def read_appx(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of a packaged app or a bundle. See `PackageReader`."""
    listing = read_listing(data, settings.limits)
    parts = _read_parts(listing)
    found = listing.named(SIGNATURE)
    package = _facts(parts)
    if not found:
        return PackageReading(package=package, problems=tuple(parts.problems), gaps=tuple(parts.gaps))
    layout = list(_layout_problems(listing, found))
    signatures = [_completed(one, parts, layout) for one in _read_signatures(listing, found[0], settings, parts)]
    return PackageReading(package=package, signatures=tuple(signatures), gaps=tuple(parts.gaps))


def _read_parts(listing: Listing) -> _Parts:
    parts = _Parts()
    is_bundle = bool(listing.named(BUNDLE_MANIFEST))
    try:
        parts.manifest = read_manifest(listing)
    except ArtifactError as error:
        parts.stop("the manifest cannot be read", error)
    inner: frozenset[str] = frozenset()
    if is_bundle and parts.manifest is not None:
        inner = _check_bundle(listing, parts.manifest, parts)
    try:
        parts.block_map = _read_map(listing)
        parts.digests_match = True
        for what, is_unlisted in differences(listing, parts.block_map, _UNLISTED | inner):
            parts.digests_match = False
            parts.add(ProblemCode.PACKAGE_PART_UNLISTED if is_unlisted else ProblemCode.PACKAGE_PART_WRONG, what)
    except ArtifactError as error:
        parts.digests_match = None
        parts.stop("the block map cannot be followed", error)
    return parts


def _read_map(listing: Listing) -> BlockMap:
    found = listing.named(BLOCK_MAP)
    if len(found) != 1:
        raise FormatError(f"{BLOCK_MAP} does not stand in the package exactly once")
    return read_block_map(listing.read(found[0], max_bytes=listing.limits.max_package_text_bytes))


def _check_bundle(listing: Listing, manifest: Manifest, parts: _Parts) -> frozenset[str]:
    """The members that are its packages: they stand where the manifest says, stored. All may lie outside (a flat bundle)."""
    members = {part_name(entry).lower(): entry for entry in listing.entries}
    present = frozenset(members[key].name for one in manifest.packages if (key := one.file_name.lower()) in members)
    for one in manifest.packages:
        entry = members.get(one.file_name.lower())
        if entry is None:
            if present:
                parts.add(ProblemCode.PACKAGE_PART_WRONG, f"{one.file_name[:200]!r} is in the manifest, but not in the bundle")
            continue
        try:
            place = listing.content_at(entry)
        except ArtifactError as error:
            parts.add(ProblemCode.PACKAGE_PART_WRONG, str(error))
            continue
        if entry.method != STORED or (one.offset, one.size) != (place, entry.size):
            why = f"stored at {one.offset} with {one.size} bytes, as the manifest says: it is at {place} with {entry.size}"
            parts.add(ProblemCode.PACKAGE_PART_WRONG, f"{one.file_name[:200]!r} is not {why}")
    return present


def _facts(parts: _Parts) -> PackageFacts:
    manifest = parts.manifest
    if manifest is None:
        return PackageFacts(digests_match=parts.digests_match)
    return PackageFacts(
        name=manifest.name,
        version=manifest.version,
        publisher=manifest.publisher,
        architecture=manifest.architecture,
        family_name=family_name(manifest.name, manifest.publisher),
        digests_match=parts.digests_match,
    )


def _layout_problems(listing: Listing, found: tuple[Entry, ...]) -> Iterable[Problem]:
    """What of the archive no digest reaches."""
    yield from listing.problems
    entry = found[0]
    if len(found) > 1:
        yield _rule("there are several signatures")
    if entry is not listing.entries[-1] or any(one.header_at > entry.header_at for one in listing.entries):
        yield _rule("the signature is not the last member")
    try:
        end = listing.content_at(entry) + entry.packed
    except ArtifactError as error:
        yield _rule(str(error))
        return
    rest = bytes(listing.data[end : min(listing.directory.start, end + _MAX_DESCRIPTOR_BYTES + 1)])
    if rest and not (entry.flags & SIZES_FOLLOW and rest in _descriptors(entry)):
        yield _rule(f"{listing.directory.start - end} bytes between the signature and the directory belong to nothing")


def _descriptors(entry: Entry) -> Iterable[bytes]:
    """The forms of what may follow a member (APPNOTE 4.3.9)."""
    for layout in ("<3L", "<L2Q"):
        sizes = struct.pack(layout, entry.crc, entry.packed, entry.size)
        yield from (sizes, b"PK\x07\x08" + sizes)


def _rule(detail: str) -> Problem:
    return Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=detail)


def _read_signatures(listing: Listing, entry: Entry, settings: ExtractionSettings, parts: _Parts) -> tuple[SignatureFacts, ...]:
    try:
        octets = listing.read(entry, max_bytes=settings.limits.max_certificate_table_bytes)
        if octets[: len(_MAGIC)] != _MAGIC:
            raise FormatError(f"the signature does not begin with {_MAGIC.decode()}")
    except ArtifactError as error:
        problem = Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error))
        return (
            SignatureFacts(
                source=SignatureSource.EMBEDDED,
                place=_PLACE,
                digest_algorithm=None,
                signed_digest=None,
                digest_matches=None,
                valid=False,
                problems=(problem,),
            ),
        )
    content = AppContent(listing, entry)
    signatures = read_signatures(
        octets[len(_MAGIC) :],
        content,
        source=SignatureSource.EMBEDDED,
        place=_PLACE,
        roots=settings.roots,
        limits=settings.limits,
        subject=_BUNDLE if listing.named(BUNDLE_MANIFEST) else _APP,
    )
    if content.trouble is not None:
        parts.stop("the package cannot be digested", content.trouble)
    return tuple(replace(one, problems=tuple(_told(one, problem, content) for problem in one.problems)) for one in signatures)


def _told(facts: SignatureFacts, problem: Problem, content: AppContent) -> Problem:
    """A wrong digest by the names of what differs, in place of five digests in a row."""
    actual = content.digest(facts.digest_algorithm) if facts.digest_algorithm is not None else None
    if problem.code is not ProblemCode.DIGEST_MISMATCH or actual is None or facts.signed_digest is None:
        return problem
    return replace(problem, detail=differing(bytes.fromhex(facts.signed_digest), actual, str(facts.digest_algorithm)))


def _completed(facts: SignatureFacts, parts: _Parts, layout: list[Problem]) -> SignatureFacts:
    """A signature with what the scheme asks beyond Authenticode."""
    problems = [*layout, *parts.problems]
    if (
        facts.digest_algorithm is not None
        and parts.block_map is not None
        and facts.digest_algorithm != parts.block_map.algorithm
    ):
        problems.append(_rule(f"signed by {facts.digest_algorithm}, while the block map has {parts.block_map.algorithm}"))
    if facts.signer is not None and parts.manifest is not None:
        publisher = read_publisher(parts.manifest.publisher)
        if publisher is None or publisher != read_subject(facts.signer.subject):
            detail = f"the manifest names {parts.manifest.publisher[:300]!r}, the signer is {facts.signer.subject[:300]!r}"
            problems.append(Problem(code=ProblemCode.PACKAGE_PUBLISHER_WRONG, detail=detail))
    return replace(
        facts,
        scheme=SignatureScheme.APPX,
        valid=facts.valid and not problems,
        problems=tuple(dict.fromkeys((*facts.problems, *problems))),
    )
