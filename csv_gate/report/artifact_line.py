"""An artifact's line of JSON, put together from pieces: certificates and chains repeat over a build, so their text is made once a run.

Three quarters of a signed file's line are such pieces. In a line that is kept or sent between processes their names stand for them,
between NUL characters, which no JSON text holds; `whole` puts them in.

The bytes are those of `json_line(artifact_json(result))`, which is the contract; this is the quick way to them, for the sections that
nearly every artifact has. A test compares the two field by field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring_ascii
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
    finding_json,
    gap_json,
    miss_json,
    owner_json,
    place_json,
    problem_json,
    time_text,
    waiver_json,
)
from csv_gate.model.sections_json import cabinet_json, compound_json, elf_json, key_json, package_json, script_json
from csv_gate.model.verdict import RuleRef, Verdict
from csv_gate.report.escape import json_line

_MAX_KEPT = 4096
"""Pieces kept; a build has a few dozen signers and chains."""
_LEAST_NAMED = 200
"""Characters of a piece for which its name pays."""
_MOST_NAMED = 1024 * 1024
"""Characters of all that a process names: hostile files may each bring a chain of their own, and whoever reads lines keeps the pieces."""
_MARK = "\0"
_TRUTH = {True: "true", False: "false", None: "null"}

T = TypeVar("T")


def _text(value: str | None) -> str:
    if value is None:
        return "null"
    quoted = encode_basestring_ascii(value)
    # Only what needs no escape at all has the same length; `##` may be an agent's command.
    return quoted if len(quoted) == len(value) + 2 and "##" not in value else json_line(value)


def _texts(values: Iterable[str]) -> str:
    return f"[{','.join(map(_text, values))}]"


def _optional(value: T | None, to_json: Callable[[T], object]) -> str:
    return "null" if value is None else json_line(to_json(value))


def _list(values: Iterable[T], to_json: Callable[[T], object]) -> str:
    """Of what most artifacts have none."""
    return json_line([to_json(value) for value in values]) if values else "[]"


class ArtifactLines:
    """Writes lines. Keeps the text of certificates and chains, known by identity: those that repeat are the same objects."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, str]] = {}
        self._named: dict[str, str] = {}
        self._room = _MOST_NAMED

    def named(self) -> dict[str, str]:
        """The pieces by name that lines stand on since this was asked last."""
        named, self._named = self._named, {}
        return named

    def line(self, result: ArtifactResult) -> str:
        """One row of `artifacts`, without line end, for `whole`."""
        facts = result.artifact.facts
        return (
            f'{{"path":{_text(result.artifact.path)},"sha256":{_text(facts.digests.sha256 if facts.digests else None)},'
            f'"size":{facts.size},"format":{_text(facts.format)},"facts":{self._facts(facts)},"gaps":{_list(facts.gaps, gap_json)},'
            f'"verdicts":[{",".join(map(_verdict, result.verdicts))}],"findings":{_list(result.findings, finding_json)},'
            f'"owner":{_optional(result.owner, owner_json)},"waiver":{_optional(result.waiver, waiver_json)}}}'
        )

    def _facts(self, facts: Facts) -> str:
        return (
            f'{{"digests":{_digests(facts.digests)},"pe":{_pe(facts.pe)},"version":{_version(facts.version)},'
            f'"script":{_optional(facts.script, script_json)},"compound":{_optional(facts.compound, compound_json)},'
            f'"cabinet":{_optional(facts.cabinet, cabinet_json)},"elf":{_optional(facts.elf, elf_json)},'
            f'"package":{_optional(facts.package, package_json)},"signatures":[{",".join(map(self._signature, facts.signatures))}],'
            f'"catalog_members":{_number(facts.catalog_members)},"problems":{_list(facts.problems, problem_json)}}}'
        )

    def _signature(self, one: SignatureFacts) -> str:
        pages = one.page_hashes
        hashed = "null" if pages is None else f'{{"algorithm":{_text(pages.algorithm)},"matches":{_TRUTH[pages.matches]}}}'
        return (
            f'{{"source":"{one.source.value}","place":{_text(one.place)},"digest_algorithm":{_text(one.digest_algorithm)},'
            f'"signed_digest":{_text(one.signed_digest)},"digest_matches":{_TRUTH[one.digest_matches]},"valid":{_TRUTH[one.valid]},'
            f'"problems":{_list(one.problems, problem_json)},"program_name":{_text(one.program_name)},'
            f'"more_info":{_text(one.more_info)},{self._signed(one.signer, one.chain)},"timestamp":{self._timestamp(one.timestamp)},'
            f'"page_hashes":{hashed},"catalog_sha256":{_text(one.catalog_sha256)},"scheme":"{one.scheme.value}",'
            f'"role":{_text(one.role)},"key":{_optional(one.key, key_json)}}}'
        )

    def _timestamp(self, stamp: TimestampFacts | None) -> str:
        if stamp is None:
            return "null"
        time = "null" if stamp.time is None else f'"{time_text(stamp.time)}"'
        return (
            f'{{"kind":"{stamp.kind.value}","time":{time},"valid":{_TRUTH[stamp.valid]},{self._signed(stamp.signer, stamp.chain)},'
            f'"digest_algorithm":{_text(stamp.digest_algorithm)},"problems":{_list(stamp.problems, problem_json)}}}'
        )

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
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        if _LEAST_NAMED <= len(text) <= self._room:
            self._room -= len(text)
            name = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
            self._named[name] = text
            text = f"{_MARK}{name}{_MARK}"
        self._kept[id(value)] = (value, text)  # the value is kept alive, so its identity is not given to another
        return text


def whole(text: str, pieces: Mapping[str, str]) -> str:
    """Lines with the pieces in the place of their names."""
    parts = text.split(_MARK)
    parts[1::2] = [pieces[name] for name in parts[1::2]]
    return "".join(parts)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _digests(one: Digests | None) -> str:
    if one is None:
        return "null"
    rest = "".join(
        f',"{name}":{_text(value)}'
        for name, value in (
            ("sha1", one.sha1),
            ("padded_authenticode_sha1", one.padded_authenticode_sha1),
            ("padded_authenticode_sha256", one.padded_authenticode_sha256),
        )
        if value is not None
    )
    return (
        f'{{"sha256":{_text(one.sha256)},"authenticode_sha1":{_text(one.authenticode_sha1)},'
        f'"authenticode_sha256":{_text(one.authenticode_sha256)},"page_sha1":{_text(one.page_sha1)},'
        f'"page_sha256":{_text(one.page_sha256)}{rest}}}'
    )


def _pe(one: PeFacts | None) -> str:
    if one is None:
        return "null"
    return (
        f'{{"machine":{_text(one.machine)},"is_dll":{_TRUTH[one.is_dll]},"is_driver":{_TRUTH[one.is_driver]},'
        f'"is_dotnet":{_TRUTH[one.is_dotnet]},"is_efi":{_TRUTH[one.is_efi]},"subsystem":{_text(one.subsystem)},'
        f'"imports_kernel":{_TRUTH[one.imports_kernel]},"force_integrity":{_TRUTH[one.force_integrity]},'
        f'"overlay_bytes":{one.overlay_bytes}}}'
    )


def _version(one: VersionFacts | None) -> str:
    if one is None:
        return "null"
    number = "null" if one.file_version is None else f'"{".".join(map(str, one.file_version))}"'
    return (
        f'{{"original_filename":{_text(one.original_filename)},"internal_name":{_text(one.internal_name)},'
        f'"file_description":{_text(one.file_description)},"product_name":{_text(one.product_name)},"file_version":{number}}}'
    )


def _verdict(one: Verdict) -> str:
    rule = _rule(one.rule)
    trace = ",".join(
        f'{{"policy":{_text(step.policy)},"rule":{rule if step.rule is one.rule else _rule(step.rule)},'
        f'"outcome":"{step.outcome.value}","because":{_text(step.because)}}}'
        for step in one.trace
    )
    return (
        f'{{"target":{_text(one.target)},"decision":"{one.decision.value}","audited":{_TRUTH[one.audited]},'
        f'"checks":{_texts(one.checks)},"rule":{rule},"because":{_text(one.because)},"trace":[{trace}],'
        f'"nearest":{_list(one.nearest, miss_json)},"missing":{_texts(one.missing)},"help":{_text(one.help)},'
        f'"predicted_event":{_number(one.predicted_event)}}}'
    )


def _rule(rule: RuleRef | None) -> str:
    if rule is None:
        return "null"
    return (
        f'{{"policy":{_text(rule.policy)},"policy_id":{_text(rule.policy_id)},"id":{_text(rule.id)},"kind":{_text(rule.kind)},'
        f'"name":{_text(rule.name)},"place":{_optional(rule.place, place_json)}}}'
    )
