from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csv_gate.errors import PolicyError
from csv_gate.limits import Limits
from csv_gate.model.appcontrol import VERSION_MAX, FileRuleKind, Option, PolicyKind, RootKind, version_number
from csv_gate.model.guid import Guid
from csv_gate.policies import read_policy
from tests.builders.policy import BASE_ID, OTHER_ID, SHA256, element, policy_xml, scenario_xml, signer_xml


def read(data: bytes) -> object:
    return read_policy(data, path="p.xml")


def allow(**attributes: str) -> str:
    return element("Allow", **{"ID": "ID_ALLOW_A_1", **attributes})


def test_a_rule_keeps_its_line_and_its_trailing_blanks() -> None:
    policy = read_policy(policy_xml(file_rules=[allow(FileName="rtkio64.sys ", FriendlyName="")]), path="p.xml")
    rule = policy.file_rules["ID_ALLOW_A_1"]
    assert rule.file_name == "rtkio64.sys "
    assert (rule.place.path, rule.place.line, rule.place.column) == ("p.xml", 9, 1)
    assert rule.friendly_name == ""


def test_a_signer_is_read_whole() -> None:
    data = policy_xml(
        ekus=[
            element("EKU", ID="ID_EKU_A", Value="010A2B0601040182370A0306"),
            element("EKU", ID="ID_EKU_B", OID="1.3.6.1.5.5.7.3.3"),
        ],
        file_rules=[element("FileAttrib", ID="ID_FILEATTRIB_F_1", FileName="a.exe", MinimumFileVersion="1.2.3.4")],
        signers=[
            signer_xml(
                "ID_SIGNER_S_1",
                element("CertEKU", ID="ID_EKU_A"),
                element("CertEKU", ID="ID_EKU_B", Condition="Except"),
                element("CertIssuer", Value="Issuer"),
                element("CertPublisher", Value="Publisher"),
                element("CertOemID", Value="Maker"),
                element("FileAttribRef", RuleID="ID_FILEATTRIB_F_1"),
                root=element("CertRoot", Type="Wellknown", Value="0E"),
                SignTimeAfter="2024-01-02T03:04:05.0000000+01:00",
            )
        ],
    )
    signer = read_policy(data, path="p.xml").signers["ID_SIGNER_S_1"]
    assert (signer.root.kind, signer.root.value) == (RootKind.WELL_KNOWN, b"\x0e")
    assert [(condition.eku.oid, condition.is_except) for condition in signer.ekus] == [
        ("1.3.6.1.4.1.311.10.3.6", False),
        ("1.3.6.1.5.5.7.3.3", True),
    ]
    assert (signer.issuer, signer.publisher, signer.oem_id) == ("Issuer", "Publisher", "Maker")
    assert signer.file_attributes == ("ID_FILEATTRIB_F_1",)
    assert signer.sign_time_after == datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)


def test_exceptions_and_inherited_scenarios_are_read() -> None:
    data = policy_xml(
        file_rules=[element("Deny", ID="ID_DENY_D_1", FileName="a.exe")],
        signers=[signer_xml()],
        scenarios=[
            scenario_xml(
                value="12",
                allowed=[
                    element("AllowedSigner", element("ExceptDenyRule", DenyRuleID="ID_DENY_D_1"), SignerId="ID_SIGNER_S_1")
                ],
                InheritedScenarios="ID_SIGNINGSCENARIO_V_131,ID_SIGNINGSCENARIO_V_12",
                MinimumHashAlgorithm="32780",
            ),
            scenario_xml(value="131", rules=["ID_DENY_D_1"]),
        ],
    )
    user, kernel = read_policy(data, path="p.xml").scenarios
    assert user.product.allowed[0].exceptions == ("ID_DENY_D_1",)
    assert user.inherited == ("ID_SIGNINGSCENARIO_V_131",)
    assert user.minimum_hash_algorithm == 0x800C
    assert kernel.product.file_rules == ("ID_DENY_D_1",)


def test_sections_may_come_in_any_order_and_ids_may_break_the_pattern() -> None:
    late = "<FileRules>" + allow(ID="my rule", FileName="x") + "</FileRules>"
    policy = read_policy(policy_xml(scenarios=[scenario_xml(rules=["my rule"])], extra=late), path="p.xml")
    assert policy.scenarios[0].product.file_rules == ("my rule",)
    assert policy.notes == ("ids of <Allow> do not follow the pattern ID_ALLOW_ or ID_FILE_…: 'my rule' in line 11",)


def test_a_hundred_lenient_ids_make_one_note() -> None:
    rules = [allow(ID=f"rule{number}", FileName="x") for number in range(100)]
    policy = read_policy(policy_xml(file_rules=rules), path="p.xml")
    assert len(policy.notes) == 1
    assert policy.notes[0].endswith("(and 99 more)")


@pytest.mark.parametrize(
    ("rule", "minimum", "maximum"),
    [
        (element("Deny", ID="R", FileName="x"), VERSION_MAX, 0),
        (element("Deny", ID="R", FileName="x", MinimumFileVersion="5.0.0.0"), version_number((5, 0, 0, 0)), 0),
        (element("Deny", ID="R", FileName="x", MaximumFileVersion="5.0.0.0"), 0, version_number((5, 0, 0, 0))),
        (element("Deny", ID="R", Hash=SHA256), VERSION_MAX, 0),
        (element("Allow", ID="R", FileName="x"), 0, 0),
        (element("Allow", ID="R", FileName="x", MinimumFileVersion="1.0.0.0", MaximumFileVersion="1.0.0.0"), 1 << 48, 1 << 48),
        (element("FileAttrib", ID="R", FileName="x", MaximumFileVersion="1.0.0.0"), 0, 1 << 48),
    ],
)
def test_version_bounds_are_those_of_the_native_compiler(rule: str, minimum: int, maximum: int) -> None:
    bounds = read_policy(policy_xml(file_rules=[rule]), path="p.xml").file_rules["R"].versions
    assert (bounds.minimum, bounds.maximum) == (minimum, maximum)


def test_generic_rules_become_the_kind_they_name() -> None:
    data = policy_xml(
        file_rules=[
            element("FileRule", ID=f"ID_FILE_{word.upper()}", Type=word, FileName="x")
            for word in ("Match", "Exclude", "Attribute")
        ]
    )
    kinds = [rule.kind for rule in read_policy(data, path="p.xml").file_rules.values()]
    assert kinds == [FileRuleKind.ALLOW, FileRuleKind.DENY, FileRuleKind.ATTRIBUTE]


def test_macros_are_expanded_in_order_and_their_text_is_kept() -> None:
    data = policy_xml(
        file_rules=[allow(FileName="x", AppIDs="$(B)$(A)"), allow(ID="ID_ALLOW_A_2", FileName="x", AppIDs="cmd.exe")],
        macros=[element("Macro", Id="A", Value="a.exe"), element("Macro", Id="B", Value="b.exe")],
    )
    first, second = read_policy(data, path="p.xml").file_rules.values()
    assert (first.app_ids, first.app_ids_text) == (("b.exe", "a.exe"), "$(B)$(A)")
    assert second.app_ids == ("cmd.exe",)


def test_an_old_policy_names_itself_by_its_type() -> None:
    policy = read_policy(policy_xml(kind=None, policy_id=None, base_policy_id=None, policy_type_id=OTHER_ID), path="p.xml")
    assert policy.kind is PolicyKind.BASE
    assert f"{{{policy.policy_id}}}".upper() == f"{{{policy.base_policy_id}}}".upper() == OTHER_ID
    assert not policy.has_policy_id


def test_the_name_comes_from_the_settings_first() -> None:
    setting = element(
        "Setting", element("Value", element("String", "Floor 3")), Provider="PolicyInfo", Key="Information", ValueName="Name"
    )
    assert read_policy(policy_xml(settings=[setting], FriendlyName="x"), path="p.xml").name == "Floor 3"
    assert read_policy(policy_xml(FriendlyName="x"), path="p.xml").name == "x"


def test_the_documentation_s_option_texts_are_understood() -> None:
    policy = read_policy(policy_xml(options=[" Enabled:Audit Mode (Default) "]), path="p.xml")
    assert policy.options == {Option.AUDIT_MODE}
    assert "(Default)" in policy.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_real_encodings_are_read(encoding: str) -> None:
    prolog = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    policy = read_policy(policy_xml(file_rules=[allow(FileName="Öl.exe")], prolog=prolog, encoding=encoding), path="p.xml")
    assert policy.file_rules["ID_ALLOW_A_1"].file_name == "Öl.exe"


def test_an_empty_attribute_is_stored_like_an_absent_one() -> None:
    policy = read_policy(policy_xml(file_rules=[allow(FileName="x", ProductName="")]), path="p.xml")
    assert policy.file_rules["ID_ALLOW_A_1"].product_name is None
    assert policy.notes


NO_DIGEST = element("ArtifactRule", element("ArtifactHash", element("Hash")), ID="A", ArtifactType="CIM", Action="Deny")
TWO_NAMES = element("EKU", ID="E", Value="01012B", OID="1.2.3")
ITS_OWN_HOTPATCH = allow(FileName="x", RequireHotpatchID="ID_ALLOW_A_1")

FAULTS = [
    # what, policy, line, part of the message
    ("another root", policy_xml(root="Policy"), 2, "got <Policy>"),
    ("another namespace", policy_xml(namespace="urn:other"), 2, "in namespace 'urn:other'"),
    ("no namespace", policy_xml(namespace=None), 2, "without a namespace"),
    ("an unknown element", policy_xml(extra="<Signer/>"), 8, "<Signer> is not an element of <SiPolicy>"),
    ("a foreign element", policy_xml(extra='<x xmlns="urn:y"/>'), 8, "of another namespace"),
    ("a nested signer", policy_xml(file_rules=[element("Allow", "<Signer/>", ID="A")]), 9, "<Signer> is not an element of <Allow>"),
    ("an unknown attribute", policy_xml(file_rules=[allow(Filename="x")]), 9, "'Filename' is not an attribute of <Allow>"),
    ("text between elements", policy_xml(extra="<EKUs>hello</EKUs>"), 8, "<EKUs> contains text"),
    ("no id", policy_xml(file_rules=["<Allow FileName='x'/>"]), 9, "<Allow> lacks ID"),
    ("an empty id", policy_xml(file_rules=[allow(ID=" ", FileName="x")]), 9, "ID of <Allow> is empty"),
    ("no version", policy_xml().replace(b"<VersionEx>10.0.0.0</VersionEx>", b""), 2, "<SiPolicy> lacks <VersionEx>"),
    ("no policy id", policy_xml(policy_id=None, base_policy_id=None), 2, "the policy has no id"),
    ("a section twice", policy_xml(extra="<EKUs/><EKUs/>"), 8, "more than one <EKUs>"),
    ("a dangling file rule", policy_xml(scenarios=[scenario_xml(rules=["ID_ALLOW_A_1"])]), 9, "<FileRuleRef> refers to something"),
    ("a dangling signer", policy_xml(scenarios=[scenario_xml(allowed=["ID_SIGNER_S_1"])]), 9, "<AllowedSigner> refers to something"),
    ("a dangling EKU", policy_xml(signers=[signer_xml("S", element("CertEKU", ID="ID_EKU_A"))]), 9, "<CertEKU> refers to something"),
    (
        "a dangling attribute",
        policy_xml(signers=[signer_xml("S", element("FileAttribRef", RuleID="ID_FILEATTRIB_A"))]),
        9,
        "<FileAttribRef> refers to something",
    ),
    (
        "an attribute reference to an allow rule",
        policy_xml(file_rules=[allow(FileName="x")], signers=[signer_xml("S", element("FileAttribRef", RuleID="ID_ALLOW_A_1"))]),
        12,
        "expected a FileAttrib rule",
    ),
    (
        "an exception of the wrong kind",
        policy_xml(
            file_rules=[allow(FileName="x")],
            signers=[signer_xml()],
            scenarios=[
                scenario_xml(
                    allowed=[element("AllowedSigner", element("ExceptDenyRule", DenyRuleID="ID_ALLOW_A_1"), SignerId="ID_SIGNER_S_1")]
                )
            ],
        ),
        15,
        "expected a Deny rule",
    ),
    ("a dangling scenario", policy_xml(scenarios=[scenario_xml(InheritedScenarios="ID_X")]), 9, "<SigningScenario> refers to something"),
    ("a dangling CI signer", policy_xml(extra='<CiSigners><CiSigner SignerId="S"/></CiSigners>'), 8, "<CiSigner> refers to something"),
    ("a dangling artifact rule", policy_xml(signers=[signer_xml("S", element("ArtifactRuleRef", RuleID="A"))]), 9, "<ArtifactRuleRef>"),
    ("an undefined macro", policy_xml(file_rules=[allow(FileName="x", AppIDs="$(A)")]), 9, "a macro that is not defined"),
    ("half a macro", policy_xml(file_rules=[allow(FileName="x", AppIDs="$(A")]), 9, "neither a name nor macros"),
    ("a duplicate rule", policy_xml(file_rules=[allow(FileName="x"), allow(FileName="y")]), 10, "given twice in FileRules"),
    ("a duplicate signer", policy_xml(signers=[signer_xml(), signer_xml()]), 10, "given twice in Signers"),
    ("a duplicate scenario value", policy_xml(scenarios=[scenario_xml(id="A"), scenario_xml(id="B")]), 10, "have the value 12"),
    ("a duplicate macro", policy_xml(macros=[element("Macro", Id="A", Value="a")] * 2), 10, "the macro A is given twice"),
    ("odd hexadecimal", policy_xml(file_rules=[allow(Hash="ABC")]), 9, "Hash of <Allow> is not hexadecimal"),
    ("a hash of no algorithm", policy_xml(file_rules=[allow(Hash="AB" * 31)]), 9, "31 octets"),
    ("a hash and a name", policy_xml(file_rules=[allow(Hash=SHA256, FileName="x")]), 9, "a hash and other properties"),
    ("a rule with nothing", policy_xml(file_rules=[allow(MinimumFileVersion="1.0.0.0")]), 9, "nothing to match"),
    ("an empty root", policy_xml(signers=[signer_xml(root=element("CertRoot", Type="TBS", Value=""))]), 9, "is not hexadecimal"),
    ("a long root number", policy_xml(signers=[signer_xml(root=element("CertRoot", Type="Wellknown", Value="0600"))]), 9, "one octet"),
    ("a root of another type", policy_xml(signers=[signer_xml(root=element("CertRoot", Type="Key", Value="06"))]), 9, "TBS or Wellknown"),
    ("no GUID", policy_xml(policy_id="{1234}"), 5, "PolicyID is not a GUID"),
    ("three numbers for a version", policy_xml(version="1.2.3"), 3, "VersionEx of <VersionEx> is not a version"),
    ("a large version part", policy_xml(file_rules=[allow(FileName="x", MinimumFileVersion="65536.0.0.0")]), 9, "0 to 65535"),
    (
        "a minimum above the maximum",
        policy_xml(file_rules=[allow(FileName="x", MinimumFileVersion="2.0.0.0", MaximumFileVersion="1.0.0.0")]),
        9,
        "2.0.0.0 > 1.0.0.0",
    ),
    ("a local time", policy_xml(signers=[signer_xml(SignTimeAfter="2024-01-02T03:04:05")]), 9, "not a point in time"),
    ("an impossible date", policy_xml(signers=[signer_xml(SignTimeAfter="2024-02-30T03:04:05Z")]), 9, "no date after 1601"),
    (
        "a broken boolean",
        policy_xml(scenarios=[scenario_xml(inside=element("AppIDTags", EnforceDLL="yes"))]),
        9,
        "neither true nor false",
    ),
    ("a large number", policy_xml(extra="<HvciOptions>4294967296</HvciOptions>"), 8, "HvciOptions of <HvciOptions> is not a number"),
    ("a scenario above 255", policy_xml(scenarios=[scenario_xml(value="256")]), 9, "from 0 to 255"),
    ("an unknown option", policy_xml(options=["Enabled:Umci"]), 7, "an option that is not known"),
    ("an unknown policy type", policy_xml(kind="Base"), 2, "PolicyType is no known word"),
    ("EKU value and OID that differ", policy_xml(ekus=[TWO_NAMES]), 9, "Value and OID of <EKU> differ"),
    ("an EKU with a DER tag", policy_xml(ekus=[element("EKU", ID="E", Value="06012B")]), 9, "no encoded object identifier"),
    ("a hotpatch of itself", policy_xml(file_rules=[ITS_OWN_HOTPATCH]), 9, "does not refer to a hotpatch"),
    ("a supplemental without base", policy_xml(kind="Supplemental Policy", base_policy_id=None), 2, "lacks <BasePolicyID>"),
    ("two digests", policy_xml(artifact_rules=[NO_DIGEST]), 9, "exactly one digest"),
    ("a DOCTYPE", policy_xml(prolog='<!DOCTYPE x [<!ENTITY a "b">]>\n'), 1, "has a document type declaration"),
    ("an entity", policy_xml(extra="<EKUs>&a;</EKUs>"), 8, "not well-formed XML"),
    ("broken XML", b"<SiPolicy", 1, "not well-formed XML"),
    ("another encoding", policy_xml(prolog='<?xml version="1.0" encoding="utf-7"?>\n'), 1, "an encoding that is not read"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "line", "message"), [pytest.param(*rest, id=what) for what, *rest in FAULTS])
def test_what_the_compiler_refuses_is_refused_with_its_line(data: bytes, line: int, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read(data)
    assert message in str(raised.value)
    assert raised.value.place is not None
    assert raised.value.place.line == line


def test_a_reference_is_told_what_it_may_have_meant() -> None:
    with pytest.raises(PolicyError) as raised:
        read(
            policy_xml(file_rules=[allow(ID="ID_ALLOW_WORD", FileName="x")], scenarios=[scenario_xml(rules=["ID_ALLOW_WORDS"])])
        )
    assert raised.value.help == "did you mean ID_ALLOW_WORD?"


def test_entities_are_never_expanded() -> None:
    lines = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    with pytest.raises(PolicyError, match="document type declaration"):
        read(policy_xml(prolog=f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{lines}]>\n', extra="<EKUs>&l9;</EKUs>"))


def test_external_entities_are_never_opened() -> None:
    with pytest.raises(PolicyError, match="document type declaration"):
        read(policy_xml(prolog='<!DOCTYPE x SYSTEM "file:///etc/passwd">\n'))


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_policy_elements=5), "max_policy_elements"),
        (Limits(max_policy_depth=2), "max_policy_depth"),
        (Limits(max_policy_bytes=100), "max_policy_bytes"),
    ],
)
def test_limits_are_named_when_they_are_reached(limits: Limits, name: str) -> None:
    with pytest.raises(PolicyError, match=name):
        read_policy(policy_xml(), path="p.xml", limits=limits)


def test_schema_instance_attributes_of_the_root_do_no_harm() -> None:
    data = policy_xml().replace(
        b"<SiPolicy ", b'<SiPolicy xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" ', 1
    )
    assert read_policy(data, path="p.xml").policy_id == Guid.read(BASE_ID)
