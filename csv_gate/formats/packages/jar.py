"""JAR: signature blocks over signature files, those over the manifest, and the manifest over the entries.

Each signer has a file `META-INF/X.SF` with digests of the manifest and of its sections, and a block `META-INF/X.RSA`, `.DSA` or `.EC`, a
CMS message over that file. What a signer covers are the entries that its file names. Where the manifest as a whole is no longer what it
was (a later signer added to it) each section is compared by itself. Names in `META-INF` count in any letter case.

Source: JAR File Specification (Java SE 17), "Signed JAR File"; `jdk.jar.disabledAlgorithms` of JDK 17. Not modelled: DSA and Ed25519
keys and RSA-PSS (such signatures are told and do not hold), trust in roots, revocation, what `Class-Path` names.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.jar_contents import WEAK, Agreement, Compared, Contents, compare, digest_of, read_contents
from csv_gate.formats.packages.jar_manifest import Manifest, Section, entry_key, read_manifest
from csv_gate.formats.packages.zip_members import Listing, read_listing
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.formats.zip_directory import Entry
from csv_gate.model.facts import PackageFacts, SignatureFacts, SignatureScheme, SignatureSource, TimestampFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace
from csv_gate.signatures.cms import FATAL, read_signed_data
from csv_gate.signatures.der import Source
from csv_gate.signatures.judgement import Judgement, judge, trailing_problems, unique
from csv_gate.signatures.timestamp import CADES_STAMPS

MANIFEST_NAME: Final = "META-INF/MANIFEST.MF"
BLOCK_ENDINGS: Final = (".RSA", ".DSA", ".EC")
MAX_BLOCK_BYTES: Final = 1024 * 1024
MAX_UNCOVERED: Final = 20
"""Names that facts tell of members without a signature."""
_AMBIGUOUS: Final = frozenset({ProblemCode.MEMBER_NAME_REPEATED, ProblemCode.CONTAINER_INCONSISTENT})
"""Readers of such an archive may see other entries than were compared."""
_WHOLE: Final = "-digest-manifest"
_MAIN: Final = "-digest-manifest-main-attributes"
_SHA1_UNTIL: Final = datetime(2019, 1, 1, tzinfo=UTC)
_MIN_RSA_BITS: Final = 1024
_SHOWN: Final = 3
NOT_HOLDING: Final = FATAL | {ProblemCode.PACKAGE_SIGNATURE_RULE, ProblemCode.PACKAGE_MEMBER_MISSING}


@dataclass(frozen=True, slots=True)
class Jar:
    """The signing files of an archive, and what its manifest says of the rest."""

    listing: Listing
    manifest: Manifest | None
    contents: Contents
    signature_files: Mapping[str, Entry]
    """By base name in upper case."""
    blocks: tuple[Entry, ...]
    faults: tuple[Problem, ...]
    """Why no signature can hold."""
    takes_sha1: bool = False
    """As Android does, whatever the time of signing."""

    def own_entries(self) -> frozenset[str]:
        """Names of what belongs to signatures and is covered by none."""
        bases = {_base(entry) for entry in self.blocks}
        files = [entry for base, entry in self.signature_files.items() if base in bases]
        return frozenset(entry.name for entry in (*files, *self.blocks))


@dataclass(frozen=True, slots=True)
class JarSignature:
    """One signature, and the entries that its file names."""

    facts: SignatureFacts
    covered: frozenset[str]
    sf: Manifest | None
    """The signature file."""

    def broken(self, detail: str) -> JarSignature:
        """This signature where something else shows that it does not hold."""
        return replace(self, facts=replace(self.facts, valid=False, problems=(_rule(detail), *self.facts.problems)))


def read_jar(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of an archive. See `PackageReader`."""
    jar = open_jar(read_listing(data, settings.limits), settings)
    signatures = read_signatures(jar, settings)
    first, count = uncovered(jar, signatures) if signatures else ((), 0)
    return PackageReading(package=described(jar, settings, first, count), signatures=tuple(one.facts for one in signatures))


def open_jar(listing: Listing, settings: ExtractionSettings, *, takes_sha1: bool = False) -> Jar:
    """Find the signing files of an archive and compare its entries with the manifest.

    Raises:
        LimitError: a text or the entries are too large.
    """
    faults = [one for one in listing.problems if one.code in _AMBIGUOUS]
    manifests, files, blocks = [], dict[str, Entry](), []
    for entry in listing.entries:
        name = entry.name.upper()
        if not name.startswith("META-INF/") or "/" in name[len("META-INF/") :]:
            continue
        if name == MANIFEST_NAME:
            manifests.append(entry)
        elif name.endswith(".SF"):
            if _base(entry) in files:
                faults.append(_rule(f"two signature files answer to the name {entry.name[:200]!r}"))
            files.setdefault(_base(entry), entry)
        elif name.endswith(BLOCK_ENDINGS):
            blocks.append(entry)
    manifest = None
    if len(manifests) > 1:
        faults.append(_rule("there are several manifests"))
    elif manifests:
        try:
            raw = listing.read(manifests[0], max_bytes=settings.limits.max_package_text_bytes)
            manifest = read_manifest(raw, "the manifest", settings.limits)
        except FormatError as error:
            faults.append(_rule(str(error)))
    else:
        faults.append(_rule("there is no manifest"))
    contents = Contents(compared={}, missing=()) if manifest is None else read_contents(listing, manifest)
    return Jar(listing, manifest, contents, files, tuple(blocks), tuple(faults), takes_sha1)


def read_signatures(jar: Jar, settings: ExtractionSettings) -> tuple[JarSignature, ...]:
    """All signatures, in the archive's order of their blocks; then signature files that have none."""
    found = [_read_block(jar, block, settings) for block in jar.blocks]
    bases = {_base(block) for block in jar.blocks}
    for base, entry in jar.signature_files.items():
        if base not in bases:
            found.append(_unreadable(jar, entry, _rule("the signature file has no signature: the block beside it is missing")))
    return tuple(found)


def _read_block(jar: Jar, block: Entry, settings: ExtractionSettings) -> JarSignature:
    limits = settings.limits
    entry = jar.signature_files.get(_base(block))
    if entry is None:
        return _unreadable(jar, block, _rule("the block has no signature file beside it"))
    try:
        raw = jar.listing.read(entry, max_bytes=limits.max_package_text_bytes)
        octets = jar.listing.read(block, max_bytes=MAX_BLOCK_BYTES)
        source = Source(octets, limits=limits)
        message = read_signed_data(source, limits)
        judgement = judge(message, raw, source, roots=settings.roots, limits=limits, strict=False, stamps=CADES_STAMPS)
        problems = [*judgement.check.problems, *trailing_problems(octets, message.stop)]
        if message.content is not None and message.content.octets() != raw:
            problems.append(_rule("the block holds another content than the signature file"))
    except ArtifactError as error:
        return _unreadable(jar, block, Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error)))
    try:
        sf = read_manifest(raw, "the signature file", limits)
    except LimitError:
        raise
    except FormatError as error:
        return _told(jar, block, judgement, [*problems, _rule(str(error))], None, _NOTHING)
    said = _said(jar, sf)
    return _told(jar, block, judgement, problems, sf, said)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a signature file comes to."""

    covered: frozenset[str] = frozenset()
    matches: bool | None = None
    algorithms: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


_NOTHING: Final = _Said()


def _said(jar: Jar, sf: Manifest) -> _Said:
    """Compare a signature file with the manifest and, by it, with the entries."""
    problems: list[Problem] = []
    if sf.main.attributes.get("signature-version", "").strip() != "1.0":
        problems.append(_rule("the signature file is not of version 1.0, so Java passes over it"))
    if jar.manifest is None:
        return _Said(problems=tuple(problems))
    whole = compare(sf.main.digests(_WHOLE), digest_of(jar.manifest.raw))
    used = set(whole.algorithms)
    stale: list[str] = []
    absent: list[str] = []
    if whole.agreement is not Agreement.RIGHT:
        main = _compare_section(sf.main.digests(_MAIN), jar.manifest.main)
        used |= main.algorithms
        if main.agreement is not Agreement.RIGHT:
            stale.append("the main attributes")
        for key, section in sf.sections.items():
            target = jar.manifest.sections.get(key)
            if target is None:
                absent.append(key)
                continue
            compared = _compare_section(section.digests(), target)
            used |= compared.algorithms
            if compared.agreement is not Agreement.RIGHT:
                stale.append(key)
    if stale:
        problems.append(_mismatch(f"the manifest is not what was signed: {_names(stale)}"))
    if absent:
        problems.append(_mismatch(f"the manifest no longer speaks of entries that were signed: {_names(absent)}"))
    covered, more, algorithms = _entries_said(jar, sf)
    problems.extend(more)
    if not covered:
        problems.append(_rule("the signature file vouches for no entry"))
    is_right = not any(one.code in NOT_HOLDING for one in problems)
    return _Said(covered, is_right, frozenset(used | algorithms), tuple(problems))


def _entries_said(jar: Jar, sf: Manifest) -> tuple[frozenset[str], list[Problem], set[str]]:
    """The entries that a signature file names and the manifest has a digest of, and how these agree."""
    contents, problems = jar.contents, list[Problem]()
    compared = {key: contents.compared[key] for key in sf.sections if key in contents.compared}
    missing = [key for key in contents.missing if key in sf.sections]
    wrong = [key for key, one in compared.items() if one.agreement is Agreement.WRONG]
    unknown = [key for key, one in compared.items() if one.agreement is Agreement.UNKNOWN]
    if wrong:
        why = next((f" ({contents.unreadable[key]})" for key in wrong if key in contents.unreadable), "")
        problems.append(_mismatch(f"entries are not what was signed: {_names(wrong)}{why}"))
    if missing:
        detail = f"entries that were signed are not there: {_names(missing)}"
        problems.append(Problem(code=ProblemCode.PACKAGE_MEMBER_MISSING, detail=detail))
    if unknown:
        problems.append(_rule(f"entries have no digest that Java still looks at: {_names(unknown)}"))
    covered = frozenset(key for key, one in compared.items() if one.agreement is not Agreement.UNKNOWN)
    return covered, problems, set().union(*(one.algorithms for one in compared.values())) if compared else set()


def _compare_section(stated: Sequence[tuple[str | None, str]], section: Section) -> Compared:
    """By the section with its blank line or, as some signers did, without."""
    compared = compare(stated, digest_of(section.raw))
    return compared if compared.agreement is not Agreement.WRONG else compare(stated, digest_of(section.bare))


def _told(
    jar: Jar, block: Entry, judgement: Judgement, problems: Iterable[Problem], sf: Manifest | None, said: _Said
) -> JarSignature:
    told = [*jar.faults, *said.problems, *problems, *_strength(jar, judgement, said.algorithms)]
    left_out = [name for name in _payload(jar) if entry_key(name) not in said.covered] if sf is not None else []
    if left_out:
        detail = f"entries that this signature does not cover: {_names(left_out)}"
        told.append(Problem(code=ProblemCode.PACKAGE_MEMBER_UNSIGNED, detail=detail))
    algorithm, digest = _signed_digest(sf)
    facts = SignatureFacts(
        scheme=SignatureScheme.JAR,
        source=SignatureSource.EMBEDDED,
        place=block.name,
        digest_algorithm=algorithm,
        signed_digest=digest,
        digest_matches=said.matches,
        valid=said.matches is True and not jar.faults and not any(one.code in NOT_HOLDING for one in told),
        problems=unique(told),
        signer=judgement.signer,
        chain=judgement.chain_facts,
        timestamp=judgement.timestamp,
    )
    return JarSignature(facts, said.covered, sf)


def _unreadable(jar: Jar, entry: Entry, problem: Problem) -> JarSignature:
    facts = SignatureFacts(
        scheme=SignatureScheme.JAR,
        source=SignatureSource.EMBEDDED,
        place=entry.name,
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=unique([problem, *jar.faults]),
    )
    return JarSignature(facts, frozenset(), None)


def _strength(jar: Jar, judgement: Judgement, algorithms: frozenset[str]) -> Iterator[Problem]:
    """What of the cryptography is weak, and what Java refuses for it."""
    signer = judgement.signer_info
    used = algorithms | ({signer.digest_algorithm} if signer is not None and signer.digest_algorithm else set())
    if algorithms & WEAK:
        yield Problem(code=ProblemCode.WEAK_DIGEST, detail="digests of the archive are by sha1")
    if used & WEAK and not jar.takes_sha1 and not _is_before_2019(judgement.timestamp):
        yield _rule("Java takes SHA-1 only where a time stamp shows that the signature was made before 2019")
    if "md5" in used:
        yield _rule("Java takes no signature by MD5")
    certificate = judgement.certificate
    bits = certificate.facts.key_bits if certificate is not None and certificate.facts.key_algorithm == "rsa" else None
    if bits is not None and bits < _MIN_RSA_BITS:
        yield _rule(f"Java takes RSA keys of at least {_MIN_RSA_BITS} bits, not {bits}")


def _is_before_2019(stamp: TimestampFacts | None) -> bool:
    return stamp is not None and stamp.valid and stamp.time is not None and stamp.time < _SHA1_UNTIL


def _signed_digest(sf: Manifest | None) -> tuple[str | None, str | None]:
    """The digest of the manifest that a signature file states, the longest where there are several."""
    known = [(name, value) for name, value in sf.main.digests(_WHOLE) if name is not None] if sf is not None else []
    if not known:
        return None, None
    name, value = max(known, key=lambda one: (len(one[1]), one[0]))
    try:
        return name, base64.b64decode(value, validate=True).hex()
    except ValueError:
        return name, None


def _payload(jar: Jar) -> Iterator[str]:
    """Names of all entries but folders and what belongs to signatures."""
    own = jar.own_entries()
    for entry in jar.listing.entries:
        is_folder = entry.name.endswith("/") and entry.size == 0
        if not is_folder and entry.name not in own and entry.name.upper() != MANIFEST_NAME:
            yield entry.name


def uncovered(jar: Jar, signatures: Iterable[JarSignature]) -> tuple[tuple[str, ...], int]:
    """The first entries that no signature reaches, and how many there are. Where one is valid, only valid ones count."""
    found = list(signatures)
    counting = [one for one in found if one.facts.valid] or found
    covered = frozenset[str]().union(*(one.covered for one in counting))
    left = [name for name in _payload(jar) if entry_key(name) not in covered]
    return tuple(left[:MAX_UNCOVERED]), len(left)


def described(jar: Jar, settings: ExtractionSettings, first: tuple[str, ...], count: int) -> PackageFacts:
    """What the manifest says of the archive."""
    attributes = jar.manifest.main.attributes if jar.manifest is not None else {}

    def said(*names: str) -> str | None:
        text = next((attributes[name] for name in names if name in attributes), None)
        return None if text is None else text[: settings.limits.max_text_characters]

    return PackageFacts(
        name=said("bundle-symbolicname", "implementation-title", "automatic-module-name"),
        version=said("bundle-version", "implementation-version"),
        publisher=said("bundle-vendor", "implementation-vendor"),
        digests_match=jar.contents.is_right,
        uncovered=first,
        uncovered_count=count,
    )


def _base(entry: Entry) -> str:
    return entry.name.upper().rpartition(".")[0]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:200]) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _mismatch(detail: str) -> Problem:
    return Problem(code=ProblemCode.DIGEST_MISMATCH, detail=detail)


def _rule(detail: str) -> Problem:
    return Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=detail)
