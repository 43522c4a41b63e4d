"""The one rule in the help of a denial, which would allow the file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from csv_gate.engine import CompiledPolicySet, compile_policy_set, evaluate
from csv_gate.model.appcontrol import AppControlPolicySet
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts, PageHashFacts
from csv_gate.model.verdict import Decision
from csv_gate.policies import join_policies, read_policy
from csv_gate.suggesting import mending_rule
from tests.builders import appcontrol as ac
from tests.builders import facts as f
from tests.builders.policy import policy_xml, scenario_xml

NOTHING = ac.policy_set(ac.policy())
CONTEXT = AppControlContext(evaluated_at=f.NOW)
PAGES = PageHashFacts(algorithm="sha1", matches=False)
SIGNED, UNSIGNED = f.facts(f.signature()), f.facts()


def rule(facts: Facts, policies: AppControlPolicySet = NOTHING) -> str | None:
    compiled: CompiledPolicySet = compile_policy_set(policies)
    return mending_rule(evaluate(facts, compiled, CONTEXT, target="t"), facts, compiled, CONTEXT)


def test_a_signed_file_is_mended_by_its_publisher() -> None:
    found = rule(SIGNED)
    assert found is not None
    signer = ElementTree.fromstring(found)
    assert signer.tag == "Signer"
    assert signer.find("CertRoot").attrib["Value"].lower() == f.tbs("Contoso CA", "Contoso Root")  # type: ignore[union-attr]
    assert signer.find("CertPublisher").attrib == {"Value": "Contoso Ltd"}  # type: ignore[union-attr]


def test_an_unsigned_file_is_mended_by_its_hash() -> None:
    found = rule(UNSIGNED)
    assert found is not None
    allow = ElementTree.fromstring(found)
    assert allow.attrib["Hash"].lower() == f.hex_digest("image")


def test_the_hash_of_a_file_that_was_changed_after_signing_is_not_offered() -> None:
    assert rule(f.facts(f.signature(valid=False))) is None


def test_a_second_signature_that_holds_is_offered() -> None:
    other = f.signature(f.certificate("Fabrikam", issuer_cn="Fabrikam CA"))
    found = rule(f.facts(f.signature(valid=False), other))
    assert found is not None
    assert 'CertPublisher Value="Fabrikam"' in found


@pytest.mark.parametrize("facts", [SIGNED, UNSIGNED])
def test_the_policy_with_the_rule_allows_the_file(facts: Facts) -> None:
    found = rule(facts)
    assert found is not None
    id = ElementTree.fromstring(found).attrib["ID"]
    is_signer = found.startswith("<Signer")
    data = policy_xml(
        signers=[found] if is_signer else [],
        file_rules=[] if is_signer else [found],
        scenarios=[scenario_xml(allowed=[id] if is_signer else [], rules=[] if is_signer else [id])],
    )
    compiled = compile_policy_set(join_policies([read_policy(data, path="p.xml")]))
    assert evaluate(facts, compiled, CONTEXT, target="t").decision is Decision.ALLOWED


@pytest.mark.parametrize(
    ("facts", "policies"),
    [
        (SIGNED, ac.policy_set(ac.policy(ac.allow(file_name="*")))),
        (SIGNED, ac.policy_set(ac.policy(ac.deny(file_name="app.dll")))),
        (f.facts(f.signature(), header=f.pe(is_driver=True)), NOTHING),
        (f.facts(f.signature(f.certificate(key_algorithm="ec"), page_hashes=PAGES)), NOTHING),
        (UNSIGNED, ac.policy_set(ac.policy(), ac.policy(name="Other", number=2))),
    ],
    ids=["allowed", "denied by a rule", "a driver", "two hashes needed", "two bases deny"],
)
def test_where_no_one_rule_mends_there_is_none(facts: Facts, policies: AppControlPolicySet) -> None:
    assert rule(facts, policies) is None


def test_a_hostile_publisher_is_escaped() -> None:
    leaf = f.certificate('A"/><Allow', issuer_cn="Contoso CA")
    found = rule(f.facts(f.signature(leaf)))
    assert found is not None
    assert ElementTree.fromstring(found).find("CertPublisher").attrib == {"Value": 'A"/><Allow'}  # type: ignore[union-attr]
