"""Reads a saved JSON result back into the types, for `report`, `notify` and baselines.

Strict about shapes: a value of the wrong kind is a `UsageError` with its JSON path, what stands there and what was expected.
Members that this version does not know are passed over, so that a newer minor version can be read. Nothing is re-judged.
"""

from __future__ import annotations

from csv_gate.errors import ExitCode, Place
from csv_gate.model.facts import Artifact
from csv_gate.model.facts_read import read_facts
from csv_gate.model.json_node import Node, parse
from csv_gate.model.result import (
    SCHEMA_VERSION,
    ArtifactResult,
    Finding,
    Owner,
    PolicyRef,
    RunInfo,
    Shard,
    Summary,
    TargetRef,
    WaiverRef,
)
from csv_gate.model.verdict import Decision, Level, NearMiss, Outcome, RuleRef, Step, Verdict
from csv_gate.records import dataclass


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
    node = parse(data, path=path)
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
            shard=run.find("shard").maybe(
                lambda shard: Shard(number=shard.at("number").number(), count=shard.at("count").number())
            ),
        ),
        targets=node.at("targets").each(_target),
        artifacts=node.at("artifacts").each(read_artifact),
        findings=node.at("findings").each(_finding),
        summary=_summary(node.at("summary")),
    )


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
        containers=node.at("containers").number(),
        unmet=node.find("unmet").maybe(Node.number) or 0,
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
        artifact=Artifact(path=node.at("path").text(), facts=read_facts(node)),
        verdicts=node.at("verdicts").each(_verdict),
        findings=node.at("findings").each(_finding),
        owner=node.at("owner").maybe(_owner),
        waiver=node.at("waiver").maybe(_waiver),
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
        owner=node.find("owner").maybe(_owner),
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
