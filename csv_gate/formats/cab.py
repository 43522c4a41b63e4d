"""Cabinet files to facts: header, reserved area, and the signature behind the cabinet that the reserved area points at.

A signed cabinet reserves 20 bytes in its header, which hold where the signature stands: {u32 0x00100000, u32 offset, u32 size, 8 zeros}.
The digest covers the header but for the first reserved field, the number in the set, and the sizes and place of the signature; and then
everything up to the signature. Tools of Microsoft reserve 6144 bytes in advance; with a reserve of another size than 20, no rule for the
digest is known here.

Sources: [MS-CAB]; "Microsoft Cabinet Format" (Cabinet SDK). The digest rule was checked against cabinets signed by other tools.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Final

from csv_gate.formats.pe_digest import ALGORITHMS, CHUNK_BYTES, feed
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import CabinetFacts, Digests, FactName, Facts, Gap, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field, replace
from csv_gate.signatures import Subject, read_signatures
from csv_gate.signatures.content import ListedDigests

CAB: Final = "cab"
_HEADER_BYTES: Final = 36
_PREVIOUS, _NEXT, _RESERVE = 1, 2, 4
_SIGNED_RESERVE: Final = 20
_SIGNED_MARK: Final = 0x0010_0000
_SUBJECT: Final = Subject(data_type="1.3.6.1.4.1.311.2.1.25", name="a cabinet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cabinet:
    """The header, and the block of the signature; empty where there is none."""

    facts: CabinetFacts | None = None
    signature: tuple[int, int] | None = None
    """(offset, size), inside of the file."""
    covered: tuple[tuple[int, int], ...] = ()
    """Ranges that the digest is over, as (start, stop); empty where no rule is known."""
    spoilt: tuple[Problem, ...] = ()
    """Why the signature does not hold whatever it says."""
    problems: tuple[Problem, ...] = ()
    gap: str | None = None


@dataclass(slots=True)
class CabinetContent:
    """A cabinet as its signatures see it (`csv_gate.signatures.SignedContent`)."""

    view: memoryview
    covered: tuple[tuple[int, int], ...]
    known: dict[str, bytes] = field(default_factory=dict)

    def digest(self, algorithm: str) -> bytes | None:
        if algorithm not in ALGORITHMS or not self.covered:
            return None
        if algorithm not in self.known:
            hasher = hashlib.new(algorithm, usedforsecurity=False)
            for start, stop in self.covered:
                for at in range(start, stop, CHUNK_BYTES):
                    hasher.update(self.view[at : min(at + CHUNK_BYTES, stop)])
            self.known[algorithm] = hasher.digest()
        return self.known[algorithm]

    def page_hash_table(self, algorithm: str) -> bytes | None:
        return None


def extract_cab(view: memoryview, settings: ExtractionSettings) -> Facts:
    """Facts of a cabinet. Bad bytes become problems and gaps, never an exception."""
    flat = hashlib.sha256()
    feed(view, (flat,))
    cabinet = read_cabinet(view)
    content = CabinetContent(view, cabinet.covered)
    sha1, sha256 = content.digest("sha1"), content.digest("sha256")
    embedded: tuple[SignatureFacts, ...] = ()
    if cabinet.signature is not None:
        offset, size = cabinet.signature
        embedded = read_signatures(
            view[offset : offset + size],
            content,
            source=SignatureSource.EMBEDDED,
            place="0",
            roots=settings.roots,
            limits=settings.limits,
            subject=_SUBJECT,
        )
    if cabinet.spoilt:
        embedded = tuple(replace(one, valid=False, problems=(*one.problems, *cabinet.spoilt)) for one in embedded)
    gaps = (Gap(what=FactName.SIGNATURES, why=cabinet.gap),) if cabinet.gap is not None else ()
    return Facts(
        format=CAB,
        size=len(view),
        digests=Digests(
            sha256=flat.hexdigest(),
            authenticode_sha1=sha1.hex() if sha1 else None,
            authenticode_sha256=sha256.hex() if sha256 else None,
        ),
        cabinet=cabinet.facts,
        signatures=(*embedded, *settings.catalogs.signatures_for(ListedDigests(view, content, sha256=flat.digest()))),
        problems=cabinet.problems,
        gaps=gaps,
    )


def read_cabinet(view: memoryview) -> Cabinet:
    """Read the header. Never raises for what the octets hold."""
    if len(view) < _HEADER_BYTES:
        return _malformed("the cabinet ends in its header", None)
    (length,) = struct.unpack_from("<I", view, 8)
    folders, files, flags = struct.unpack_from("<HHH", view, 26)
    reserve = 0
    if flags & _RESERVE:
        if len(view) < _HEADER_BYTES + 4:
            return _malformed("the cabinet ends in its header", None)
        (reserve,) = struct.unpack_from("<H", view, 36)
    facts = CabinetFacts(files=files, folders=folders, reserve_bytes=reserve, is_part=bool(flags & (_PREVIOUS | _NEXT)))
    problems: list[Problem] = []
    if facts.is_part:
        detail = "one volume of several: what it installs depends on files that are not signed with it"
        problems.append(Problem(code=ProblemCode.CABINET_PART, detail=detail))
    if length > len(view) or 40 + reserve > len(view):
        return _malformed(f"the header speaks of {length} bytes, the file has {len(view)}", facts)
    size = offset = 0
    if reserve >= _SIGNED_RESERVE:
        mark, offset, size = struct.unpack_from("<III", view, 40)
        if mark != _SIGNED_MARK:
            size = 0
    if size == 0:
        return Cabinet(facts=facts, problems=(*problems, *_unsigned_tail(view, length, reserve)))
    return _signed(view, facts, length, offset, size, problems)


def _signed(view: memoryview, facts: CabinetFacts, length: int, offset: int, size: int, problems: list[Problem]) -> Cabinet:
    spoilt: list[Problem] = []
    if offset + size > len(view) or offset < 40 + facts.reserve_bytes:
        malformed = _malformed("the signature of the cabinet lies outside of the file", facts)
        return replace(malformed, problems=(*problems, *malformed.problems))
    if offset != length:
        detail = f"the cabinet ends at {length}, its signature begins at {offset}"
        spoilt.append(Problem(code=ProblemCode.CABINET_MALFORMED, detail=detail, offset=length))
    if offset + size < len(view):
        detail = f"{len(view) - offset - size} bytes behind the signature, which it does not cover"
        spoilt.append(Problem(code=ProblemCode.CABINET_TRAILING_DATA, detail=detail, offset=offset + size))
    covered: tuple[tuple[int, int], ...] = ((0, 4), (8, 34), (56, 60), (60, offset))
    gap = None
    if facts.reserve_bytes != _SIGNED_RESERVE:
        covered = ()
        gap = f"the signature stands in a reserved area of {facts.reserve_bytes} bytes; what its digest covers is not specified"
        problems.append(Problem(code=ProblemCode.CABINET_RESERVE, detail=gap, offset=40))
    return Cabinet(
        facts=facts,
        signature=(offset, size),
        covered=covered,
        spoilt=tuple(spoilt),
        problems=(*problems, *spoilt),
        gap=gap,
    )


def _unsigned_tail(view: memoryview, length: int, reserve: int) -> Sequence[Problem]:
    problems: list[Problem] = []
    if reserve and any(view[40 : 40 + reserve]):
        detail = f"a reserved area of {reserve} bytes that holds something and no signature"
        problems.append(Problem(code=ProblemCode.CABINET_RESERVE, detail=detail, offset=40))
    if length < len(view) and any(view[length:]):
        detail = f"{len(view) - length} bytes behind the cabinet"
        problems.append(Problem(code=ProblemCode.CABINET_TRAILING_DATA, detail=detail, offset=length))
    return problems


def _malformed(why: str, facts: CabinetFacts | None) -> Cabinet:
    return Cabinet(facts=facts, problems=(Problem(code=ProblemCode.CABINET_MALFORMED, detail=why),), gap=why)
