"""Windows Installer packages (`.msi`, `.msp`, `.mst`) to facts: a compound file whose streams are signed in order.

The digest is over each storage's members sorted by name (octet by octet; of two names of which one begins the other, see `_sorted`):
a stream by its octets, a storage by its members and then its class id. The two signature streams of the root are left out. Where
`MsiDigitalSignatureEx` stands, a digest of names, sizes, states and times goes first, and the stream holds it. Without it, streams can be
renamed; in no case is anything covered that belongs to no stream.

Sources: [MS-CFB]; the digest rules were checked against packages signed by signtool and by Microsoft's customers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.compound_file import ROOT, STORAGE, STREAM, CompoundFile, Entry, Runs, root_class
from csv_gate.formats.identification import INSTALLERS, OLE
from csv_gate.formats.pe_digest import ALGORITHMS, feed
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import CompoundFacts, Digests, FactName, Facts, Gap, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace
from csv_gate.signatures import Subject, read_signatures
from csv_gate.signatures.content import ListedDigests

FORMATS: Final = frozenset(INSTALLERS.values())
_SUBJECT: Final = Subject(
    data_type="1.3.6.1.4.1.311.2.1.30",
    interface=bytes.fromhex("f1100c00 0000 0000 c000 000000000046"),
    name="an installer package",
)
_SIGNATURE: Final = "\x05DigitalSignature".encode("utf-16-le")
_METADATA: Final = "\x05MsiDigitalSignatureEx".encode("utf-16-le")
_MAX_METADATA_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A compound file laid out for its digest."""

    file: CompoundFile
    parts: tuple[Runs | bytes, ...]
    """What is hashed in order: ranges of the file, or octets of the directory."""
    metadata: tuple[bytes, ...]
    """What the digest of names and times is over."""
    signature: bytes | None
    metadata_digest: bytes | None
    streams: int


class PackageContent:
    """A package as its signatures see it (`csv_gate.signatures.SignedContent`)."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._digests: dict[str, bytes] = {}

    def metadata_matches(self, algorithm: str) -> bool | None:
        """Whether the metadata digest is right by this algorithm; `None`: there is none, or it is of another length."""
        stored = self._package.metadata_digest
        if stored is None or algorithm not in ALGORITHMS:
            return None
        made = _hash(algorithm, self._package.metadata)
        return None if len(made) != len(stored) else made == stored

    def digest(self, algorithm: str) -> bytes | None:
        """`None`: unknown algorithm, or a metadata digest by another one, for which no rule is known."""
        if algorithm not in ALGORITHMS:
            return None
        if algorithm not in self._digests:
            if self._package.metadata_digest is not None and self.metadata_matches(algorithm) is None:
                return None
            hasher = hashlib.new(algorithm, usedforsecurity=False)
            if self._package.metadata_digest is not None:
                hasher.update(_hash(algorithm, self._package.metadata))
            view = self._package.file.view
            for part in self._package.parts:
                if isinstance(part, bytes):
                    hasher.update(part)
                    continue
                for at, length in part:
                    hasher.update(view[at : at + length])
            self._digests[algorithm] = hasher.digest()
        return self._digests[algorithm]

    def page_hash_table(self, algorithm: str) -> bytes | None:
        return None


def extract_compound(view: memoryview, settings: ExtractionSettings) -> Facts:
    """Facts of a compound file. Bad bytes become problems and gaps, never an exception."""
    flat, flat_sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    feed(view, (flat, flat_sha1))
    digests = Digests(sha256=flat.hexdigest(), sha1=flat_sha1.hexdigest())
    format = INSTALLERS.get(root_class(lambda start, stop: bytes(view[start:stop])), OLE)
    try:
        file = CompoundFile(view, settings.limits)
        package = _lay_out(file, settings)
    except ArtifactError as error:
        problem = Problem(code=ProblemCode.COMPOUND_MALFORMED, detail=str(error))
        gaps = tuple(Gap(what=what, why=str(error)) for what in (FactName.AUTHENTICODE, FactName.SIGNATURES))
        return Facts(format=format, size=len(view), digests=digests, problems=(problem,), gaps=gaps)
    content = PackageContent(package)
    problems = list(_problems(package, content))
    embedded: tuple[SignatureFacts, ...] = ()
    if package.signature is not None:
        embedded = read_signatures(
            package.signature,
            content,
            source=SignatureSource.EMBEDDED,
            place="0",
            roots=settings.roots,
            limits=settings.limits,
            subject=_SUBJECT,
        )
    if format in FORMATS or package.signature is not None:
        sha1, sha256 = content.digest("sha1"), content.digest("sha256")
        digests = replace(
            digests,
            authenticode_sha1=sha1.hex() if sha1 else None,
            authenticode_sha256=sha256.hex() if sha256 else None,
        )
    appended = len(view) - file.appended_at()
    return Facts(
        format=format,
        size=len(view),
        digests=digests,
        compound=CompoundFacts(
            streams=package.streams,
            has_metadata_digest=package.metadata_digest is not None,
            appended_bytes=appended,
            unreachable_sectors=len(file.unreachable()),
        ),
        signatures=(
            *embedded,
            *settings.catalogs.signatures_for(ListedDigests(view, content, sha256=flat.digest(), sha1=flat_sha1.digest())),
        ),
        problems=tuple(problems),
    )


def _problems(package: Package, content: PackageContent) -> Iterator[Problem]:
    file = package.file
    end = file.appended_at()
    if any(file.view[end:]):
        detail = f"{len(file.view) - end} bytes behind the last sector in use, which no signature covers"
        yield Problem(code=ProblemCode.COMPOUND_APPENDED_DATA, detail=detail, offset=end)
    loose = file.unreachable()
    if loose:
        detail = f"{len(loose)} sectors with content that belong to no stream and that no signature covers"
        yield Problem(code=ProblemCode.COMPOUND_UNREACHABLE_SECTORS, detail=detail, offset=loose[0])
    if package.signature is not None and package.metadata_digest is None:
        detail = "the signature does not cover names, sizes and times of the streams (there is no MsiDigitalSignatureEx)"
        yield Problem(code=ProblemCode.COMPOUND_METADATA_UNSIGNED, detail=detail)
    if package.metadata_digest is not None and not any(content.metadata_matches(name) for name in sorted(ALGORITHMS)):
        detail = "names, sizes or times of the streams are not those that were signed (MsiDigitalSignatureEx)"
        yield Problem(code=ProblemCode.COMPOUND_METADATA_WRONG, detail=detail)


def _lay_out(file: CompoundFile, settings: ExtractionSettings) -> Package:
    """Order everything for the digest, without recursion: storages come and go on a list."""
    tree = file.children()
    limits = settings.limits
    parts: list[Runs | bytes] = []
    metadata: list[bytes] = []
    signature = metadata_digest = None
    streams = 0
    waiting: list[tuple[int, bool]] = [(0, False)]
    while waiting:
        number, is_done = waiting.pop()
        entry = file.entries[number]
        if is_done:
            parts.append(entry.class_id)
            continue
        if entry.kind == STREAM:
            streams += 1
            runs = file.runs(entry)
            if number in tree[0] and entry.name == _SIGNATURE:
                signature = file.read(runs, limits.max_certificate_table_bytes)
            elif number in tree[0] and entry.name == _METADATA:
                metadata_digest = file.read(runs, _MAX_METADATA_BYTES)
            else:
                metadata.append(_described(entry))
                parts.append(runs)
            continue
        metadata.append(_described(entry))
        waiting.append((number, True))
        waiting.extend((member, False) for member in reversed(_sorted(file, tree[number])))
    return Package(
        file=file,
        parts=tuple(parts),
        metadata=tuple(metadata),
        signature=signature,
        metadata_digest=metadata_digest,
        streams=streams,
    )


def _sorted(file: CompoundFile, members: Sequence[int]) -> list[int]:
    """By name with its terminator, octet by octet.

    Raises:
        FormatError: two of them have one name, so that there are two orders.
    """
    if len({file.entries[number].name for number in members}) < len(members):
        raise FormatError("two members of a storage have one name")
    return sorted(members, key=lambda number: file.entries[number].name + b"\0\0")


def _described(entry: Entry) -> bytes:
    """What the metadata digest covers of one entry."""
    name = b"" if entry.kind == ROOT else entry.name
    own = entry.class_id if entry.kind in (ROOT, STORAGE) else (entry.size & 0xFFFF_FFFF).to_bytes(4, "little")
    times = b"" if entry.kind == ROOT else entry.created + entry.modified
    return name + own + entry.state + times


def _hash(algorithm: str, parts: Sequence[bytes]) -> bytes:
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    for part in parts:
        hasher.update(part)
    return hasher.digest()
