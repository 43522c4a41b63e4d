"""Signatures of Debian packages, deb(5): made by debsigs (detached, over the three members one behind the other) and by dpkg-sig (a
clear-signed list of the members with their MD5, SHA-1 and size).

dpkg looks at neither; debsig-verify and dpkg-sig do. Tools differ in which member they take where a name is there twice or begins like one
of the three, so a signature counts only over a package that is laid out as deb(5) says. Most packages have none: repositories sign lists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.ar import ArMember, read_members
from csv_gate.formats.packages.deb_control import read_control
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.lazy import regex
from csv_gate.model.facts import PackageFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace
from csv_gate.signatures.openpgp import Sink, is_clear_signed, key_ring, read_clear_signed, read_openpgp_signatures

_ORDER: Final = (
    regex(r"debian-binary"),
    regex(r"control\.tar(\.(gz|xz|zst))?"),
    regex(r"data\.tar(\.(gz|bz2|xz|zst|lzma))?"),
)
_SIGNATURE: Final = regex(r"_gpg([a-z0-9]+)")
_LISTED: Final = regex(r"[ \t]([0-9a-fA-F]{32}) ([0-9a-fA-F]{40}) ([0-9]{1,12}) (\S+)")
_MAX_SIGNATURE_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 20
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What one signature member came to."""

    signatures: tuple[SignatureFacts, ...]
    reached: frozenset[str]
    """Names of the members that it is over, right or not."""
    lists_match: bool | None = None


def read_deb(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """A package, read as `PackageReader` says."""
    members = read_members(data, settings.limits)
    layout = _layout_problem(members)
    found = [_read(member, members, settings) for member in members if _SIGNATURE.fullmatch(member.name)]
    signatures = tuple(_without_doubt(one, layout) for each in found for one in each.signatures)
    reached = frozenset[str]().union(*(each.reached for each in found))
    left = [one.name for one in members if one.name not in reached and not _SIGNATURE.fullmatch(one.name)] if found else []
    lists = [each.lists_match for each in found if each.lists_match is not None]
    control = next((one for one in members if _ORDER[1].fullmatch(one.name)), None)
    said = PackageFacts() if control is None else read_control(control.name, control.content, settings.limits)
    return PackageReading(
        package=replace(
            said,
            digests_match=all(lists) if lists else None,
            uncovered=tuple(left[:_SHOWN]),
            uncovered_count=len(left),
        ),
        signatures=signatures,
    )


def _layout_problem(members: Sequence[ArMember]) -> Problem | None:
    names = [member.name for member in members]
    fits = len(names) >= len(_ORDER) and all(pattern.fullmatch(name) for pattern, name in zip(_ORDER, names, strict=False))
    if fits and all(_SIGNATURE.fullmatch(name) for name in names[len(_ORDER) :]) and len(set(names)) == len(names):
        return None
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    detail = f"a signed package has debian-binary, control.tar, data.tar and signatures, each once and in this order; this has {shown}"
    return Problem(code=ProblemCode.DEB_LAYOUT, detail=detail)


def _without_doubt(signature: SignatureFacts, layout: Problem | None) -> SignatureFacts:
    return signature if layout is None else replace(signature, valid=False, problems=(*signature.problems, layout))


def _read(member: ArMember, members: Sequence[ArMember], settings: ExtractionSettings) -> _Signed:
    if len(member.content) > _MAX_SIGNATURE_BYTES:
        problem = Problem(code=ProblemCode.OPENPGP_MALFORMED, detail=f"a signature of {len(member.content)} bytes is none")
        facts = SignatureFacts(
            source=SignatureSource.EMBEDDED,
            place=member.name,
            digest_algorithm=None,
            signed_digest=None,
            digest_matches=None,
            valid=False,
            problems=(problem,),
            scheme=SignatureScheme.DEB,
        )
        return _Signed(signatures=(facts,), reached=frozenset())
    octets = bytes(member.content)
    role = member.name.removeprefix("_gpg")
    return (_listed if is_clear_signed(octets) else _detached)(octets, member, role, members, settings)


def _detached(octets: bytes, member: ArMember, role: str, members: Sequence[ArMember], settings: ExtractionSettings) -> _Signed:
    """debsigs: over the content of the three members, one behind the other."""
    over = members[: len(_ORDER)]

    def feed(sink: Sink) -> None:
        for one in over:
            for chunk in _chunks(one.content):
                sink.update(chunk)

    signatures = read_openpgp_signatures(
        octets,
        feed,
        keys=key_ring(settings.openpgp_keys),
        scheme=SignatureScheme.DEB,
        source=SignatureSource.EMBEDDED,
        place=member.name,
        role=role,
        limits=settings.limits,
        is_text_allowed=False,
    )
    return _Signed(signatures=signatures, reached=frozenset(one.name for one in over))


def _listed(octets: bytes, member: ArMember, role: str, members: Sequence[ArMember], settings: ExtractionSettings) -> _Signed:
    """dpkg-sig: a list of all members that stand before the signature."""
    text, signatures = read_clear_signed(
        octets,
        keys=key_ring(settings.openpgp_keys),
        scheme=SignatureScheme.DEB,
        source=SignatureSource.EMBEDDED,
        place=member.name,
        role=role,
        limits=settings.limits,
    )
    listed = _list(text)
    wrong = tuple(_wrong(listed, members[: _index(members, member)]))
    weak = Problem(code=ProblemCode.WEAK_DIGEST, detail="the signed list names the members by MD5 and SHA-1 alone")
    return _Signed(
        signatures=tuple(
            replace(
                one,
                valid=False,
                digest_matches=False if wrong else one.digest_matches,
                problems=(*one.problems, *wrong, weak),
            )
            for one in signatures
        ),
        reached=frozenset(name for name, *_ in listed),
        lists_match=not wrong if listed else None,
    )


def _index(members: Sequence[ArMember], member: ArMember) -> int:
    return next(number for number, one in enumerate(members) if one is member)


def _list(text: bytes) -> list[tuple[str, str, str, int]]:
    """Name, MD5, SHA-1 and size of each member in a list. What comes before `Files:` says who signed when."""
    lines = text.decode("utf-8", "surrogateescape").split("\r\n")
    if "Files:" not in lines:
        return []
    found = []
    for line in lines[lines.index("Files:") + 1 :]:
        if (match := _LISTED.fullmatch(line)) is None:
            break
        found.append((match[4], match[1].lower(), match[2].lower(), int(match[3])))
    return found


def _wrong(listed: Sequence[tuple[str, str, str, int]], members: Sequence[ArMember]) -> Iterator[Problem]:
    """Members that are not what the list says, and those that one side has and the other has not."""
    by_name = {name: (md5, sha1, size) for name, md5, sha1, size in listed}
    content = {member.name: member.content for member in members if not _SIGNATURE.fullmatch(member.name)}
    for name in sorted(by_name.keys() | content.keys()):
        if name in content and by_name.get(name) == _of(content[name]):
            continue
        detail = f"{name!r} is not the member that the signed list names"
        yield Problem(code=ProblemCode.DIGEST_MISMATCH, detail=detail)


def _of(content: memoryview) -> tuple[str, str, int]:
    md5, sha1 = (hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1"))
    for chunk in _chunks(content):
        md5.update(chunk)
        sha1.update(chunk)
    return md5.hexdigest(), sha1.hexdigest(), len(content)


def _chunks(content: memoryview) -> Iterator[memoryview]:
    for at in range(0, len(content), _CHUNK):
        yield content[at : at + _CHUNK]
