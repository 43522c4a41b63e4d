"""What a statement says, and above all what it does not say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.attesting import PREDICATES, claims, statement
from csv_gate.attesting.statement import policy_set_sha256
from csv_gate.model.result import ArtifactResult, Finding
from csv_gate.model.verdict import Decision, Level
from tests.builders.results import (
    UNREADABLE,
    BuiltResult,
    allowed,
    artifact,
    denied,
    digest,
    facts,
    not_applicable,
    result,
    target,
    undecided,
)


def subjects(run: BuiltResult) -> dict[str, list[str]]:
    return {claim.target.name: [path for path, _ in claim.subjects] for claim in claims(run)}


def document(run: BuiltResult, predicate: str = "svr") -> dict[str, Any]:
    (claim,) = claims(run)
    return dict(json.loads(statement(claim, predicate, resource="pkg:generic/demo@1")))


@pytest.mark.parametrize(
    "one",
    [
        artifact("x.dll", denied()),
        artifact("x.dll", denied(), waived=True),
        artifact("x.dll", denied(audited=True)),
        artifact("x.dll", undecided()),
        artifact("x.dll", undecided(), waived=True),
        artifact("x.dll", not_applicable()),
        artifact("x.dll", allowed(), about=facts("x.dll", gaps=(UNREADABLE,))),
        artifact("x.dll", allowed(), findings=(Finding(check="CSV112", level=Level.ERROR, message="readers disagree"),)),
        artifact("x.dll", allowed(), findings=(Finding(check="CSV401", level=Level.ERROR, message="not by build"),)),
        artifact(
            "x.dll", allowed(), findings=(Finding(check="CSV806", level=Level.ERROR, message="not known", target="prod"),)
        ),
    ],
    ids=[
        "denied",
        "waived",
        "audited",
        "undecided",
        "undecided and waived",
        "not governed",
        "unread",
        "doubted",
        "short",
        "perhaps short",
    ],
)
def test_what_is_not_plainly_allowed_is_in_no_statement(one: ArtifactResult) -> None:
    assert subjects(result(one, artifact("good.dll", allowed()))) == {"prod": ["good.dll"]}


def test_each_target_has_a_claim_of_its_own() -> None:
    run = result(artifact("a.dll", allowed("one"), denied("two")), artifact("b.dll", allowed("two")))
    assert subjects(run) == {"one": ["a.dll"], "two": ["b.dll"]}
    assert [claim.left for claim in claims(run)] == [0, 1]


def test_a_digest_that_is_denied_at_another_path_is_in_no_statement() -> None:
    same = facts("same.dll")
    run = result(artifact("in/place.dll", allowed(), about=same), artifact("out/place.dll", denied(), about=same))
    assert subjects(run) == {"prod": []}


@given(st.lists(st.tuples(st.sampled_from(Decision), st.integers(0, 4), st.booleans()), max_size=8))
def test_a_digest_is_attested_only_where_every_file_that_has_it_is_allowed(rows: list[tuple[Decision, int, bool]]) -> None:
    run = result(
        *(
            artifact(f"{n}.dll", replace(allowed(), decision=decision), about=facts(f"content {content}"), waived=waived)
            for n, (decision, content, waived) in enumerate(rows)
        )
    )
    found = {sha256 for claim in claims(run) for _, sha256 in claim.subjects}
    for content in range(5):
        decisions = {decision for decision, other, _ in rows if other == content}
        assert (digest(f"content {content}") in found) == (decisions == {Decision.ALLOWED})


def test_a_simple_verification_result_names_verifier_policies_time_and_property() -> None:
    shown = document(result(artifact("a.dll", allowed())))
    assert shown["_type"] == "https://in-toto.io/Statement/v1"
    assert shown["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    assert shown["subject"] == [{"name": "a.dll", "digest": {"sha256": digest("a.dll")}}]
    predicate = shown["predicate"]
    assert predicate["verifier"]["id"] == "urn:csv-gate:verifier"
    assert [policy["digest"]["sha256"] for policy in predicate["verifier"]["policies"]] == [
        policy.sha256 for policy in target().policies
    ]
    assert predicate["timeCreated"] == "2026-03-14T15:09:26Z"
    assert predicate["properties"] == ["CSV_GATE_APPCONTROL_ALLOWED"]


def test_a_verification_summary_has_every_member_that_slsa_requires() -> None:
    shown = document(result(artifact("a.dll", allowed())), "vsa")
    assert shown["predicateType"] == "https://slsa.dev/verification_summary/v1"
    predicate = shown["predicate"]
    required = {"verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"}
    assert required <= set(predicate)
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["resourceUri"] == "pkg:generic/demo@1"
    assert {name for name in predicate if ":" in name} == {"urn:csv-gate:run"}
    assert not [level for level in predicate["verifiedLevels"] if level.startswith("SLSA_")]


@pytest.mark.parametrize("predicate", PREDICATES)
def test_the_same_result_gives_the_same_bytes(predicate: str) -> None:
    run = result(artifact("b.dll", allowed()), artifact("a.dll", allowed()))
    first, again = (statement(claims(run)[0], predicate, resource="pkg:x") for _ in range(2))
    assert first == again


def test_a_path_that_is_no_text_still_has_a_statement() -> None:
    assert document(result(artifact("\udcff.dll", allowed())))["subject"][0]["name"] == "\udcff.dll"


def test_the_digest_of_a_set_depends_on_its_members_and_not_on_their_order() -> None:
    (one,) = target().policies
    two = replace(one, sha256="0" * 64)
    assert policy_set_sha256((one,)) == one.sha256
    assert policy_set_sha256((one, two)) == policy_set_sha256((two, one))
    assert policy_set_sha256((one, two)) not in (one.sha256, two.sha256)
