"""SARIF 2.1.0, within the limits of GitHub's code scanning.

A built file is no file of the repository, so a result stands on what its owner can change: the line of the policy or of the config;
the artifact itself is in `artifacts` and among the related locations.
Sources: SARIF 2.1.0 (OASIS); GitHub docs, SARIF support for code scanning.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, TextIO

from csv_gate.errors import GateError, Place
from csv_gate.model.checks import CHECKS, Check, page
from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.model.result_json import time_text
from csv_gate.model.verdict import Level
from csv_gate.report.describe import rows, rule_words
from csv_gate.report.diagnostics import Diagnostic, diagnostics, of_run, title
from csv_gate.report.escape import clip, json_line, terminal
from csv_gate.report.options import ReportOptions
from csv_gate.report.paths import uri

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RESULTS_MAX = 25_000
_GZIP_MAX = 10_000_000
"""Octets of the file that is uploaded, which is gzip of this one."""
_RESERVE = 1_000_000
"""Of `_GZIP_MAX`, for rules, invocation and what the compressor still holds back."""
_TEXT_MAX = 1_000
_HELP_MAX = 300
_MEMBER = "!/"
"""Between a container and what is in it."""
_SEVERITY = {Level.ERROR: "8.0", Level.WARNING: "5.0", Level.NOTE: "2.0"}

Json = dict[str, Any]


def render_sarif(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """One run; gravest results first, because a reader that cuts cuts the tail. Sorted, and the same bytes each time."""
    named: dict[str, int] = {}
    indexes: dict[str, int] = {}
    out.write(f'{{\n"$schema":{json_line(_SCHEMA)},\n"version":"2.1.0",\n"runs":[{{\n')
    out.write('"automationDetails":{"id":"csv-gate/"},\n"results":[')
    size = _Compressed()
    separator = "\n"
    written = left = 0
    for artifact, one in _ordered(result):
        if left or written >= _RESULTS_MAX or size.octets > _GZIP_MAX - _RESERVE:
            left += 1
            continue
        row = json_line(_result(result, artifact, one, named, options))
        out.write(separator + row)
        size.add(row)
        if artifact is not None and artifact.artifact.path not in indexes:
            size.add(json_line(_artifact(artifact, indexes, options)))
            _index(artifact.artifact.path, indexes)
        written += 1
        separator = ",\n"
    out.write('\n],\n"artifacts":[')
    _write_artifacts(result, indexes, out, options)
    out.write(f'\n],\n"invocations":[{json_line(_invocation(result, written, left))}],\n"tool":')
    driver = _driver(result, named, options)
    out.write(f'{{"driver":{json_line(driver)}}}\n}}]\n}}\n')


class _Compressed:
    """Measures what gzip makes of the text: at the weakest level, because the uploader's is not known."""

    def __init__(self) -> None:
        self.octets = 0
        self._compressor = zlib.compressobj(1)

    def add(self, text: str) -> None:
        self.octets += len(self._compressor.compress(text.encode("utf-8", "surrogatepass")))


def _index(path: str, indexes: dict[str, int]) -> None:
    """Give the containers that `path` is in, then `path` itself, their place among the artifacts."""
    cut = path.find(_MEMBER)
    while cut > 0:
        indexes.setdefault(path[:cut], len(indexes))
        cut = path.find(_MEMBER, cut + len(_MEMBER))
    indexes.setdefault(path, len(indexes))


def _write_artifacts(result: RunResult, indexes: dict[str, int], out: TextIO, options: ReportOptions) -> None:
    """In the order of `indexes`. A container that is itself no artifact of the result has a location only."""
    known: dict[str, str] = {}
    for artifact in result.artifacts:
        if artifact.artifact.path in indexes:
            known[artifact.artifact.path] = json_line(_artifact(artifact, indexes, options))
    separator = "\n"
    for path in indexes:
        out.write(separator + (known.get(path) or json_line(_located(path, indexes, options))))
        separator = ",\n"


def _ordered(result: RunResult) -> Iterator[tuple[ArtifactResult | None, Diagnostic]]:
    for level in (Level.ERROR, Level.WARNING, Level.NOTE):
        yield from ((None, of_run(finding)) for finding in result.findings if finding.level is level)
        for artifact in result.artifacts:
            yield from ((artifact, one) for one in diagnostics(artifact) if one.level is level)


def _invocation(result: RunResult, written: int, left: int) -> Json:
    code = int(result.summary.exit_code)
    invocation: Json = {
        "executionSuccessful": code in (0, 1, 4),
        "exitCode": code,
        "endTimeUtc": time_text(result.run.evaluated_at),
    }
    if left:
        text = f"{left:,} results beyond the gravest {written:,} were left out, to stay within what GitHub takes; the JSON result has all"
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return invocation


def _driver(result: RunResult, named: dict[str, int], options: ReportOptions) -> Json:
    driver: Json = {
        "name": "csv-gate",
        "version": terminal(result.run.tool_version, 100),
        "rules": [_rule(check, options) for check in named],
    }
    if options.docs_url:
        driver["informationUri"] = options.docs_url
    return driver


def _rule(check_id: str, options: ReportOptions) -> Json:
    entry = CHECKS.get(check_id)
    level = entry.level if entry else Level.WARNING
    text, help = _help(entry) if entry else (check_id, check_id)
    rule: Json = {
        "id": check_id,
        "name": entry.slug if entry else check_id,
        "shortDescription": {"text": clip(title(check_id), _TEXT_MAX)},
        "fullDescription": {"text": clip(text, _TEXT_MAX)},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": level.value},
        "properties": {
            "tags": ["security", "code-signing"],
            "precision": "very-high",
            "problem.severity": {"note": "recommendation"}.get(level.value, level.value),
            "security-severity": _SEVERITY[level],
        },
    }
    if url := options.check_url(check_id):
        rule["helpUri"] = url
    return rule


def _help(entry: Check) -> tuple[str, str]:
    """Full description and help out of the check's page, or its title where the page cannot be had."""
    try:
        found = page(entry.id)
    except (GateError, OSError, KeyError):
        return entry.title, entry.title
    return found.what, f"{found.what}\n\n## Why\n\n{found.why}\n\n## How to mend\n\n{found.mend}"


def _result(
    result: RunResult,
    artifact: ArtifactResult | None,
    one: Diagnostic,
    named: dict[str, int],
    options: ReportOptions,
) -> Json:
    check = terminal(one.check, 250)
    row: Json = {
        "ruleId": check,
        "ruleIndex": named.setdefault(check, len(named)),
        "kind": "fail",
        "level": one.level.value,
        "message": {"text": _message(artifact, one)},
        "locations": [_location(_primary(result, artifact, one), options)],
        "partialFingerprints": {"primaryLocationLineHash": _line_hash(artifact, one)},
    }
    if artifact is not None:
        path = artifact.artifact.path
        row["analysisTarget"] = {"uri": uri(path, options.base)}
        row["relatedLocations"] = list(_related(artifact, one, options))
    if one.waiver is not None:
        excused = f"until {one.waiver.expires.isoformat()} by {one.waiver.owner}: {one.waiver.reason}"
        row["suppressions"] = [{"kind": "external", "status": "accepted", "justification": terminal(excused)}]
    return row


def _primary(result: RunResult, artifact: ArtifactResult | None, one: Diagnostic) -> Place:
    """The diagnostic's own place, else the target's policy, else the artifact."""
    if one.place is not None:
        return one.place
    policies = next((target.policies for target in result.targets if target.name == one.target), ())
    if policies:
        return Place(path=policies[0].path)
    return Place(path=artifact.artifact.path if artifact else "csv-gate.yaml")


def _location(place: Place, options: ReportOptions) -> Json:
    line = place.line or 1
    column = place.column or 1
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column}
    return {"physicalLocation": {"artifactLocation": {"uri": uri(place.path, options.base)}, "region": region}}


def _related(artifact: ArtifactResult, one: Diagnostic, options: ReportOptions) -> Iterator[Json]:
    location = {"artifactLocation": {"uri": uri(artifact.artifact.path, options.base)}}
    yield {"id": 1, "physicalLocation": location, "message": {"text": "the artifact"}}
    misses = one.verdict.nearest[:3] if one.verdict else ()
    for number, miss in enumerate(misses, 2):
        if miss.rule.place is not None:
            text = link_free(f"nearly allowed by {rule_words(miss.rule)}: {miss.differs}")
            yield {"id": number, **_location(miss.rule.place, options), "message": {"text": text}}


def _message(artifact: ArtifactResult | None, one: Diagnostic) -> str:
    if artifact is None:
        return _fitted([one.message], one.help)
    lines = [f"{clip(artifact.artifact.path, 300)}: {one.message}"]
    lines += [f"{row.label}: {row.text}" for row in rows(artifact, one)]
    return _fitted(lines, f"help: {one.help}" if one.help else "")


def _fitted(lines: list[str], last: str) -> str:
    """The lines and `last` in no more than `_TEXT_MAX` characters: what does not fit is cut before `last` is.

    Cut before brackets are escaped, so that no cut bares one.
    """
    end = link_free(last, _HELP_MAX // 2) if len(link_free(last)) > _HELP_MAX else link_free(last)
    room = _TEXT_MAX - len(end) - 1
    kept: list[str] = []
    for line in lines:
        shown = link_free(line)
        if len(shown) > room:
            shown = link_free(line, room // 2)
        if room < 40:
            break
        kept.append(shown)
        room -= len(shown) + 1
    return "\n".join([*kept, *([end] if end else [])])


def link_free(text: str, limit: int = 600) -> str:
    """A line of a message: brackets would make a link of it (SARIF 2.1.0, 3.11.6)."""
    return terminal(text, limit).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _line_hash(artifact: ArtifactResult | None, one: Diagnostic) -> str:
    rule = one.verdict.rule.policy_id if one.verdict and one.verdict.rule else ""
    path = artifact.artifact.path if artifact else ""
    raw = "\0".join((one.check, path, one.target or "", rule, "" if one.verdict else one.message))
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:16] + ":1"


def _located(path: str, indexes: dict[str, int], options: ReportOptions) -> Json:
    row: Json = {"location": {"uri": uri(path, options.base)}}
    container, separator, _ = path.rpartition(_MEMBER)
    if separator and container in indexes:
        row["parentIndex"] = indexes[container]
    return row


def _artifact(artifact: ArtifactResult, indexes: dict[str, int], options: ReportOptions) -> Json:
    facts = artifact.artifact.facts
    row = {**_located(artifact.artifact.path, indexes, options), "roles": ["analysisTarget"]}
    if facts.digests is not None:
        row["length"] = facts.size
        row["hashes"] = {"sha-256": facts.digests.sha256}
    return row
