"""Which digests a run takes: those that some rule or catalog is compared with, and no verdict depends on that choice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.gate import Target, run
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Digests
from csv_gate.model.verdict import Decision
from tests.builders import cms, pe, signing
from tests.builders.plans import NOON, plan, target
from tests.builders.policy import element, policy_xml, scenario_xml
from tests.builders.signed_pe import padded
from tests.builders.tree import ENFORCED, policy_for, tree

IMAGE = padded(pe.pe(code=b"\xc3" * 900))
OTHER = padded(pe.pe(code=b"\x90" * 900))
CONTEXT = AppControlContext(evaluated_at=NOON)


def digests_of(data: bytes, *, takes_sha1: bool = True) -> Digests:
    digests = extract(data, ExtractionSettings(takes_sha1=takes_sha1)).digests
    assert digests is not None
    return digests


def with_sha1_rule(kind: str, *more: bytes) -> bytes:
    sha1 = digests_of(IMAGE).authenticode_sha1
    assert sha1 is not None
    rules = [("ID_SHA1", kind, sha1)]
    rules += [(f"ID_ALLOW_{n}", "Allow", digests_of(data).authenticode_sha256 or "") for n, data in enumerate(more)]
    return policy_xml(
        options=ENFORCED,
        file_rules=[element(kind, ID=id, Hash=value.upper()) for id, kind, value in rules],
        scenarios=[scenario_xml(value=value, rules=[id for id, _, _ in rules]) for value in ("12", "131")],
    )


def judged(folder: Path, *targets: Target, **changes: Any) -> tuple[Decision, str | None]:
    with run(plan(folder / "build", targets=targets, jobs=1, **changes)) as result:
        artifact = next(one for one in result.artifacts if one.artifact.path.endswith(".dll"))
        assert artifact.artifact.facts.digests is not None
        return artifact.verdicts[0].decision, artifact.artifact.facts.digests.authenticode_sha1


@pytest.fixture
def build(tmp_path: Path) -> Path:
    tree(tmp_path / "build", {"a.dll": IMAGE})
    return tmp_path


def test_sha1_is_left_out_where_no_rule_holds_one(build: Path) -> None:
    assert judged(build, target(policy_for(IMAGE))) == (Decision.ALLOWED, None)


def test_sha1_is_taken_where_it_is_asked_for(build: Path) -> None:
    assert judged(build, target(policy_for(IMAGE)), takes_all_digests=True) == (
        Decision.ALLOWED,
        digests_of(IMAGE).authenticode_sha1,
    )


@pytest.mark.parametrize(("kind", "expected"), [("Allow", Decision.ALLOWED), ("Deny", Decision.DENIED)])
def test_a_sha1_rule_of_any_target_has_it_taken(build: Path, kind: str, expected: Decision) -> None:
    sha1 = digests_of(IMAGE).authenticode_sha1
    alone = target(with_sha1_rule(kind, IMAGE) if kind == "Deny" else with_sha1_rule(kind), name="first")
    assert judged(build, alone) == (expected, sha1)
    assert judged(build, target(policy_for(OTHER), name="a"), alone) == (Decision.DENIED, sha1)


def test_a_catalog_that_holds_sha1_has_it_taken(build: Path) -> None:
    sha1 = bytes.fromhex(digests_of(OTHER).authenticode_sha1 or "")
    catalog = cms.catalog(signing.publisher(), [cms.member(sha1, digest="sha1", version=1)], version=1)
    tree(build / "build", {"a.cat": catalog})
    assert judged(build, target(policy_for(IMAGE))) == (Decision.ALLOWED, digests_of(IMAGE).authenticode_sha1)


@pytest.mark.parametrize("kind", ["Allow", "Deny"])
def test_facts_without_sha1_meet_a_sha1_rule_with_no_sure_answer(kind: str) -> None:
    policies = compile_policy_set(target(with_sha1_rule(kind, IMAGE) if kind == "Deny" else with_sha1_rule(kind)).policies)
    for data in (IMAGE, OTHER):
        facts = extract(data, ExtractionSettings(takes_sha1=False))
        assert evaluate(facts, policies, CONTEXT, target="t").decision in (Decision.UNDECIDED, Decision.DENIED)
    assert evaluate(extract(IMAGE, ExtractionSettings(takes_sha1=False)), policies, CONTEXT, target="t").decision is (
        Decision.UNDECIDED
    )


@pytest.mark.parametrize("data", [IMAGE, pe.pe(code=b"\xc3" * 901)], ids=["padded", "odd"])
def test_all_other_facts_are_the_same(data: bytes) -> None:
    with_it, without = digests_of(data), digests_of(data, takes_sha1=False)
    assert without.authenticode_sha1 is without.padded_authenticode_sha1 is None
    assert without.sha256 == with_it.sha256 == hashlib.sha256(data).hexdigest()
    for name in ("authenticode_sha256", "page_sha1", "page_sha256", "padded_authenticode_sha256"):
        assert getattr(without, name) == getattr(with_it, name)
