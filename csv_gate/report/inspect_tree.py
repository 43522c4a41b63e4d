"""The facts of one artifact as a tree for people: digests, headers, every signature with its chain and time stamp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from csv_gate.model.facts import (
    Artifact,
    CertificateFacts,
    ChainEnd,
    ChainFacts,
    Digests,
    Facts,
    KeyFacts,
    SignatureFacts,
    SignatureSource,
    TimestampFacts,
)
from csv_gate.model.problems import Problem
from csv_gate.model.result_json import time_text
from csv_gate.records import dataclass, field
from csv_gate.report.describe import key_words, kind_of_file, scheme_words, version_row
from csv_gate.report.escape import terminal
from csv_gate.report.inspect_formats import format_lines
from csv_gate.report.options import ReportOptions

_GOOD, _BAD, _WARN, _FAINT = "32", "1;31", "33", "2"


@dataclass(slots=True)
class Branch:
    """One line of the tree with what hangs below it. Text is raw."""

    text: str
    colour: str = ""
    below: list[Branch] = field(default_factory=list)


def render_inspection(artifact: Artifact, out: TextIO, options: ReportOptions) -> None:
    """One artifact. Says what the bytes say and nothing of what a policy would do."""
    facts = artifact.facts
    out.write(f"--> {terminal(artifact.path)} ({terminal(f'{kind_of_file(facts)}, {facts.size:,} bytes')})\n")
    _draw(list(_branches(facts)), out, options)


def _branches(facts: Facts) -> Iterator[Branch]:
    if facts.digests is not None:
        yield Branch("digests", below=list(_digests(facts.digests, "Authenticode" if facts.format == "pe" else "signing")))
    if facts.pe is not None:
        flags = [
            name
            for name, is_set in (("forces integrity checks", facts.pe.force_integrity), (".NET", facts.pe.is_dotnet))
            if is_set
        ]
        overlay = [f"{facts.pe.overlay_bytes:,} bytes of overlay"] if facts.pe.overlay_bytes else []
        yield Branch("subsystem " + ", ".join((facts.pe.subsystem, *flags, *overlay)))
    yield from (Branch(line) for line in format_lines(facts))
    if (version := version_row(facts)) is not None:
        yield Branch("version " + version.text)
    yield from (Branch(f"unknown {gap.what.value}: {gap.why}", _WARN) for gap in facts.gaps)
    if facts.signatures:
        yield Branch(_count(facts.signatures), below=_signatures(facts.signatures))
    elif facts.gap() is None:
        yield Branch("no signature", _WARN)
    yield from _problems(facts.problems)


def _digests(digests: Digests, own: str) -> Iterator[Branch]:
    """`own`: what the digest by the format's signing rule is called."""
    named = (
        ("sha256, flat", digests.sha256),
        ("sha1, flat", digests.sha1),
        (f"sha256, {own}", digests.authenticode_sha256),
        (f"sha1, {own}", digests.authenticode_sha1),
        ("sha256, Authenticode padded", digests.padded_authenticode_sha256),
        ("sha1, Authenticode padded", digests.padded_authenticode_sha1),
        ("sha256, first page", digests.page_sha256),
        ("sha1, first page", digests.page_sha1),
    )
    width = max(len(name) for name, value in named if value)
    yield from (Branch(f"{name:<{width}}  {value}") for name, value in named if value)


def _count(signatures: Sequence[SignatureFacts]) -> str:
    valid = sum(signature.valid for signature in signatures)
    return f"{len(signatures)} signature{'s' * (len(signatures) != 1)}, {valid} valid"


def _signatures(signatures: Sequence[SignatureFacts]) -> list[Branch]:
    """Nested signatures hang below the one that they are nested in: `0.1` below `0`."""
    top: list[Branch] = []
    by_place: dict[str, Branch] = {}
    for signature in signatures:
        branch = _signature(signature)
        parent = by_place.get(signature.place.rpartition(".")[0]) if signature.source is SignatureSource.NESTED else None
        (top if parent is None else parent.below).append(branch)
        by_place[signature.place] = branch
    return top


def _signature(signature: SignatureFacts) -> Branch:
    state = "valid" if signature.valid else "NOT VALID"
    where = f"{scheme_words(signature)} {signature.place}"
    branch = Branch(f"{where}: {state}, {signature.digest_algorithm or 'unknown digest'}", _GOOD if signature.valid else _BAD)
    below = branch.below
    if signature.signed_digest is not None:
        matches = {True: "matches the file", False: "IS NOT THE FILE'S", None: "could not be compared"}[
            signature.digest_matches
        ]
        below.append(Branch(f"digest {signature.signed_digest} {matches}", "" if signature.digest_matches else _BAD))
    if signature.program_name:
        below.append(Branch(f"programme name {signature.program_name}"))
    if signature.more_info:
        below.append(Branch(f"more information {signature.more_info}"))
    if signature.catalog_sha256:
        below.append(Branch(f"catalog sha256 {signature.catalog_sha256}"))
    if signature.page_hashes is not None:
        matches = "match" if signature.page_hashes.matches else "DO NOT MATCH"
        below.append(Branch(f"page hashes {signature.page_hashes.algorithm} {matches}"))
    if signature.key is not None:
        below.append(_key(signature.key))
    if signature.signer is not None or signature.key is None:
        below.append(_chain("signer", signature.signer, signature.chain))
        below.append(_timestamp(signature.timestamp) if signature.timestamp else Branch("no time stamp", _WARN))
    below.extend(_problems(signature.problems))
    return branch


def _key(key: KeyFacts) -> Branch:
    branch = Branch(f"signer {key_words(key)}", "" if key.is_given else _WARN)
    if key.algorithm is not None:
        branch.below.append(Branch(f"{key.algorithm} {key.bits or ''}".strip()))
    branch.below.extend(Branch(name) for name in key.user_ids[2:])
    return branch


def _chain(word: str, signer: CertificateFacts | None, chain: ChainFacts | None) -> Branch:
    """Leaf first; each issuer hangs below what it issued."""
    if signer is None:
        return Branch(f"{word} unknown", _BAD)
    certificates = chain.certificates if chain and chain.certificates else (signer,)
    first = last = _certificate(word, certificates[0])
    for cert in certificates[1:]:
        issuer = _certificate("issued by", cert)
        last.below.append(issuer)
        last = issuer
    last.below.append(_chain_end(chain, certificates[-1]))
    return first


def _chain_end(chain: ChainFacts | None, top: CertificateFacts) -> Branch:
    if chain is None:
        return Branch("chain unknown", _WARN)
    number = f" {chain.well_known_root}" if chain.well_known_root else ""
    tbs = "".join(f", TBS {name} {digest}" for name, digest in sorted(chain.root_tbs.items())[-1:])
    text, colour = {
        ChainEnd.KNOWN_ROOT: (f"ends in a well-known root{number}{tbs}", _GOOD),
        ChainEnd.GIVEN_ROOT: (f"ends in a root that was given{tbs}", _GOOD),
        ChainEnd.SELF_SIGNED: ("ends in itself: a root that nobody vouches for", _WARN),
        ChainEnd.INCOMPLETE: (f"incomplete: the certificate of {top.issuer} is not at hand", _WARN),
    }[chain.end]
    return Branch(text, colour)


def _certificate(word: str, cert: CertificateFacts) -> Branch:
    name = cert.tbs_algorithm or "sha256"
    key = f"{cert.key_algorithm} {cert.key_bits}" if cert.key_bits else cert.key_algorithm
    days = f"{cert.not_before.date().isoformat()} to {cert.not_after.date().isoformat()}"
    branch = Branch(f"{word} {cert.subject}")
    branch.below.append(Branch(f"TBS {name} {cert.tbs.get(name, 'unknown')}", _FAINT))
    branch.below.append(Branch(f"{key}, {cert.signature_algorithm}, valid {days}, sha1 {cert.thumbprint_sha1}", _FAINT))
    if cert.eku:
        branch.below.append(Branch("EKU " + ", ".join(cert.eku), _FAINT))
    return branch


def _timestamp(stamp: TimestampFacts) -> Branch:
    when = time_text(stamp.time) if stamp.time else "at an unknown time"
    state = "valid" if stamp.valid else "DOES NOT COUNT"
    branch = Branch(f"time stamp {stamp.kind.value} {when}: {state}", _GOOD if stamp.valid else _BAD)
    branch.below.append(_chain("signer", stamp.signer, stamp.chain))
    branch.below.extend(_problems(stamp.problems))
    return branch


def _problems(problems: Sequence[Problem]) -> Iterator[Branch]:
    for problem in problems:
        where = f" (at offset {problem.offset:#x})" if problem.offset is not None else ""
        yield Branch(f"problem {problem.code.value}: {problem.detail}{where}", _WARN)


def _draw(roots: Sequence[Branch], out: TextIO, options: ReportOptions) -> None:
    """Depth first, without recursion: the depth of nesting comes from the artifact."""
    waiting = [(branch, "", branch is roots[-1]) for branch in reversed(roots)]
    while waiting:
        branch, lead, is_last = waiting.pop()
        text = terminal(branch.text, 1_000)
        painted = f"\x1b[{branch.colour}m{text}\x1b[0m" if options.colour and branch.colour else text
        out.write(f"{lead}{'└─ ' if is_last else '├─ '}{painted}\n")
        inner = lead + ("   " if is_last else "│  ")
        waiting.extend((below, inner, below is branch.below[-1]) for below in reversed(branch.below))
