from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.model.appcontrol import VERSION_MAX, FileRuleKind, VersionBounds
from csv_gate.policies.app_ids import MacroWriter, expand, macro_names
from csv_gate.policies.object_identifier import oid_from_value, value_from_oid
from csv_gate.policies.version_bounds import decode_bounds, encode_bounds

versions = st.sampled_from([0, 1, 1 << 48, VERSION_MAX]) | st.integers(0, VERSION_MAX)


@given(kind=st.sampled_from(FileRuleKind), minimum=versions, maximum=versions)
def test_bounds_survive_the_way_through_xml(kind: FileRuleKind, minimum: int, maximum: int) -> None:
    bounds = VersionBounds(minimum=minimum, maximum=maximum)
    assert encode_bounds(kind, *decode_bounds(kind, bounds)) == bounds


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("1.3.6.1.4.1.311.10.3.6", "010A2B0601040182370A0306"),
        ("1.3.6.1.4.1.311.61.4.1", "010A2B0601040182373D0401"),
        ("2.999", "01028837"),
        ("0.0", "010100"),
    ],
)
def test_ekus_are_identifiers_with_another_tag(oid: str, value: str) -> None:
    assert value_from_oid(oid) == bytes.fromhex(value)
    assert oid_from_value(bytes.fromhex(value)) == oid


@pytest.mark.parametrize("value", ["", "01", "0100", "06012B", "01022B", "010181", "01812B"])
def test_other_octets_are_no_eku(value: str) -> None:
    assert oid_from_value(bytes.fromhex(value)) is None


@pytest.mark.parametrize("oid", ["", "1", "3.1", "1.40", "1.a", "1..2", "1.-2", "1.²", "1." + "9" * 40, "1.2" + ".1" * 200])
def test_other_texts_are_no_identifier(oid: str) -> None:
    assert value_from_oid(oid) is None


@given(st.binary(max_size=140))
def test_any_octets_are_an_eku_or_none(value: bytes) -> None:
    oid = oid_from_value(value)
    assert oid is None or all(part.isdigit() for part in oid.split("."))


@pytest.mark.parametrize(
    ("text", "names"),
    [("cmd.exe", []), ("$(A)", ["A"]), ("$(A.b)$(C_1)", ["A.b", "C_1"]), ("$A", None), ("$(A) $(B)", None), ("$()", None)],
)
def test_app_ids_are_a_name_or_a_chain_of_macros(text: str, names: list[str] | None) -> None:
    assert macro_names(text) == names


@given(st.lists(st.text(max_size=6), max_size=5))
def test_names_of_a_compiled_policy_come_back_from_the_text_written_for_them(names: list[str]) -> None:
    writer = MacroWriter()
    text = writer.text(names)
    assert (text is None) == (not names)
    if text is not None:
        assert expand(text, dict(writer.macros())) == tuple(names)


def test_the_same_name_needs_one_macro() -> None:
    writer = MacroWriter()
    writer.text(["a", "b"])
    writer.text(["b", "c"])
    assert [value for _, value in writer.macros()] == ["a", "b", "c"]
