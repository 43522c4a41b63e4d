"""Elements as most are, are read in a shorter way: whatever a policy says, both ways come to the same, faults and notes included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.policies import read_policy, xml_reader
from tests.builders.policy import SHA256, element, policy_xml

KINDS = ("Allow", "Deny", "FileAttrib")
IDS = (
    "ID_ALLOW_A_1",
    "ID_DENY_D_1",
    "ID_FILEATTRIB_F_1",
    "ID_ALLOW_a_1",
    " ID_ALLOW_A_1 ",
    "ID_ALLOW_A_1\t",
    "RULE",
    "",
    " ",
    None,
)
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
    "InternalName": ("app", ""),
    "FileDescription": ("An app", ""),
    "ProductName": ("Suite", ""),
    "MinimumFileVersion": ("1.2.3.4", "0.0.0.0", " 1.2.3.4", "1.2.3", "70000.0.0.0", ""),
    "MaximumFileVersion": ("9.0.0.0", "0.0.0.0"),
    "FriendlyName": ("", "a rule"),
    "PackageFamilyName": ("Contoso.App_1",),
    "FilePath": ("C:\\app.exe",),
    "AppIDs": ("app.exe", "$(None)"),
    "Unknown": ("x",),
}
CONTENTS = ("", " ", "text", "<Allow/>")


def attributes() -> Iterator[dict[str, str]]:
    """None, one, and two beside one another."""
    yield {}
    for name, values in VALUES.items():
        for value in values:
            yield {name: value}
            for main in ({"Hash": SHA256}, {"FileName": "app.exe"}):
                yield {**main, name: value}


def outcome(data: bytes) -> AppControlPolicy | tuple[object, ...]:
    try:
        return read_policy(data, path="p.xml")
    except PolicyError as error:
        return error.title, error.place, error.got, error.expected, error.help


def both_ways(data: bytes) -> tuple[object, object]:
    short = outcome(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_reader, "plain_rule", lambda *_: None)
        patch.setattr(xml_reader, "plain_file_rule_ref", lambda *_: None)
        return short, outcome(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", IDS)
def test_both_ways_of_reading_a_rule_come_to_the_same(kind: str, id: str | None) -> None:
    read = 0
    for given in attributes():
        for content in CONTENTS if given == {"Hash": SHA256} else ("",):
            short, long = both_ways(policy_xml(file_rules=[element(kind, content, ID=id, **given)]))
            assert short == long
            read += isinstance(short, AppControlPolicy)
    assert bool(read) == bool(id and id.strip())


def test_both_ways_of_reading_a_reference_come_to_the_same() -> None:
    read = 0
    for given in ({"RuleID": id} for id in IDS):
        for content in CONTENTS:
            short, long = both_ways(referring(element("FileRuleRef", content, **given)))
            assert short == long
            read += isinstance(short, AppControlPolicy)
        short, long = both_ways(referring(element("FileRuleRef", Unknown="x", **given)))
        assert short == long
    assert read


def referring(reference: str) -> bytes:
    product = element("ProductSigners", element("FileRulesRef", reference))
    scenario = element("SigningScenario", product, ID="ID_SIGNINGSCENARIO_W", Value="12")
    return policy_xml(file_rules=[element("Allow", ID="ID_ALLOW_A_1", Hash=SHA256)], scenarios=[scenario])
