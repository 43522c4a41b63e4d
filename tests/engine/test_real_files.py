"""Real files by real Microsoft templates. Needs the optional corpus: the environment variable CSV_GATE_CORPUS names its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.formats import extract
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.appcontrol import AppControlPolicySet
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.policies import join_policies, load_policy
from tests.engine.plain_evaluator import plain_decision

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", ""))
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")

CONTEXT = AppControlContext(evaluated_at=datetime(2026, 6, 1, tzinfo=UTC), mode=Mode.ENFORCE)
RUNTIME = "signed/pypi-msvc_runtime-14.44.35112"
DEBUGGER = "signed/pypi-debugpy-1.8.22"


@cache
def template(name: str) -> AppControlPolicySet:
    return join_policies([load_policy(CORPUS / "appcontrol" / "wizard" / name)])


@cache
def facts_of(path: str) -> Facts:
    return extract((CORPUS / path).read_bytes(), ExtractionSettings())


def judge(path: str, name: str) -> Verdict:
    return evaluate(facts_of(path), compile_policy_set(template(name)), CONTEXT, target="production")


def rule_of(verdict: Verdict) -> str | None:
    return verdict.rule.id if verdict.rule else None


@pytest.mark.parametrize("name", ["concrt140.dll", "msvcp140.dll", "vcruntime140.dll"])
def test_the_visual_c_runtime_is_allowed_by_allow_microsoft(name: str) -> None:
    verdict = judge(f"{RUNTIME}/{name}", "AllowMicrosoft.xml")
    assert (verdict.decision, rule_of(verdict)) == (Decision.ALLOWED, "ID_SIGNER_MICROSOFT_STANDARD_2011_UMCI")


@pytest.mark.parametrize("name", ["concrt140.dll", "msvcp140.dll", "vcruntime140.dll"])
def test_the_visual_c_runtime_is_allowed_by_default_windows_for_its_nested_signature(name: str) -> None:
    verdict = judge(f"{RUNTIME}/{name}", "DefaultWindows_Audit.xml")
    assert (verdict.decision, rule_of(verdict)) == (Decision.ALLOWED, "ID_SIGNER_RT_STANDARD")
    assert "nested signature" in verdict.because
    assert verdict.rule is not None
    assert verdict.rule.place is not None


@pytest.mark.parametrize("name", ["attach_amd64.dll", "inject_dll_x86.exe", "pydevd_cython.cp311-win_amd64.pyd"])
def test_a_product_of_microsoft_is_not_a_part_of_windows(name: str) -> None:
    assert judge(f"{DEBUGGER}/{name}", "AllowMicrosoft.xml").decision is Decision.ALLOWED
    verdict = judge(f"{DEBUGGER}/{name}", "DefaultWindows_Audit.xml")
    assert (verdict.decision, verdict.checks) == (Decision.DENIED, ("CSV201",))
    assert "EKU" in verdict.nearest[0].differs


def test_an_unsigned_extension_module_is_denied() -> None:
    verdict = judge(f"{RUNTIME}/msvc_runtime.cp311-win_amd64.pyd", "AllowMicrosoft.xml")
    assert (verdict.decision, verdict.checks) == (Decision.DENIED, ("CSV201",))


def test_the_audit_template_only_logs_unless_asked_to_enforce() -> None:
    policies = compile_policy_set(template("DefaultWindows_Audit.xml"))
    context = AppControlContext(evaluated_at=CONTEXT.evaluated_at)
    verdict = evaluate(facts_of(f"{DEBUGGER}/attach_amd64.dll"), policies, context, target="t")
    assert (verdict.decision, verdict.audited, verdict.predicted_event) == (Decision.DENIED, True, 3076)


def real_images() -> Iterator[str]:
    rows = (CORPUS / "signed" / "MANIFEST.tsv").read_text("utf-8").splitlines()[1:]
    for row in rows:
        path, _, size, kind, *_ = row.split("\t")
        if kind == "pe" and int(size) < 2_000_000 and (CORPUS / "signed" / path).is_file():
            yield f"signed/{path}"


def test_the_plain_evaluator_agrees_on_real_files_and_templates() -> None:
    names = ("AllowMicrosoft.xml", "DefaultWindows_Audit.xml", "SignedReputable.xml", "Recommended_UserMode_Blocklist.xml")
    compiled = {name: compile_policy_set(template(name)) for name in names}
    compared = 0
    for path in real_images():
        facts = extract((CORPUS / path).read_bytes(), ExtractionSettings())
        if facts.format != "pe":
            continue
        for name in names:
            decision = evaluate(facts, compiled[name], CONTEXT, target="t").decision
            assert decision == plain_decision(facts, template(name), CONTEXT), (path, name)
            compared += 1
    assert compared > 500
