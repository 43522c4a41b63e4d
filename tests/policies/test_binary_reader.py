from __future__ import annotations

from datetime import UTC, datetime
from struct import pack

import pytest

from csv_gate.errors import PolicyError
from csv_gate.limits import Limits
from csv_gate.model.appcontrol import (
    VERSION_MAX,
    FileRule,
    FileRuleKind,
    Option,
    PolicyKind,
    Setting,
    SignerGroup,
    VersionBounds,
)
from csv_gate.policies import read_policy, write_binary, write_xml
from tests.builders.policy import OTHER_ID, PLACE, eku, file_rule, policy, scenario, signer, signer_use

RULES = (
    file_rule("a", FileRuleKind.ALLOW, file_name="a.exe"),
    file_rule("d", FileRuleKind.DENY, file_name="d.exe"),
    file_rule("f", FileRuleKind.ATTRIBUTE, file_name="f.exe"),
)


def test_ids_are_invented_by_kind_and_position_and_places_are_offsets() -> None:
    data = write_binary(
        policy(file_rules=RULES, signers=[signer("mine")], ekus=[eku()], scenarios=[scenario(12), scenario(131), scenario(7)])
    )
    read = read_policy(data, path="p.cip")
    assert list(read.file_rules) == ["ID_DENY_D_0001", "ID_ALLOW_A_0001", "ID_FILEATTRIB_F_0001"]
    assert list(read.signers) == ["ID_SIGNER_S_0001"]
    assert [found.id for found in read.ekus] == ["ID_EKU_E_0001"]
    assert [found.id for found in read.scenarios] == [
        "ID_SIGNINGSCENARIO_WINDOWS",
        "ID_SIGNINGSCENARIO_DRIVERS_1",
        "ID_SIGNINGSCENARIO_V_7",
    ]
    place = read.file_rules["ID_DENY_D_0001"].place
    assert place.offset is not None
    assert data[place.offset : place.offset + 18] == pack("<II", 0, 10) + "d.exe".encode("utf-16-le")
    assert str(place) == f"p.cip at offset {place.offset:#x}"


def test_the_numbers_of_the_binary_decide() -> None:
    bounds = VersionBounds(minimum=5, maximum=VERSION_MAX)
    read = read_policy(write_binary(policy(file_rules=[file_rule(file_name="x", versions=bounds)])), path="p")
    assert next(iter(read.file_rules.values())).versions == bounds


def test_a_denial_by_hash_that_another_compiler_stored_with_zeros_survives_xml() -> None:
    zeros = VersionBounds(minimum=0, maximum=0)
    data = write_binary(policy(file_rules=[file_rule("d", FileRuleKind.DENY, hash=bytes(32), versions=zeros)]))
    read = read_policy(data, path="p")
    assert write_binary(read_policy(write_xml(read), path="p")) == data


def test_a_tagging_policy_is_known_by_its_setting_and_options() -> None:
    tagging = policy(
        kind=PolicyKind.APPID_TAGGING,
        scenarios=[scenario(12, appid_tags=(("Key", "Value"),), enforce_dll=True)],
        signers=[signer()],
    )
    read = read_policy(write_binary(tagging), path="p")
    assert read.kind is PolicyKind.APPID_TAGGING
    assert read.settings == ()
    assert read.scenarios[0].appid_tags == (("Key", "Value"),)
    assert read.scenarios[0].enforce_dll is True
    assert read.options >= {Option.AUDIT_MODE, Option.UMCI, Option.DISABLED_SCRIPT_ENFORCEMENT}
    assert read.ci_signers == ("ID_SIGNER_S_0001",)


def test_the_tagging_setting_alone_makes_no_tagging_policy() -> None:
    setting = Setting(provider="WDACAppId", key="TaggingSettings", value_name="DefaultPolicy", value=True)
    read = read_policy(write_binary(policy(settings=(setting,))), path="p")
    assert read.kind is PolicyKind.BASE
    assert read.settings == (setting,)
    assert "tagging setting" in read.notes[0]


def test_the_number_one_is_not_the_option_that_is_stored_as_true() -> None:
    setting = Setting(
        provider="Microsoft", key="PolicySettings", value_name="DisabledDefaultWindowsCertificateRemappingValueName", value=1
    )
    read = read_policy(write_binary(policy(settings=(setting,))), path="p")
    assert Option.DISABLED_CERTIFICATE_REMAPPING not in read.options
    assert read.settings == (setting,)


def test_option_bits_without_a_name_are_kept_and_not_lost_in_xml() -> None:
    read = read_policy(write_binary(policy(unknown_option_bits=1 << 9)), path="p")
    assert read.unknown_option_bits == 1 << 9
    with pytest.raises(PolicyError, match="option bits without a name"):
        write_xml(read)


def test_a_supplemental_is_known_by_its_bit() -> None:
    extra = policy(kind=PolicyKind.SUPPLEMENTAL, base_policy_id=OTHER_ID)
    read = read_policy(write_binary(extra), path="p")
    assert (read.kind, read.policy_id, read.base_policy_id) == (PolicyKind.SUPPLEMENTAL, extra.policy_id, extra.base_policy_id)
    data = bytearray(write_binary(extra))
    data[0x27] &= ~0x40
    assert "disagree" in read_policy(bytes(data), path="p").notes[0]


def test_lone_surrogates_are_kept() -> None:
    read = read_policy(write_binary(policy(file_rules=[file_rule(file_name="a\ud800b")])), path="p")
    assert next(iter(read.file_rules.values())).file_name == "a\ud800b"
    with pytest.raises(PolicyError, match="U\\+D800"):
        write_xml(read)


def test_signing_times_come_back() -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    read = read_policy(write_binary(policy(signers=[signer(sign_time_after=moment)])), path="p")
    assert next(iter(read.signers.values())).sign_time_after == moment


def test_old_formats_hold_less_and_are_read() -> None:
    legacy = policy(
        has_policy_id=False, file_rules=[file_rule(file_name="x")], scenarios=[scenario(12, file_rules=["ID_ALLOW_A_1"])]
    )
    for version in range(1, 12):
        data = write_binary(legacy, format_version=version)
        read = read_policy(data, path="p")
        assert read.format_version == version
        assert write_binary(read) == data


def app_text(text: str) -> bytes:
    octets = text.encode("utf-16-le")
    return pack("<I", len(octets)) + octets + bytes(-len(octets) % 4 + 4)


def test_app_settings_of_a_compiled_policy_become_the_texts_that_xml_has() -> None:
    settings = [
        app_text("Flag") + b"\0\1" + pack("<I", 0),
        app_text("Number") + b"\1\7" + pack("<I", 1),
        app_text("Text") + b"\3" + app_text("abc") + pack("<I", 0),
        app_text("Set") + b"\4" + pack("<I", 2) + app_text("a") + app_text("b") + pack("<I", 0),
    ]
    empty = write_binary(policy(), format_version=8)
    data = empty[:-8] + pack("<I", 1) + app_text("App.Id") + pack("<I", len(settings)) + b"".join(settings) + empty[-4:]
    read = read_policy(data, path="p")
    assert read.app_settings == (
        ("App.Id", (("Flag", ("true",)), ("Number", ("7",)), ("Text", ("abc",)), ("Set", ("a", "b")))),
    )
    assert read_policy(write_xml(read), path="p").app_settings == read.app_settings
    with pytest.raises(PolicyError, match="an app setting has an unknown type"):
        read_policy(data.replace(b"\4" + pack("<I", 2), b"\5" + pack("<I", 2)), path="p")


def test_hotpatch_rules_come_back() -> None:
    rules = [
        FileRule(
            id=rule_id,
            kind=FileRuleKind.ALLOW,
            place=PLACE,
            file_name=rule_id,
            versions=VersionBounds(minimum=0, maximum=0),
            require_hotpatch_id=required,
            minimum_hotpatch_sequence=lowest,
        )
        for rule_id, required, lowest in (("a", "b", None), ("b", None, 2))
    ]
    data = write_binary(policy(file_rules=rules))
    first, second = read_policy(data, path="p").file_rules.values()
    assert first.require_hotpatch_id == second.id
    assert (second.minimum_hotpatch_sequence, second.maximum_hotpatch_sequence) == (2, None)
    itself = data.replace(pack("<IIII", 1, 0, 1, 2), pack("<IIII", 1, 0, 0, 2))
    with pytest.raises(PolicyError, match="a hotpatch entry makes no sense"):
        read_policy(itself, path="p")


def whole() -> bytes:
    rules = (*RULES, file_rule("h", hash=bytes(32)))
    return write_binary(
        policy(
            ekus=[eku()],
            file_rules=rules,
            signers=[signer("s", file_attributes=("f",), publisher="Publisher")],
            scenarios=[
                scenario(12, allowed=[signer_use("s", "d")], file_rules=["a"], test=SignerGroup(denied=(signer_use("s", "a"),)))
            ],
            settings=(Setting(provider="P", key="K", value_name="V", value=True),),
        )
    )


def patched(data: bytes, offset: int, octets: bytes) -> bytes:
    return data[:offset] + octets + data[offset + len(octets) :]


NAME = whole().index("d.exe".encode("utf-16-le"))
PUBLISHER = whole().index("Publisher".encode("utf-16-le"))
SETTING = whole().index("V".encode("utf-16-le") + bytes(6))

DAMAGE = [
    ("a header cut short", whole()[:0x26], 0x24, "the policy ends inside the option word"),
    ("another header length", patched(whole(), 0x40, b"\x44"), 0x40, "got 0x44, expected 0x40"),
    (
        "more EKUs than bytes",
        patched(whole(), 0x28, b"\xff\xff\xff\xff"),
        0x28,
        "the number of EKUs is more than the file can hold",
    ),
    ("more rules than bytes", patched(whole(), 0x2C, b"\xff\xff\0\0"), 0x2C, "the number of file rules"),
    ("an EKU with a DER tag", patched(whole(), 0x48, b"\x06"), None, "an EKU is no encoded object identifier"),
    ("an unknown rule type", patched(whole(), NAME - 8, b"\x03"), NAME - 8, "got 3, expected below 3"),
    ("an odd text", patched(whole(), NAME - 4, b"\x09"), NAME - 4, "got 9, expected an even number of bytes"),
    ("padding that is not zero", patched(whole(), NAME + 10, b"\x01"), NAME + 10, "padding of FileName of a rule is not zero"),
    ("a text without end", patched(whole(), NAME + 12, b"\x01"), NAME + 12, "is not ended by zero"),
    ("a zero inside a text", patched(whole(), NAME, b"\0\0"), NAME, "contains a zero character"),
    ("an unknown root kind", patched(whole(), PUBLISHER - 56, b"\x02"), PUBLISHER - 56, "a root of unknown kind"),
    ("a boolean of two", patched(whole(), SETTING + 12, b"\x02"), SETTING + 12, "got 2, expected below 2"),
    ("a setting of unknown type", patched(whole(), SETTING + 8, b"\x04"), SETTING + 8, "a setting has an unknown type"),
    ("a wrong end tag", patched(whole(), len(whole()) - 4, b"\x09"), len(whole()) - 4, "got 0x9, expected 0x8"),
    ("bytes after the end", whole() + b"\0", len(whole()), "bytes follow the end tag"),
    ("a newer block than the format", patched(whole(), 0, b"\x08"), len(whole()), "the policy ends inside"),
]


@pytest.mark.parametrize(("data", "offset", "message"), [pytest.param(*rest, id=what) for what, *rest in DAMAGE])
def test_damage_is_told_with_its_offset(data: bytes, offset: int | None, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read_policy(data, path="p.cip")
    assert message in str(raised.value)
    assert raised.value.got
    assert raised.value.expected
    assert raised.value.help
    assert raised.value.place is not None
    assert offset is None or raised.value.place.offset == offset


def test_references_to_rules_of_the_wrong_kind_are_refused() -> None:
    data = write_binary(policy(file_rules=RULES, scenarios=[scenario(12, file_rules=["f"])]))
    with pytest.raises(PolicyError, match="got Attribute, expected an Allow or Deny rule"):
        read_policy(data, path="p")


def test_rules_that_no_compiler_writes_are_refused() -> None:
    for rule, message in (
        (file_rule(file_name="x", hash=bytes(32)), "a hash and other properties"),
        (file_rule(), "nothing to match"),
        (file_rule(file_name="x", versions=VersionBounds(minimum=5, maximum=4)), "above its maximum"),
        (file_rule(hash=bytes(31)), "length of no algorithm"),
        (file_rule(hash=bytes(32), versions=VersionBounds(minimum=5, maximum=0)), "a hash and version bounds"),
        (file_rule(file_name="x", product_name="p", app_ids=("y",)), "do not go with them"),
    ):
        with pytest.raises(PolicyError, match=message):
            read_policy(write_binary(policy(file_rules=[rule])), path="p")


def test_the_limit_of_elements_holds() -> None:
    with pytest.raises(PolicyError, match="max_policy_elements"):
        read_policy(whole(), path="p", limits=Limits(max_policy_elements=3))
