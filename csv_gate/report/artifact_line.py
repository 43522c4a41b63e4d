"""An artifact's line of JSON, put together from pieces: certificates, chains and verdicts repeat over a build, so their text is made once a
run.

Five sixths of a signed file's line are such pieces. In a line that is kept or sent between processes their names stand for them,
between NUL characters, which no JSON text holds; `whole` puts them in.

The bytes are those of `json_line(artifact_json(result))`, which is the contract; this is the quick way to them, for the sections that
nearly every artifact has. A test compares the two field by field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import TypeVar

from csv_gate.model.facts import (
    CertificateFacts,
    ChainFacts,
    Digests,
    Facts,
    PeFacts,
    SignatureFacts,
    TimestampFacts,
    VersionFacts,
)
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import (
    certificate_json,
    chain_end_json,
    digests_json,
    finding_json,
    gap_json,
    owner_json,
    pe_json,
    problem_json,
    rule_json,
    signature_json,
    time_text,
    unicode_json,
    verdict_json,
    waiver_json,
)
from csv_gate.model.sections_json import cabinet_json, compound_json, elf_json, package_json, script_json
from csv_gate.model.split_facts import OwnTexts
from csv_gate.model.verdict import RuleRef, Verdict
from csv_gate.records.rows import NamedTuple
from csv_gate.report.escape import inert_json, json_line

_MAX_KEPT = 4096
"""Pieces kept; a build has a few dozen signers and chains."""
_LEAST_NAMED = 100
"""Characters of a piece for which its name pays."""
_MOST_NAMED = 1024 * 1024
"""Characters of all that a process names: hostile files may each bring a chain of their own, and whoever reads lines keeps the pieces."""
_MARK = "\0"
_HOLE = "\1"
"""No JSON text holds it either."""
_TRUTH = {True: "true", False: "false", None: "null"}

T = TypeVar("T")
Own = Callable[[str | None], str]
"""Writes a file's own value."""


class Frame(NamedTuple):
    """The line of files that differ in nothing but their paths and own values."""

    parts: list[str]
    """Every second one is a hole."""

    def line(self, path: str, size: int, own: OwnTexts) -> str:
        """The line of one of them, for `whole`. Raises ValueError where there are not as many own values as holes."""
        parts = self.parts.copy()
        parts[1::2] = [encode_basestring(path), encode_basestring(own[0]), str(size), *map(encode_basestring, own)]
        return _fit("".join(parts))


def _quoted(value: str | None) -> str:
    """A text as JSON has it. What a terminal or an agent would obey is escaped in the whole line or piece, once: `_fit`."""
    return "null" if value is None else encode_basestring(value)


def _hole(value: str | None) -> str:
    return "null" if value is None else _HOLE


def _fit(text: str) -> str:
    """Text of `_quoted` values as `json_line` would write it."""
    return inert_json(unicode_json(text))


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _optional(value: T | None, to_json: Callable[[T], object]) -> str:
    return "null" if value is None else json_line(to_json(value))


def _list(values: Iterable[T], to_json: Callable[[T], object]) -> str:
    """Of what most artifacts have none."""
    return json_line([to_json(value) for value in values]) if values else "[]"


class ArtifactLines:
    """Writes lines. Keeps the text of what repeats, known by identity: what is equal in many files is one object."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, str]] = {}
        self._small: dict[int, tuple[object, str]] = {}
        """Rules and headers, which are many and short: apart, so that they do not push certificates out."""
        self._verdicts: dict[tuple[object, ...], str] = {}
        """By all that a verdict says: most of a build is allowed by one of a few signers."""
        self._same: dict[int, tuple[object, str]] = {}
        """Of those, the ones that the engine gave for more than one file."""
        self._texts: dict[str, str] = {}
        """All that is named, by name."""
        self._told = 0
        """How many of them were handed out."""
        self._room = _MOST_NAMED

    def named(self) -> dict[str, str]:
        """The pieces by name that lines stand on since this was asked last."""
        names = list(self._texts)[self._told :]
        self._told += len(names)
        return {name: self._texts[name] for name in names}

    def line(self, result: ArtifactResult) -> str:
        """One row of `artifacts`, without line end, for `whole`."""
        facts = result.artifact.facts
        sha256 = facts.digests.sha256 if facts.digests else None
        return _fit(self._line(result, _quoted(result.artifact.path), _quoted(sha256), str(facts.size), _quoted))

    def frame(self, result: ArtifactResult) -> Frame | None:
        """The line of all files that have the result's shape of facts and all else of it; `None`: they write theirs one by one."""
        facts = result.artifact.facts
        if facts.digests is None or _is_rare(facts.digests) or any(map(_is_rarely_signed, facts.signatures)):
            return None
        line = _fit(self._line(result, _HOLE, _HOLE, _HOLE, _hole))
        full = whole(line, self._texts)
        around = [self._name(text) for text in full.split(_HOLE)] if len(full) <= self._room else line.split(_HOLE)
        parts = [""] * (2 * len(around) - 1)
        parts[::2] = around
        return Frame(parts)

    def _line(self, result: ArtifactResult, path: str, sha256: str, size: str, own: Own) -> str:
        facts = result.artifact.facts
        return (
            f'{{"path":{path},"sha256":{sha256},"size":{size},'
            f'"format":{encode_basestring(facts.format)},"facts":{self._facts(facts, own)},'
            f'"gaps":{_list(facts.gaps, gap_json)},"verdicts":[{",".join(map(self._verdict, result.verdicts))}],'
            f'"findings":{_list(result.findings, finding_json)},"owner":{_optional(result.owner, owner_json)},'
            f'"waiver":{_optional(result.waiver, waiver_json)}}}'
        )

    def _facts(self, facts: Facts, own: Own) -> str:
        rest = '"script":null,"compound":null,"cabinet":null,"elf":null,"package":null'  # which a PE image has none of
        if facts.script or facts.compound or facts.cabinet or facts.elf or facts.package:
            rest = (
                f'"script":{_optional(facts.script, script_json)},"compound":{_optional(facts.compound, compound_json)},'
                f'"cabinet":{_optional(facts.cabinet, cabinet_json)},"elf":{_optional(facts.elf, elf_json)},'
                f'"package":{_optional(facts.package, package_json)}'
            )
        return (
            f'{{"digests":{_digests(facts.digests, own)},"pe":{self._pe(facts.pe)},"version":{_version(facts.version, own)},{rest},'
            f'"signatures":[{",".join([self._signature(one, own) for one in facts.signatures])}],'
            f'"catalog_members":{_number(facts.catalog_members)},"problems":{_list(facts.problems, problem_json)}}}'
        )

    def _pe(self, pe: PeFacts | None) -> str:
        if pe is None:
            return "null"
        kept = self._small.get(id(pe))
        return kept[1] if kept is not None else _remember(self._small, pe, json_line(pe_json(pe)))

    def _signature(self, one: SignatureFacts, own: Own) -> str:
        if _is_rarely_signed(one):
            return json_line(signature_json(one))
        return (
            f'{{"source":"{one.source}","place":{encode_basestring(one.place)},"digest_algorithm":{_quoted(one.digest_algorithm)},'
            f'"signed_digest":{own(one.signed_digest)},"digest_matches":{_TRUTH[one.digest_matches]},"valid":{_TRUTH[one.valid]},'
            f'"problems":{_list(one.problems, problem_json)},"program_name":{_quoted(one.program_name)},'
            f'"more_info":{_quoted(one.more_info)},{self._signed(one.signer, one.chain)},"timestamp":{self._timestamp(one.timestamp, own)},'
            f'"page_hashes":null,"catalog_sha256":{_quoted(one.catalog_sha256)},"scheme":"{one.scheme}",'
            f'"role":{_quoted(one.role)},"key":null}}'
        )

    def _timestamp(self, stamp: TimestampFacts | None, own: Own) -> str:
        if stamp is None:
            return "null"
        time = own(None if stamp.time is None else time_text(stamp.time))
        return (
            f'{{"kind":"{stamp.kind}","time":{time},"valid":{_TRUTH[stamp.valid]},{self._signed(stamp.signer, stamp.chain)},'
            f'"digest_algorithm":{_quoted(stamp.digest_algorithm)},"problems":{_list(stamp.problems, problem_json)}}}'
        )

    def _verdict(self, one: Verdict) -> str:
        same = self._same.get(id(one))
        if same is not None:
            return same[1]
        if one.checks or one.nearest or one.missing:
            return json_line(verdict_json(one))  # of few files there is so much to say
        rule = self._rule(one.rule)
        steps = [
            (step.policy, rule if step.rule is one.rule else self._rule(step.rule), step.outcome.value, step.because)
            for step in one.trace
        ]
        said = (one.target, one.decision.value, one.audited, rule, one.because, one.help, one.predicted_event, *steps)
        kept = self._verdicts.get(said)
        if kept is None:
            if len(self._verdicts) >= _MAX_KEPT:
                self._verdicts.clear()
            kept = self._verdicts[said] = _verdict(one, rule, steps)
            return kept
        if not kept.startswith(_MARK):  # a second time; by rules of hashes there is a verdict for each file
            kept = self._verdicts[said] = self._name(kept)
        return _remember(self._same, one, kept)

    def _rule(self, rule: RuleRef | None) -> str:
        if rule is None:
            return "null"
        kept = self._small.get(id(rule))
        if kept is not None:
            return kept[1]
        return _remember(self._small, rule, json_line(rule_json(rule)))

    def _signed(self, signer: CertificateFacts | None, chain: ChainFacts | None) -> str:
        by = "null" if signer is None else self._certificate(signer)
        return f'"signer":{by},' + ('"chain":[],"chain_end":null' if chain is None else self._chain(chain))

    def _chain(self, chain: ChainFacts) -> str:
        kept = self._kept.get(id(chain))
        if kept is not None:
            return kept[1]
        certificates = ",".join(json_line(certificate_json(one)) for one in chain.certificates)
        return self._keep(chain, f'"chain":[{certificates}],"chain_end":{json_line(chain_end_json(chain))}')

    def _certificate(self, certificate: CertificateFacts) -> str:
        kept = self._kept.get(id(certificate))
        return kept[1] if kept is not None else self._keep(certificate, json_line(certificate_json(certificate)))

    def _keep(self, value: object, text: str) -> str:
        return _remember(self._kept, value, self._name(text))

    def _name(self, text: str) -> str:
        """What stands for a piece in lines: its name, if that pays and there is room."""
        if not _LEAST_NAMED <= len(text) <= self._room:
            return text
        name = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
        if name not in self._texts:
            self._room -= len(text)
            self._texts[name] = text
        return f"{_MARK}{name}{_MARK}"


def _remember(kept: dict[int, tuple[object, str]], value: object, text: str) -> str:
    if len(kept) >= _MAX_KEPT:
        kept.clear()
    kept[id(value)] = (value, text)  # the value is kept alive, so its identity is not given to another
    return text


def whole(text: str, pieces: Mapping[str, str]) -> str:
    """Lines with the pieces in the place of their names."""
    parts = text.split(_MARK)
    parts[1::2] = [pieces[name] for name in parts[1::2]]
    return "".join(parts)


def _verdict(one: Verdict, rule: str, steps: Sequence[tuple[str, str, str, str]]) -> str:
    """Of one that names no checks. Rules are given as they are written."""
    trace = [
        f'{{"policy":{encode_basestring(policy)},"rule":{of},"outcome":"{outcome}","because":{encode_basestring(because)}}}'
        for policy, of, outcome, because in steps
    ]
    return _fit(
        f'{{"target":{encode_basestring(one.target)},"decision":"{one.decision}","audited":{_TRUTH[one.audited]},"checks":[],'
        f'"rule":{rule},"because":{encode_basestring(one.because)},"trace":[{",".join(trace)}],"nearest":[],"missing":[],'
        f'"help":{encode_basestring(one.help)},"predicted_event":{_number(one.predicted_event)}}}'
    )


def _is_rare(one: Digests) -> bool:
    return one.sha1 is not None or one.padded_authenticode_sha1 is not None or one.padded_authenticode_sha256 is not None


def _digests(one: Digests | None, own: Own) -> str:
    if one is None:
        return "null"
    if _is_rare(one):
        return json_line(digests_json(one))
    return (
        f'{{"sha256":{own(one.sha256)},"authenticode_sha1":{own(one.authenticode_sha1)},'
        f'"authenticode_sha256":{own(one.authenticode_sha256)},"page_sha1":{own(one.page_sha1)},'
        f'"page_sha256":{own(one.page_sha256)}}}'
    )


def _version(one: VersionFacts | None, own: Own) -> str:
    if one is None:
        return "null"
    number = None if one.file_version is None else ".".join(map(str, one.file_version))
    return (
        f'{{"original_filename":{own(one.original_filename)},"internal_name":{own(one.internal_name)},'
        f'"file_description":{own(one.file_description)},"product_name":{own(one.product_name)},"file_version":{own(number)}}}'
    )


def _is_rarely_signed(one: SignatureFacts) -> bool:
    return one.page_hashes is not None or one.key is not None
