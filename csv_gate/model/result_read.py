"""Reads a saved JSON result back into the types, for `report`, `notify` and baselines.

Strict about shapes: a value of the wrong kind is a `UsageError` with its JSON path, what stands there and what was expected.
Members that this version does not know are passed over, so that a newer minor version can be read. Nothing is re-judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NoReturn, TypeVar

from csv_gate.errors import ExitCode, Place, UsageError
from csv_gate.model.facts import (
    Artifact,
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
from csv_gate.model.result import (
    SCHEMA_VERSION,
    ArtifactResult,
    Finding,
    Owner,
    PolicyRef,
    RunInfo,
    Summary,
    TargetRef,
    WaiverRef,
)
from csv_gate.model.verdict import Decision, Level, NearMiss, Outcome, RuleRef, Step, Verdict

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedResult:
    """A `RunResult` that was read from a file."""

    run: RunInfo
    targets: tuple[TargetRef, ...]
    artifacts: tuple[ArtifactResult, ...]
    findings: tuple[Finding, ...]
    summary: Summary


def read_result(data: bytes | str, *, path: str) -> SavedResult:
    """Read a JSON result. `path` is its file, for messages only.

    Raises:
        UsageError: not JSON, not a result, another schema version, or a value of the wrong kind.
    """
    node = Node(_parse(data, path), "$", path)
    version = node.at("schema_version").text()
    if version != SCHEMA_VERSION:
        node.at("schema_version").refuse(f'"{SCHEMA_VERSION}"', "this file was written by another major version of csv-gate")
    run = node.at("run")
    return SavedResult(
        run=RunInfo(
            evaluated_at=run.at("evaluated_at").time(),
            inputs=run.at("inputs").each(Node.text),
            config_sha256=run.at("config_sha256").maybe(Node.text),
            tool_version=node.at("tool").at("version").text(),
        ),
        targets=node.at("targets").each(_target),
        artifacts=node.at("artifacts").each(read_artifact),
        findings=node.at("findings").each(_finding),
        summary=_summary(node.at("summary")),
    )


def _parse(data: bytes | str, path: str) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = Place(path=path, line=error.lineno, column=error.colno)
        raise UsageError(f"not a JSON result: {error.msg}", place=place, help="give a file written by `-o json`") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(
            f"not a JSON result: {reason}", place=Place(path=path), help="give a file written by `-o json`"
        ) from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with the path to it. The JSON edge: `Any` ends here."""

    value: Any
    where: str
    path: str

    def refuse(self, expected: str, title: str = "the result has a value of the wrong kind") -> NoReturn:
        got = json.dumps(self.value)
        raise UsageError(
            f"{title} at {self.where}",
            place=Place(path=self.path),
            got=got if len(got) <= 60 else got[:57] + "…",
            expected=expected,
            help="give a file written by `-o json`, unchanged",
        )

    def at(self, name: str) -> Node:
        """A member that must be there."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        if name not in self.value:
            self.refuse(f"an object with the member {name!r}", "the result lacks a member")
        return Node(self.value[name], f"{self.where}.{name}", self.path)

    def find(self, name: str) -> Node:
        """A member that may be left out, which counts as null."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return Node(self.value.get(name), f"{self.where}.{name}", self.path)

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else self.refuse("a string")

    def number(self) -> int:
        good = isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= 0
        return int(self.value) if good else self.refuse("a whole number, not negative")

    def flag(self) -> bool:
        return self.value if isinstance(self.value, bool) else self.refuse("true or false")

    def time(self) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError:
            self.refuse("an RFC 3339 time")
        return moment.astimezone(UTC) if moment.tzinfo else self.refuse("an RFC 3339 time with its zone")

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            self.refuse("a date such as 2027-01-31")

    def one_of(self, kind: type[E]) -> E:
        try:
            return kind(self.value)
        except ValueError:
            self.refuse("one of " + ", ".join(str(member.value) for member in kind))

    def maybe(self, read: Callable[[Node], T]) -> T | None:
        return None if self.value is None else read(self)

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        if not isinstance(self.value, list):
            self.refuse("an array")
        return tuple(read(Node(item, f"{self.where}[{index}]", self.path)) for index, item in enumerate(self.value))

    def texts(self) -> dict[str, str]:
        """An object whose members are all strings."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return {name: self.at(name).text() for name in self.value}


# --- the run ----------------------------------------------------------------------------------------------------------


def _target(node: Node) -> TargetRef:
    return TargetRef(
        name=node.at("name").text(),
        engine=node.at("engine").text(),
        policies=node.at("policies").each(_policy),
        mode=node.at("mode").text(),
    )


def _policy(node: Node) -> PolicyRef:
    return PolicyRef(
        path=node.at("path").text(),
        id=node.at("id").text(),
        name=node.at("name").maybe(Node.text),
        version=node.at("version").text(),
        kind=node.at("kind").text(),
        sha256=node.at("sha256").text(),
    )


def _summary(node: Node) -> Summary:
    levels = node.at("findings")
    return Summary(
        artifacts=node.at("artifacts").number(),
        allowed=node.at("allowed").number(),
        denied=node.at("denied").number(),
        audited=node.at("audited").number(),
        undecided=node.at("undecided").number(),
        not_applicable=node.at("not_applicable").number(),
        waived=node.at("waived").number(),
        excluded=node.at("excluded").number(),
        skipped=node.at("skipped").number(),
        findings={level: levels.at(level.value).number() for level in Level},
        exit_code=node.at("exit_code").one_of(ExitCode),
    )


# --- artifacts --------------------------------------------------------------------------------------------------------


def read_artifact(node: Node) -> ArtifactResult:
    """One row of `artifacts`.

    Raises:
        UsageError: a value of the wrong kind.
    """
    return ArtifactResult(
        artifact=Artifact(path=node.at("path").text(), facts=_facts(node)),
        verdicts=node.at("verdicts").each(_verdict),
        findings=node.at("findings").each(_finding),
        owner=node.at("owner").maybe(_owner),
        waiver=node.at("waiver").maybe(_waiver),
    )


def _facts(node: Node) -> Facts:
    inner = node.at("facts")
    return Facts(
        format=node.at("format").text(),
        size=node.at("size").number(),
        digests=inner.at("digests").maybe(_digests),
        pe=inner.at("pe").maybe(_pe),
        version=inner.at("version").maybe(_version),
        signatures=inner.at("signatures").each(_signature),
        problems=inner.at("problems").each(_problem),
        gaps=node.at("gaps").each(lambda gap: Gap(what=gap.at("what").one_of(FactName), why=gap.at("why").text())),
    )


def _digests(node: Node) -> Digests:
    return Digests(
        sha256=node.at("sha256").text(),
        sha1=node.find("sha1").maybe(Node.text),
        authenticode_sha1=node.at("authenticode_sha1").maybe(Node.text),
        authenticode_sha256=node.at("authenticode_sha256").maybe(Node.text),
        page_sha1=node.at("page_sha1").maybe(Node.text),
        page_sha256=node.at("page_sha256").maybe(Node.text),
        padded_authenticode_sha1=node.find("padded_authenticode_sha1").maybe(Node.text),
        padded_authenticode_sha256=node.find("padded_authenticode_sha256").maybe(Node.text),
    )


def _pe(node: Node) -> PeFacts:
    return PeFacts(
        machine=node.at("machine").text(),
        is_dll=node.at("is_dll").flag(),
        is_driver=node.at("is_driver").flag(),
        is_dotnet=node.at("is_dotnet").flag(),
        is_efi=node.at("is_efi").flag(),
        subsystem=node.at("subsystem").text(),
        imports_kernel=node.at("imports_kernel").maybe(Node.flag),
        force_integrity=node.at("force_integrity").flag(),
        overlay_bytes=node.at("overlay_bytes").number(),
    )


def _version(node: Node) -> VersionFacts:
    return VersionFacts(
        original_filename=node.at("original_filename").maybe(Node.text),
        internal_name=node.at("internal_name").maybe(Node.text),
        file_description=node.at("file_description").maybe(Node.text),
        product_name=node.at("product_name").maybe(Node.text),
        file_version=node.at("file_version").maybe(_four_numbers),
    )


def _four_numbers(node: Node) -> tuple[int, int, int, int]:
    parts = node.text().split(".")
    if len(parts) != 4 or not all(
        part.isascii() and part.isdigit() and len(part) <= 5 and int(part) <= 0xFFFF for part in parts
    ):
        node.refuse("four numbers up to 65535 with dots between them")
    a, b, c, d = map(int, parts)
    return a, b, c, d


def _problem(node: Node) -> Problem:
    return Problem(
        code=node.at("code").one_of(ProblemCode), detail=node.at("detail").text(), offset=node.at("offset").maybe(Node.number)
    )


def _signature(node: Node) -> SignatureFacts:
    return SignatureFacts(
        source=node.at("source").one_of(SignatureSource),
        place=node.at("place").text(),
        digest_algorithm=node.at("digest_algorithm").maybe(Node.text),
        signed_digest=node.at("signed_digest").maybe(Node.text),
        digest_matches=node.at("digest_matches").maybe(Node.flag),
        valid=node.at("valid").flag(),
        problems=node.at("problems").each(_problem),
        program_name=node.at("program_name").maybe(Node.text),
        more_info=node.at("more_info").maybe(Node.text),
        signer=node.at("signer").maybe(_certificate),
        chain=_chain(node),
        timestamp=node.at("timestamp").maybe(_timestamp),
        page_hashes=node.at("page_hashes").maybe(_page_hashes),
        catalog_sha256=node.at("catalog_sha256").maybe(Node.text),
    )


def _page_hashes(node: Node) -> PageHashFacts:
    return PageHashFacts(algorithm=node.at("algorithm").text(), matches=node.at("matches").flag())


def _chain(node: Node) -> ChainFacts | None:
    """`chain` and `chain_end` of a signature or a time stamp are one value."""
    certificates = node.at("chain").each(_certificate)
    end = node.at("chain_end")
    if end.value is None:
        return None if not certificates else end.refuse("an object, because the chain has certificates")
    return ChainFacts(
        certificates=certificates,
        end=end.at("kind").one_of(ChainEnd),
        well_known_root=end.at("well_known_root").maybe(Node.text),
        root_tbs=end.at("root_tbs").texts(),
    )


def _timestamp(node: Node) -> TimestampFacts:
    return TimestampFacts(
        kind=node.at("kind").one_of(TimestampKind),
        time=node.at("time").maybe(Node.time),
        valid=node.at("valid").flag(),
        signer=node.at("signer").maybe(_certificate),
        chain=_chain(node),
        digest_algorithm=node.at("digest_algorithm").maybe(Node.text),
        problems=node.at("problems").each(_problem),
    )


def _certificate(node: Node) -> CertificateFacts:
    return CertificateFacts(
        subject=node.at("subject").text(),
        subject_cn=node.at("subject_cn").maybe(Node.text),
        issuer=node.at("issuer").text(),
        issuer_cn=node.at("issuer_cn").maybe(Node.text),
        serial=node.at("serial").text(),
        thumbprint_sha1=node.at("thumbprint_sha1").text(),
        thumbprint_sha256=node.at("thumbprint_sha256").text(),
        not_before=node.at("not_before").time(),
        not_after=node.at("not_after").time(),
        eku=node.at("eku").maybe(lambda eku: eku.each(Node.text)),
        tbs=node.at("tbs").texts(),
        tbs_algorithm=node.at("tbs_algorithm").maybe(Node.text),
        signature_algorithm=node.at("signature_algorithm").text(),
        key_algorithm=node.at("key_algorithm").text(),
        key_bits=node.at("key_bits").maybe(Node.number),
        key_usage_digital_signature=node.at("key_usage_digital_signature").maybe(Node.flag),
        is_ca=node.at("is_ca").maybe(Node.flag),
        is_self_issued=node.at("is_self_issued").flag(),
    )


# --- verdicts, findings, owners ---------------------------------------------------------------------------------------


def _place(node: Node) -> Place:
    return Place(
        path=node.at("path").text(),
        line=node.at("line").maybe(Node.number),
        column=node.at("column").maybe(Node.number),
        offset=node.at("offset").maybe(Node.number),
    )


def _rule(node: Node) -> RuleRef:
    return RuleRef(
        policy=node.at("policy").text(),
        policy_id=node.at("policy_id").text(),
        id=node.at("id").text(),
        kind=node.at("kind").text(),
        name=node.at("name").maybe(Node.text),
        place=node.at("place").maybe(_place),
    )


def _verdict(node: Node) -> Verdict:
    return Verdict(
        target=node.at("target").text(),
        decision=node.at("decision").one_of(Decision),
        audited=node.at("audited").flag(),
        checks=node.at("checks").each(Node.text),
        rule=node.at("rule").maybe(_rule),
        because=node.at("because").text(),
        trace=node.at("trace").each(_step),
        nearest=node.at("nearest").each(_near_miss),
        missing=node.at("missing").each(Node.text),
        help=node.at("help").text(),
        predicted_event=node.at("predicted_event").maybe(Node.number),
    )


def _step(node: Node) -> Step:
    return Step(
        policy=node.at("policy").text(),
        rule=node.at("rule").maybe(_rule),
        outcome=node.at("outcome").one_of(Outcome),
        because=node.at("because").text(),
    )


def _near_miss(node: Node) -> NearMiss:
    return NearMiss(rule=_rule(node.at("rule")), matched=node.at("matched").each(Node.text), differs=node.at("differs").text())


def _finding(node: Node) -> Finding:
    return Finding(
        check=node.at("check").text(),
        level=node.at("level").one_of(Level),
        message=node.at("message").text(),
        target=node.at("target").maybe(Node.text),
        place=node.at("place").maybe(_place),
        help=node.at("help").text(),
    )


def _owner(node: Node) -> Owner:
    return Owner(
        name=node.at("name").text(), contact=node.at("contact").maybe(Node.text), source=node.at("source").maybe(Node.text)
    )


def _waiver(node: Node) -> WaiverRef:
    return WaiverRef(
        id=node.at("id").text(),
        reason=node.at("reason").text(),
        owner=node.at("owner").text(),
        expires=node.at("expires").day(),
        place=node.at("place").maybe(_place),
    )
