"""The summary of a policy tells what it is, what it governs and whom it trusts."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from hypothesis import given, settings

from csv_gate.authoring.show import summary
from csv_gate.authoring.show_text import render_summaries_json, render_summary
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    EkuCondition,
    FileRuleKind,
    Option,
    PolicySignature,
    Setting,
)
from csv_gate.report.options import ReportOptions
from tests.builders.policy import BASE_ID, eku, file_rule, policy, scenario, signer, signer_use, well_known_root
from tests.builders.policy_strategies import policies


def shown(one: AppControlPolicy, *, verbosity: int = 0) -> str:
    out = io.StringIO()
    render_summary(summary(one), out, ReportOptions(verbosity=verbosity))
    return out.getvalue()


def test_ids_version_kind_and_options_are_shown_with_numbers() -> None:
    text = shown(policy(name="Contoso servers", options=[Option.UMCI, Option.AUDIT_MODE]))
    assert text.startswith("Contoso servers\n  --> policy.xml\n")
    assert BASE_ID in text
    assert "10.0.0.0" in text
    assert "  0 Enabled:UMCI\n  3 Enabled:Audit Mode\n" in text


def test_signers_are_grouped_by_publisher_and_root() -> None:
    entries = [signer(f"ID_SIGNER_{number}", root=well_known_root(7), publisher="Contoso Ltd.") for number in range(3)]
    other = signer("ID_SIGNER_OTHER", root=well_known_root(6), ekus=(EkuCondition(eku=eku()),))
    uses = [signer_use(one.id) for one in (*entries, other)]
    (found,) = summary(policy(signers=[*entries, other], scenarios=[scenario(allowed=uses)])).scenarios
    assert [(one.publisher, one.count) for one in found.allowed] == [("Contoso Ltd.", 3), (None, 1)]
    assert found.allowed[0].root == "well-known root 07 (Microsoft Root Certificate Authority 2011)"
    assert "with EKU 1.3.6.1.5.5.7.3.3" in found.allowed[1].root


def test_rules_are_counted_by_what_they_match() -> None:
    rules = [
        file_rule("ID_ALLOW_1", hash=b"\1" * 32),
        file_rule("ID_ALLOW_2", hash=b"\1" * 20),
        file_rule("ID_ALLOW_3", file_path="%WINDIR%\\*"),
        file_rule("ID_DENY_4", FileRuleKind.DENY, file_name="x.exe"),
        file_rule("ID_ALLOW_5", file_name="*"),
    ]
    assert summary(policy(file_rules=rules)).rule_counts == {
        "allow by SHA-1 hash": 1,
        "allow by SHA-256 hash": 1,
        "allow by path": 1,
        "allow by wildcard": 1,
        "deny by name": 1,
    }


def test_com_classes_stand_apart_from_other_settings() -> None:
    com = Setting(provider="IE", key="AllKeys", value_name="EnterpriseDefinedClsId", value=True)
    other = Setting(provider="PolicyInfo", key="Information", value_name="Id", value="2024-01")
    found = summary(policy(settings=(com, other), hvci_options=2))
    assert found.com == (("IE", "AllKeys", "true"),)
    assert found.settings == (("HvciOptions", "2"), ("PolicyInfo / Information / Id", "'2024-01'"))


def test_a_broken_signature_is_said_loudly() -> None:
    broken = PolicySignature(valid=False, subject="CN=Somebody", thumbprint_sha1="ab" * 20, problems=("wrong digest",))
    assert "NOT VALID: wrong digest, by CN=Somebody" in shown(replace(policy(), signature=broken))


def test_long_lists_of_signers_are_cut_unless_more_is_asked_for() -> None:
    entries = [signer(f"ID_SIGNER_{number}", publisher=f"Publisher {number:02}") for number in range(20)]
    one = policy(signers=entries, scenarios=[scenario(allowed=[signer_use(entry.id) for entry in entries])])
    assert "Publisher 19" not in shown(one)
    assert "8 more groups" in shown(one)
    assert "Publisher 19" in shown(one, verbosity=1)


@given(policies())
@settings(max_examples=30, deadline=None)
def test_every_policy_can_be_shown_and_none_speaks_to_the_terminal(one: AppControlPolicy) -> None:
    text, out = shown(one), io.StringIO()
    assert all(character.isprintable() or character == "\n" for character in text)
    render_summaries_json([summary(one)], out)
    assert json.loads(out.getvalue())["policies"][0]["policy_id"] in text
