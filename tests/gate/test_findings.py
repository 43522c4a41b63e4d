from dataclasses import replace

import pytest

from csv_gate.gate.findings import MAX_PROBLEM_FINDINGS, findings_of, findings_of_set
from csv_gate.model.appcontrol import AppControlPolicySet, Option
from csv_gate.model.checks import CHECKS
from csv_gate.model.checks.signature import CHECK_OF_PROBLEM
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.verdict import Decision, Level, Verdict
from csv_gate.policies import join_policies, read_policy
from tests.builders.policy import OTHER_ID, policy_xml
from tests.builders.results import allowed, denied, facts, signature, undecided


def test_every_problem_fires_a_check_that_exists() -> None:
    assert set(CHECK_OF_PROBLEM) == set(ProblemCode)
    assert set(CHECK_OF_PROBLEM.values()) <= set(CHECKS)


def test_a_denial_is_an_error_with_the_verdicts_own_words() -> None:
    verdict = denied()
    finding = findings_of(facts("a"), [verdict])[0]
    assert (finding.check, finding.level, finding.target) == (verdict.checks[0], Level.ERROR, verdict.target)
    assert finding.message == verdict.because
    assert finding.help == verdict.help


@pytest.mark.parametrize("verdict", [denied(audited=True), replace(undecided(), audited=True)])
def test_what_a_target_only_logs_is_a_warning(verdict: Verdict) -> None:
    assert {finding.level for finding in findings_of(facts("a"), [verdict])} == {Level.WARNING}


def test_an_undecided_verdict_is_an_error() -> None:
    assert findings_of(facts("a"), [undecided()])[0].level is Level.ERROR


def test_a_remark_on_an_allowed_artifact_never_is_an_error() -> None:
    verdict = Verdict(target="t", decision=Decision.ALLOWED, checks=("CSV204",))
    assert findings_of(facts("a"), [verdict])[0].level is Level.WARNING


def test_problems_of_the_file_its_signatures_and_their_time_stamps_are_told() -> None:
    problem = Problem(code=ProblemCode.PE_OVERLAY, detail="bytes behind the image", offset=0x200)
    signed = signature(place="0.1")
    stamp = signed.timestamp
    assert stamp is not None
    bad = replace(
        signed,
        problems=(Problem(code=ProblemCode.DIGEST_MISMATCH, detail="not what was signed"),),
        timestamp=replace(stamp, problems=(Problem(code=ProblemCode.TIMESTAMP_SIGNER_EKU, detail="no such purpose"),)),
    )
    found = findings_of(replace(facts("a"), problems=(problem,), signatures=(bad,)), [allowed()])
    assert [finding.check for finding in found] == ["CSV101", "CSV105", "CSV110"]
    assert "0.1" in found[0].message
    assert "time stamp of" in found[1].message
    assert "0x200" in found[2].message


def test_findings_come_gravest_first_and_none_twice() -> None:
    problem = Problem(code=ProblemCode.WEAK_DIGEST, detail="sha1")
    found = findings_of(replace(facts("a"), problems=(problem, problem)), [denied(), denied()])
    levels = [finding.level.rank for finding in found]
    assert levels == sorted(levels, reverse=True)
    assert len(set(found)) == len(found) == 2


def test_hostile_numbers_of_problems_are_bounded_and_the_gravest_stay() -> None:
    notes = tuple(Problem(code=ProblemCode.PE_OVERLAY, detail=str(n)) for n in range(500))
    grave = Problem(code=ProblemCode.DIGEST_MISMATCH, detail="grave")
    found = findings_of(replace(facts("a"), problems=(*notes, grave)), [])
    assert len(found) == MAX_PROBLEM_FINDINGS + 1
    assert found[0].check == "CSV101"
    assert any("477 more" in finding.message for finding in found)


def policy_set(*xml: bytes) -> AppControlPolicySet:
    return join_policies([read_policy(data, path=f"{n}.xml") for n, data in enumerate(xml)])


SUPPLEMENTAL = {"kind": "Supplemental Policy", "policy_id": OTHER_ID}


def test_a_supplemental_without_its_base_is_told() -> None:
    orphan = policy_xml(**SUPPLEMENTAL, base_policy_id="{12121212-2222-3333-4444-555555555555}")
    (finding,) = findings_of_set("prod", policy_set(policy_xml(), orphan))
    assert (finding.check, finding.target) == ("CSV205", "prod")
    assert "{12121212-2222-3333-4444-555555555555}" in finding.message


def test_a_base_that_does_not_accept_its_supplemental_is_told() -> None:
    (finding,) = findings_of_set("prod", policy_set(policy_xml(), policy_xml(**SUPPLEMENTAL)))
    assert finding.check == "CSV206"


def test_a_set_that_fits_together_has_no_findings() -> None:
    base = policy_xml(options=("Enabled:UMCI", Option.ALLOW_SUPPLEMENTAL_POLICIES.text))
    assert list(findings_of_set("prod", policy_set(base, policy_xml(**SUPPLEMENTAL)))) == []
