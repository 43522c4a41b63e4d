"""Elements as most are, are read in a shorter way: whatever a policy says, both ways come to the same, faults and notes included."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.policies import read_policy, xml_reader
from tests.builders.policy import SHA256, element, policy_xml, scenario_xml

IDS = ("ID_ALLOW_A_1", "ID_DENY_D_1", "ID_FILEATTRIB_F_1", "ID_ALLOW_a_1", " ID_ALLOW_A_1 ", "ID_ALLOW_A_1\t", "RULE", "", " ")
VALUES = {
    "Hash": (
        SHA256,
        SHA256.lower(),
        SHA256[:40],
        SHA256[:-1],
        SHA256[:-2],
        f" {SHA256}",
        f"{SHA256[:2]} {SHA256[2:]}",
        "é",
        "",
    ),
    "FileName": ("app.exe", "*", " ", ""),
    "ProductName": ("Suite", ""),
    "MinimumFileVersion": ("1.2.3.4", "0.0.0.0", " 1.2.3.4", "1.2.3", "70000.0.0.0", ""),
    "MaximumFileVersion": ("9.0.0.0", "0.0.0.0"),
    "FriendlyName": ("", "a rule"),
    "PackageFamilyName": ("Contoso.App_1",),
    "AppIDs": ("app.exe", "$(None)"),
    "Unknown": ("x",),
}

RULE = st.builds(
    lambda name, rule_id, given, text: element(name, text, **({} if rule_id is None else {"ID": rule_id}), **given),
    st.sampled_from(("Allow", "Deny", "FileAttrib")),
    st.sampled_from((*IDS[:3], *IDS, None)),
    st.dictionaries(st.sampled_from(tuple(VALUES)), st.none(), max_size=4).flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(VALUES[name]) for name in names})
    ),
    st.sampled_from(("", "", "", " ", "text", "<Allow/>")),
)


def outcome(data: bytes) -> AppControlPolicy | tuple[object, ...]:
    try:
        return read_policy(data, path="p.xml")
    except PolicyError as error:
        return error.title, error.place, error.got, error.expected, error.help


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RULE, max_size=3), st.lists(st.sampled_from(IDS), max_size=3))
def test_both_ways_of_reading_come_to_the_same(rules: list[str], references: list[str]) -> None:
    data = policy_xml(file_rules=rules, scenarios=[scenario_xml(rules=references)])
    short = outcome(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_reader, "plain_rule", lambda *_: None)
        patch.setattr(xml_reader, "plain_file_rule_ref", lambda *_: None)
        assert outcome(data) == short
