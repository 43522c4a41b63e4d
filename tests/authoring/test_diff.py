"""Policies are compared by what they do: order, ids and names make no difference, everything else does."""

from __future__ import annotations

import io
import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.authoring.diff import diff
from csv_gate.authoring.diff_text import render_diff, render_diff_json
from csv_gate.model.appcontrol import (
    VERSION_MAX,
    AppControlPolicy,
    EkuCondition,
    FileRule,
    FileRuleKind,
    Option,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    VersionBounds,
)
from csv_gate.policies import load_policy, read_policy, write_binary
from csv_gate.report.options import ReportOptions
from tests.builders.policy import eku, file_rule, policy, scenario, signer, signer_use, tbs_root
from tests.builders.policy_strategies import policies

DENY, ATTRIBUTE = FileRuleKind.DENY, FileRuleKind.ATTRIBUTE
UP_TO_5 = VersionBounds(minimum=5 << 48, maximum=0)


def listing(*rules: FileRule, value: int = 12) -> AppControlPolicy:
    """A policy that lists these rules in one scenario."""
    return policy(file_rules=rules, scenarios=[scenario(value, file_rules=[rule.id for rule in rules])])


def renamed(old: AppControlPolicy, seed: int) -> AppControlPolicy:
    """The same policy with other ids, other names, and everything in another order."""
    mixed = random.Random(seed)
    signers = {name: f"ID_SIGNER_R_{number}" for number, name in enumerate(mixed.sample(sorted(old.signers), len(old.signers)))}
    rules = {
        name: f"ID_FILE_R_{number}" for number, name in enumerate(mixed.sample(sorted(old.file_rules), len(old.file_rules)))
    }
    artifacts = {name: f"ID_ARTIFACT_R_{number}" for number, name in enumerate(sorted(old.artifact_rules))}
    scenarios = {one.id: f"ID_SIGNINGSCENARIO_R_{one.value}" for one in old.scenarios}

    def shuffled(ids: tuple[str, ...], names: dict[str, str]) -> tuple[str, ...]:
        return tuple(mixed.sample([names[one] for one in ids], len(ids)))

    def group(one: SignerGroup | None, listed: dict[str, str] = rules) -> SignerGroup | None:
        if one is None:
            return None
        allowed, denied = (
            tuple(
                replace(use, signer=signers[use.signer], exceptions=shuffled(use.exceptions, rules))
                for use in mixed.sample(uses, len(uses))
            )
            for uses in (one.allowed, one.denied)
        )
        return SignerGroup(allowed=allowed, denied=denied, file_rules=shuffled(one.file_rules, listed))

    def scene(one: Scenario) -> Scenario:
        product = group(one.product)
        assert product is not None
        return replace(
            one,
            id=scenarios[one.id],
            friendly_name="renamed",
            inherited=tuple(scenarios[name] for name in one.inherited),
            product=product,
            test=group(one.test),
            test_signing=group(one.test_signing),
            artifact=group(one.artifact, artifacts),
        )

    new_rules = [
        replace(
            rule,
            id=rules[rule.id],
            friendly_name="renamed",
            require_hotpatch_id=rules[rule.require_hotpatch_id] if rule.require_hotpatch_id else None,
        )
        for rule in old.file_rules.values()
    ]
    new_signers = [
        replace(
            one,
            id=signers[one.id],
            name="renamed",
            file_attributes=shuffled(one.file_attributes, rules),
            artifact_rules=shuffled(one.artifact_rules, artifacts),
        )
        for one in old.signers.values()
    ]
    mixed.shuffle(new_rules)
    mixed.shuffle(new_signers)
    return replace(
        old,
        friendly_name="renamed",
        file_rules={rule.id: rule for rule in new_rules},
        signers={one.id: one for one in new_signers},
        scenarios=tuple(mixed.sample([scene(one) for one in old.scenarios], len(old.scenarios))),
        artifact_rules={artifacts[one.id]: replace(one, id=artifacts[one.id]) for one in old.artifact_rules.values()},
        update_signers=shuffled(old.update_signers, signers),
        ci_signers=shuffled(old.ci_signers, signers),
        supplemental_signers=shuffled(old.supplemental_signers, signers),
        settings=tuple(mixed.sample(old.settings, len(old.settings))),
    )


@given(policies())
@settings(max_examples=30, deadline=None)
def test_a_policy_does_not_differ_from_itself(one: AppControlPolicy) -> None:
    assert not diff(one, one)


@given(policies(), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_ids_names_and_order_make_no_difference(one: AppControlPolicy, seed: int) -> None:
    found = diff(one, renamed(one, seed))
    assert not found, found


@given(policies(), policies())
@settings(max_examples=30, deadline=None)
def test_what_one_direction_adds_the_other_removes(one: AppControlPolicy, other: AppControlPolicy) -> None:
    there, back = diff(one, other), diff(other, one)
    assert bool(there) == bool(back)
    assert len(there.becomes_allowed) == len(back.no_longer_allowed)
    assert len(there.no_longer_denied) == len(back.becomes_denied)
    assert there.options_added == back.options_removed


APP = file_rule(file_name="app.exe")
BAD = file_rule("ID_DENY_D", DENY, file_name="bad.exe")


def test_an_added_allow_rule_becomes_allowed() -> None:
    found = diff(listing(BAD), listing(BAD, APP))
    assert [one.what for one in found.becomes_allowed] == ["original file name 'app.exe'"]
    assert (found.no_longer_allowed, found.becomes_denied, found.no_longer_denied) == ((), (), ())


def test_a_removed_deny_rule_loses_its_denial() -> None:
    found = diff(listing(BAD, APP), listing(APP))
    assert [one.what for one in found.no_longer_denied] == ["original file name 'bad.exe'"]
    assert (found.no_longer_allowed, found.becomes_denied, found.becomes_allowed) == ((), (), ())


def test_a_rule_that_nothing_refers_to_makes_no_difference() -> None:
    assert not diff(policy(), policy(file_rules=[APP]))


def test_the_letter_case_of_a_file_name_makes_no_difference() -> None:
    assert not diff(listing(APP), listing(replace(APP, file_name="APP.EXE")))


def test_a_rule_moved_to_the_other_scenario_is_a_difference() -> None:
    found = diff(listing(APP, value=12), listing(APP, value=131))
    assert [one.scenario for one in (*found.becomes_allowed, *found.no_longer_allowed)] == [131, 12]


def test_two_ways_to_write_one_range_of_versions_make_no_difference() -> None:
    below = replace(BAD, versions=UP_TO_5)
    written_out = replace(BAD, versions=VersionBounds(minimum=0, maximum=5 << 48))
    everything = replace(BAD, versions=VersionBounds(minimum=0, maximum=VERSION_MAX))
    assert not diff(listing(below), listing(written_out))
    assert not diff(listing(BAD), listing(everything))
    assert diff(listing(BAD), listing(below))


def test_the_same_bounds_mean_different_things_under_an_allowed_and_a_denied_signer() -> None:
    narrowed = file_rule("ID_FILEATTRIB_F", ATTRIBUTE, file_name="x.exe", versions=UP_TO_5)
    entry = signer(file_attributes=(narrowed.id,))
    allowing = policy(file_rules=[narrowed], signers=[entry], scenarios=[scenario(allowed=[signer_use()])])
    denying = policy(file_rules=[narrowed], signers=[entry], scenarios=[scenario(denied=[signer_use()])])
    found = diff(allowing, denying)
    assert "version 5.0.0.0 and newer" in found.no_longer_allowed[0].what
    assert "version 5.0.0.0 and older" in found.becomes_denied[0].what


def test_one_signer_for_two_files_is_two_signers_for_one_each() -> None:
    one, two = (file_rule(f"ID_FILEATTRIB_{name}", ATTRIBUTE, file_name=f"{name}.exe") for name in "AB")
    joined = [signer(file_attributes=(one.id, two.id))]
    split = [signer("ID_SIGNER_S_1", file_attributes=(one.id,)), signer("ID_SIGNER_S_2", file_attributes=(two.id,))]
    uses = [signer_use("ID_SIGNER_S_1"), signer_use("ID_SIGNER_S_2")]
    assert not diff(
        policy(file_rules=[one, two], signers=joined, scenarios=[scenario(allowed=uses[:1])]),
        policy(file_rules=[one, two], signers=split, scenarios=[scenario(allowed=uses)]),
    )


@pytest.mark.parametrize(
    "changed",
    [
        signer(publisher="Contoso Ltd."),
        signer(issuer="Contoso CA"),
        signer(oem_id="Contoso"),
        signer(root=tbs_root(b"\1" * 32)),
        signer(ekus=(EkuCondition(eku=eku()),)),
    ],
)
def test_each_condition_of_a_signer_counts(changed: Signer) -> None:
    uses = [scenario(allowed=[signer_use()])]
    found = diff(policy(signers=[signer()], scenarios=uses), policy(signers=[changed], scenarios=uses))
    assert len(found.becomes_allowed) == len(found.no_longer_allowed) == 1


@pytest.mark.parametrize(
    "changed",
    [
        file_rule(file_name="app.exe", internal_name="app"),
        file_rule(file_name="app.exe", file_description="An app"),
        file_rule(file_name="app.exe", product_name="App"),
        file_rule(file_name="app.exe", package_family_name="App_1"),
        file_rule(file_name="app.exe", file_path="%WINDIR%\\*"),
        file_rule(file_name="app.exe", package_version=1),
        file_rule(file_name="app.exe", app_ids=("host.exe",)),
        file_rule(file_name="app.exe", versions=UP_TO_5),
        file_rule(hash=b"\1" * 32),
    ],
)
def test_each_condition_of_a_rule_counts(changed: FileRule) -> None:
    found = diff(listing(APP), listing(changed))
    assert len(found.becomes_allowed) == len(found.no_longer_allowed) == 1


def test_an_exception_of_a_signer_counts() -> None:
    plain = policy(signers=[signer()], file_rules=[BAD], scenarios=[scenario(allowed=[signer_use()])])
    excepted = replace(plain, scenarios=(scenario(allowed=[signer_use("ID_SIGNER_S_1", BAD.id)]),))
    assert "except original file name 'bad.exe'" in diff(plain, excepted).becomes_allowed[0].what


def test_options_version_settings_and_update_signers_are_compared() -> None:
    old = policy(signers=[signer()])
    setting = Setting(provider="P", key="K", value_name="V", value=b"\x10")
    new = policy(
        signers=[signer()], update_signers=("ID_SIGNER_S_1",), version=1, options=[Option.AUDIT_MODE], settings=(setting,)
    )
    found = diff(old, new)
    assert (found.options_added, found.options_removed) == ((Option.AUDIT_MODE,), (Option.UMCI,))
    assert [(one.name, one.old, one.new) for one in found.properties] == [
        ("setting P / K / V", None, "0x10"),
        ("version", "10.0.0.0", "0.0.0.1"),
    ]
    assert [role for role, _ in found.signers_added] == ["may sign updates of the policy"]


def test_a_setting_with_the_digits_of_a_number_is_not_that_number() -> None:
    octets, number = (Setting(provider="P", key="K", value_name="V", value=value) for value in (b"\x10", 10))
    assert diff(policy(settings=(octets,)), policy(settings=(number,)))


def test_equal_policies_print_nothing_and_json_says_so() -> None:
    out, text = io.StringIO(), io.StringIO()
    render_diff(policy(), policy(), diff(policy(), policy()), text, ReportOptions())
    render_diff_json(policy(), policy(), diff(policy(), policy()), out)
    assert text.getvalue() == ""
    assert json.loads(out.getvalue())["differs"] is False


def test_a_name_in_a_policy_cannot_speak_to_the_terminal() -> None:
    evil = listing(replace(APP, file_name="\x1b[31m\n##vso[task.complete]"))
    out = io.StringIO()
    render_diff(policy(), evil, diff(policy(), evil), out, ReportOptions())
    assert "\x1b" not in out.getvalue()
    assert "##vso" not in out.getvalue()


CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "appcontrol"
with_corpus = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")


@with_corpus
@pytest.mark.parametrize(
    ("xml", "binary"),
    [
        ("simeon/WDAC_V1_Default_Audit.xml", "simeon/WDAC_V1_Default_Audit.cip"),
        ("simeon/WDAC_V1_Default_Enforced.xml", "simeon/WDAC_V1_Default_Enforced.cip"),
        ("aaronlocker/block-1903plus.xml", "aaronlocker/aa120602-611b-4455-b8d8-c13a815b4323.cip"),
    ],
)
def test_both_forms_of_a_real_policy_do_the_same(xml: str, binary: str) -> None:
    assert not diff(load_policy(CORPUS / xml), load_policy(CORPUS / binary))


@with_corpus
@pytest.mark.parametrize(
    "name",
    ["wizard/AllowMicrosoft.xml", "wizard/Recommended_UserMode_Blocklist.xml", "acm/Dangerous-Script-Hosts-Blocking.xml"],
)
def test_compiling_a_real_policy_changes_nothing_that_it_does(name: str) -> None:
    policy = load_policy(CORPUS / name)
    assert not diff(policy, read_policy(write_binary(policy), path="compiled"))
