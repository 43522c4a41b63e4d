from __future__ import annotations

import pytest

from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import EkuCondition, FileRuleKind, Option, Setting
from csv_gate.policies import read_policy, write_binary, write_xml
from csv_gate.policies.binary_layout import case_folded
from tests.builders.policy import eku, file_rule, policy, scenario, signer


def test_rules_are_sorted_as_the_native_compiler_sorts_them() -> None:
    rules = [
        file_rule("1", FileRuleKind.ATTRIBUTE, file_name="a"),
        file_rule("2", FileRuleKind.ALLOW, file_name="b"),
        file_rule("3", FileRuleKind.ALLOW, file_name="B", internal_name="x"),
        file_rule("4", FileRuleKind.ALLOW, file_name="_"),
        file_rule("5", FileRuleKind.ALLOW, hash=b"\xff" * 32),
        file_rule("6", FileRuleKind.ALLOW, hash=b"\x01" * 32),
        file_rule("7", FileRuleKind.DENY, file_name="z"),
    ]
    read = read_policy(write_binary(policy(file_rules=rules)), path="p")
    names = [rule.file_name or (rule.hash or b"").hex()[:2] for rule in read.file_rules.values()]
    assert names == ["z", "01", "ff", "b", "B", "_", "a"]


def test_equal_keys_keep_their_order() -> None:
    rules = [file_rule(name, file_name="x", app_ids=(name,)) for name in ("b", "c", "a")]
    read = read_policy(write_binary(policy(file_rules=rules)), path="p")
    assert [rule.app_ids for rule in read.file_rules.values()] == [("b",), ("c",), ("a",)]


def test_folding_is_by_unit_and_never_changes_the_length() -> None:
    assert case_folded("straße") == "STRAßE".encode("utf-16-be")
    assert case_folded(None) == b""
    assert case_folded("É") == case_folded("é")


@pytest.mark.parametrize(
    ("wanted", "needed"),
    [
        (policy(), 7),
        (policy(file_rules=[file_rule(file_path="%OSDRIVE%\\x")]), 7),
        (policy(signers=[signer(ekus=(EkuCondition(eku=eku(), is_except=True),))], ekus=[eku()]), 11),
    ],
)
def test_the_oldest_native_format_that_holds_the_policy_is_written(wanted: object, needed: int) -> None:
    assert write_binary(wanted)[0] == needed  # type: ignore[arg-type]


def test_a_format_that_can_not_hold_the_policy_is_refused() -> None:
    with pytest.raises(PolicyError, match="format 6 can't hold path rules"):
        write_binary(policy(file_rules=[file_rule(file_path="x")]), format_version=6)
    with pytest.raises(PolicyError, match="there is no format 12"):
        write_binary(policy(), format_version=12)


def test_app_settings_are_not_compiled_without_their_manifest() -> None:
    with pytest.raises(PolicyError, match="manifest"):
        write_binary(policy(app_settings=(("https://example.org/m.xml", (("a", ("b",)),)),)))


def test_an_option_without_a_bit_is_not_dropped() -> None:
    with pytest.raises(PolicyError, match="Debug Policy Augmented"):
        write_binary(policy(options=[Option.DEBUG_POLICY_AUGMENTED]))


def test_a_reference_to_nothing_is_not_written() -> None:
    with pytest.raises(PolicyError, match="referred to and not there"):
        write_binary(policy(scenarios=[scenario(12, file_rules=["ID_ALLOW_A_1"])]))


def test_blanks_and_markup_survive_xml() -> None:
    name = ' <a href="x">&amp;\t\r\n '
    wanted = policy(
        file_rules=[file_rule(file_name=name)], settings=(Setting(provider=name, key="k", value_name="v", value=name),)
    )
    read = read_policy(write_xml(wanted), path="p")
    assert read.file_rules["ID_ALLOW_A_1"].file_name == name
    assert read.settings == wanted.settings


def test_the_same_policy_is_the_same_text() -> None:
    options = [Option.UMCI, Option.AUDIT_MODE, Option.UNSIGNED_POLICY]
    assert write_xml(policy(options=options)) == write_xml(policy(options=reversed(options)))


def test_a_whole_document_looks_like_this() -> None:
    written = write_xml(
        policy(
            file_rules=[file_rule("ID_DENY_D_1", FileRuleKind.DENY, file_name="x.exe")],
            scenarios=[scenario(12, file_rules=["ID_DENY_D_1"])],
            friendly_name="Floor 3",
        )
    )
    assert written.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" FriendlyName="Floor 3" PolicyType="Base Policy">\n'
        "  <VersionEx>10.0.0.0</VersionEx>\n"
        "  <PlatformID>{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}</PlatformID>\n"
        "  <PolicyID>{11111111-2222-3333-4444-555555555555}</PolicyID>\n"
        "  <BasePolicyID>{11111111-2222-3333-4444-555555555555}</BasePolicyID>\n"
        "  <Rules>\n"
        "    <Rule>\n"
        "      <Option>Enabled:UMCI</Option>\n"
        "    </Rule>\n"
        "  </Rules>\n"
        "  <EKUs />\n"
        "  <FileRules>\n"
        '    <Deny ID="ID_DENY_D_1" FileName="x.exe" />\n'
        "  </FileRules>\n"
        "  <Signers />\n"
        "  <SigningScenarios>\n"
        '    <SigningScenario Value="12" ID="ID_SIGNINGSCENARIO_V_12">\n'
        "      <ProductSigners>\n"
        "        <FileRulesRef>\n"
        '          <FileRuleRef RuleID="ID_DENY_D_1" />\n'
        "        </FileRulesRef>\n"
        "      </ProductSigners>\n"
        "    </SigningScenario>\n"
        "  </SigningScenarios>\n"
        "</SiPolicy>\n"
    )
