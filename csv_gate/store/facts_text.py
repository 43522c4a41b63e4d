"""Facts to a compact text and back. What repeats over a build (certificates, chains, all but a file's own values) are parts, named by
their digest.

What is read here was written here and is covered by a checksum; still, anything that does not fit raises one of `UNREADABLE`, never
gives other facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from csv_gate.model.facts import (
    CertificateFacts,
    ChainEnd,
    ChainFacts,
    Digests,
    FactName,
    Facts,
    Gap,
    PageHashFacts,
    PeFacts,
    SignatureFacts,
    SignatureSource,
    TimestampFacts,
    TimestampKind,
    VersionFacts,
)
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.split_facts import SplitFacts, split
from csv_gate.records import fields

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError)
_PARTS_KEPT: Final = 8192
Row = list[Any]
"""The JSON edge: a row of values, each field in its place."""


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _problems(problems: tuple[Problem, ...]) -> Row:
    return [[problem.code.value, problem.detail, problem.offset] for problem in problems]


def _read_problems(row: Row) -> tuple[Problem, ...]:
    return (
        () if not row else tuple(Problem(code=ProblemCode(code), detail=detail, offset=offset) for code, detail, offset in row)
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


class FactsWriter:
    """Writes facts; tells `keep(name, text)` of each part when it is used for the first time."""

    def __init__(self, keep: Callable[[str, str], None]) -> None:
        self._keep = keep
        self._names: dict[int, tuple[object, str]] = {}
        self._shapes: dict[str, str] = {}
        """Name by text."""

    def text(self, facts: Facts) -> str:
        """The text of facts that have digests."""
        shape, size, own = split(facts)
        text = self._shape(shape)
        name = self._shapes.get(text)
        if name is None:
            if len(self._shapes) >= _PARTS_KEPT:
                self._shapes.clear()
            name = self._shapes[text] = part_name(text)
            self._keep(name, text)
        return _dump([name, size, *own])

    def _shape(self, facts: Facts) -> str:
        pe, version, digests = facts.pe, facts.version, facts.digests
        return _dump(
            [
                facts.format,
                facts.size,
                None if digests is None else [getattr(digests, name) for name in _DIGESTS],
                None if pe is None else [getattr(pe, name) for name in _PE],
                None if version is None else [getattr(version, name) for name in _VERSION],
                [self._signature(signature) for signature in facts.signatures],
                facts.catalog_members,
                _problems(facts.problems),
                [[gap.what.value, gap.why] for gap in facts.gaps],
            ]
        )

    def _part(self, value: object, row: Callable[[], Row]) -> str:
        known = self._names.get(id(value))
        if known is not None:
            return known[1]
        text = _dump(row())
        name = part_name(text)
        if len(self._names) >= _PARTS_KEPT:
            self._names.clear()
        self._names[id(value)] = (value, name)  # kept alive, so that its identity is not given to another
        self._keep(name, text)
        return name

    def _signature(self, one: SignatureFacts) -> Row:
        pages = one.page_hashes
        return [
            one.source.value,
            one.place,
            one.digest_algorithm,
            one.signed_digest,
            one.digest_matches,
            one.valid,
            _problems(one.problems),
            one.program_name,
            one.more_info,
            self._certificate(one.signer),
            self._chain(one.chain),
            None if one.timestamp is None else self._timestamp(one.timestamp),
            None if pages is None else [pages.algorithm, pages.matches],
            one.catalog_sha256,
        ]

    def _timestamp(self, one: TimestampFacts) -> Row:
        time = None if one.time is None else _time(one.time)
        return [
            one.kind.value,
            time,
            one.valid,
            self._certificate(one.signer),
            self._chain(one.chain),
            one.digest_algorithm,
            _problems(one.problems),
        ]

    def _chain(self, chain: ChainFacts | None) -> str | None:
        if chain is None:
            return None
        return self._part(
            chain,
            lambda: [
                [self._certificate(one) for one in chain.certificates],
                chain.end.value,
                chain.well_known_root,
                dict(sorted(chain.root_tbs.items())),
                chain.root_sha256,
            ],
        )

    def _certificate(self, one: CertificateFacts | None) -> str | None:
        if one is None:
            return None
        return self._part(
            one,
            lambda: [
                *(getattr(one, name) for name in _CERTIFICATE),
                _time(one.not_before),
                _time(one.not_after),
                dict(sorted(one.tbs.items())),
                None if one.eku is None else list(one.eku),
            ],
        )


_DIGESTS: Final = tuple(one.name for one in fields(Digests))
_PE: Final = tuple(one.name for one in fields(PeFacts))
_VERSION: Final = tuple(one.name for one in fields(VersionFacts))
_CERTIFICATE: Final = tuple(
    one.name for one in fields(CertificateFacts) if one.name not in ("not_before", "not_after", "tbs", "eku")
)

_WRITTEN: Final[dict[type[DataclassInstance], str]] = {
    # A PE has nothing to say as script, compound file, cabinet, ELF or package, its signatures are Authenticode's, and only what a PE
    # says is kept.
    Digests: "sha256 sha1 authenticode_sha1 authenticode_sha256 page_sha1 page_sha256 padded_authenticode_sha1 "
    "padded_authenticode_sha256",
    VersionFacts: "original_filename internal_name file_description product_name file_version",
    Facts: "format size digests pe script compound cabinet elf package version signatures catalog_members problems gaps",
    Gap: "what why",
    Problem: "code detail offset",
    SignatureFacts: "source place digest_algorithm signed_digest digest_matches valid problems program_name more_info signer chain "
    "timestamp page_hashes catalog_sha256 scheme role key",
    TimestampFacts: "kind time valid signer chain digest_algorithm problems",
    ChainFacts: "certificates end well_known_root root_tbs root_sha256",
    PageHashFacts: "algorithm matches",
}


def unwritten() -> tuple[str, ...]:
    """Types of facts whose fields are not all written here: while there are any, nothing may be kept."""
    return tuple(kind.__name__ for kind, names in _WRITTEN.items() if names.split() != [one.name for one in fields(kind)])


_decode: Final = json.JSONDecoder().raw_decode
"""`json.loads` but for the spaces around."""
_SOURCES: Final = {source.value: source for source in SignatureSource}
_KINDS: Final = {kind.value: kind for kind in TimestampKind}


def _read_version(row: Row) -> VersionFacts:
    *names, file_version = row
    return VersionFacts(**dict(zip(_VERSION, (*names, file_version and tuple(file_version)), strict=True)))


def part_name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


class FactsReader:
    """Reads facts; asks `find(name)` for the text of a part that it has not met yet. Equal parts become one object, shapes too."""

    def __init__(self, find: Callable[[str], str]) -> None:
        self._find = find
        self._certificates: dict[str, CertificateFacts] = {}
        self._chains: dict[str, ChainFacts] = {}
        self._shapes: dict[str, tuple[Facts, int]] = {}
        """Each with the number of own values that it has places for."""

    def facts(self, text: str) -> SplitFacts:
        """The facts of a text.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: it is no such text, or a part is not there.
        """
        (name, size, *own), _ = _decode(text)
        shape, count = self._shapes.get(name) or self._shape(name)
        if len(own) != count or {*map(type, own)} != {str} or type(size) is not int:
            raise ValueError(f"other own values than the {count} of the shape")
        return SplitFacts(shape, size, tuple(own))

    def _shape(self, name: str) -> tuple[Facts, int]:
        if len(self._certificates) + len(self._chains) + len(self._shapes) >= _PARTS_KEPT:
            self._certificates.clear()
            self._chains.clear()
            self._shapes.clear()
        format, size, digests, pe, version, signatures, members, problems, gaps = self._part(name)
        shape = Facts(
            format=format,
            size=size,
            digests=None if digests is None else Digests(**dict(zip(_DIGESTS, digests, strict=True))),
            pe=None if pe is None else PeFacts(**dict(zip(_PE, pe, strict=True))),
            version=None if version is None else _read_version(version),
            signatures=tuple(map(self._signature, signatures)),
            catalog_members=members,
            problems=_read_problems(problems),
            gaps=tuple([Gap(what=FactName(what), why=why) for what, why in gaps]),
        )
        known = self._shapes[name] = (shape, len(split(shape).own))
        return known

    def _signature(self, row: Row) -> SignatureFacts:
        source, place, algorithm, signed, matches, valid, problems, program, more, signer, chain, stamp, pages, catalog = row
        return SignatureFacts(
            source=_SOURCES[source],
            place=place,
            digest_algorithm=algorithm,
            signed_digest=signed,
            digest_matches=matches,
            valid=valid,
            problems=_read_problems(problems),
            program_name=program,
            more_info=more,
            signer=None if signer is None else self._certificate(signer),
            chain=None if chain is None else self._chain(chain),
            timestamp=None if stamp is None else self._timestamp(stamp),
            page_hashes=None if pages is None else PageHashFacts(algorithm=pages[0], matches=pages[1]),
            catalog_sha256=catalog,
        )

    def _timestamp(self, row: Row) -> TimestampFacts:
        kind, time, valid, signer, chain, algorithm, problems = row
        return TimestampFacts(
            kind=_KINDS[kind],
            time=None if time is None else datetime.fromisoformat(time),
            valid=valid,
            signer=None if signer is None else self._certificate(signer),
            chain=None if chain is None else self._chain(chain),
            digest_algorithm=algorithm,
            problems=_read_problems(problems),
        )

    def _part(self, name: str) -> Row:
        text = self._find(name)
        if part_name(text) != name:
            raise ValueError("a part has another name than its digest")
        row: Row = json.loads(text)
        return row

    def _chain(self, name: str) -> ChainFacts:
        if (known := self._chains.get(name)) is not None:
            return known
        certificates, end, well_known, root_tbs, root_sha256 = self._part(name)
        chain = self._chains[name] = ChainFacts(
            certificates=tuple(map(self._certificate, certificates)),
            end=ChainEnd(end),
            well_known_root=well_known,
            root_tbs=root_tbs,
            root_sha256=root_sha256,
        )
        return chain

    def _certificate(self, name: str) -> CertificateFacts:
        if (known := self._certificates.get(name)) is not None:
            return known
        *plain, not_before, not_after, tbs, eku = self._part(name)
        certificate = self._certificates[name] = CertificateFacts(
            **dict(zip(_CERTIFICATE, plain, strict=True)),
            not_before=datetime.fromisoformat(not_before),
            not_after=datetime.fromisoformat(not_after),
            tbs=tbs,
            eku=None if eku is None else tuple(eku),
        )
        return certificate
