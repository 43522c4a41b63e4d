"""What a SiPolicy says about itself: kind, ids, options, settings, macros, app settings."""

from __future__ import annotations

from collections.abc import Sequence

from csv_gate.model.appcontrol import Option, PolicyKind, Setting, SettingValue
from csv_gate.model.guid import Guid
from csv_gate.policies.notes import Notes
from csv_gate.policies.xml_tree import Element
from csv_gate.policies.xml_values import bool_value, guid_value, hex_value, number_value
from csv_gate.records import dataclass

WINDOWS_PLATFORM = Guid.read("2e07f7e4-194c-4d20-b7c9-6f44a6c5a234")
KIND_TEXTS = {
    "Base Policy": PolicyKind.BASE,
    "Supplemental Policy": PolicyKind.SUPPLEMENTAL,
    "AppID Tagging Policy": PolicyKind.APPID_TAGGING,
}
_OPTIONS = {option.text: option for option in Option}
_DEFAULT_SUFFIX = " (Default)"
"""The documentation prints some options with this suffix, and so do files made from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Kind and ids of a policy."""

    kind: PolicyKind
    platform_id: Guid
    policy_type_id: Guid | None
    policy_id: Guid
    base_policy_id: Guid
    has_policy_id: bool


def policy_identity(root: Element, notes: Notes) -> Identity:
    """Ids of old (PolicyTypeID only) and new (PolicyID and BasePolicyID) policies.

    Raises:
        PolicyError: an unknown type, a broken GUID, or no id at all.
    """
    kind = _kind(root)
    platform, type_id, policy_id, base_id = (
        _guid(root, name, notes) for name in ("PlatformID", "PolicyTypeID", "PolicyID", "BasePolicyID")
    )
    assert platform is not None  # the schema table demands it
    if platform != WINDOWS_PLATFORM:
        notes.add("PlatformID is not the one that all Windows policies have", str(platform))
    own = policy_id or type_id
    if own is None:
        raise root.error(
            "the policy has no id",
            got="neither PolicyID nor PolicyTypeID",
            expected="<PolicyID>{…}</PolicyID> and <BasePolicyID>",
        )
    if base_id is None and kind is PolicyKind.SUPPLEMENTAL:
        raise root.error("a supplemental policy lacks <BasePolicyID>", expected="the PolicyID of its base")
    if policy_id is None and base_id is not None:
        notes.add("BasePolicyID stands without PolicyID")
    if base_id is None and policy_id is not None:
        notes.add("PolicyID stands without BasePolicyID")
    return Identity(
        kind=kind,
        platform_id=platform,
        policy_type_id=type_id,
        policy_id=own,
        base_policy_id=base_id or own,
        has_policy_id=policy_id is not None,
    )


def _kind(root: Element) -> PolicyKind:
    text = root.attributes.get("PolicyType")
    if text is None:
        return PolicyKind.BASE
    kind = KIND_TEXTS.get(text.strip())
    if kind is None:
        raise root.error("PolicyType is no known word", got=repr(text[:60]), expected=" or ".join(KIND_TEXTS))
    return kind


def _guid(root: Element, name: str, notes: Notes) -> Guid | None:
    element = root.child(name)
    return None if element is None else guid_value(element, name, element.text, notes)


def option(rule: Element, notes: Notes) -> Option:
    """The option of one <Rule>."""
    element = rule.child("Option")
    assert element is not None  # the schema table demands it
    text = element.text.strip()
    if text.endswith(_DEFAULT_SUFFIX):
        notes.add("option texts carry the documentation's ' (Default)'", f"{text!r} in line {element.line}")
        text = text.removesuffix(_DEFAULT_SUFFIX)
    found = _OPTIONS.get(text)
    if found is None:
        from csv_gate.policies.suggestions import did_you_mean

        raise element.error(
            "the policy has an option that is not known",
            got=repr(text[:80]),
            expected="an option of the SiPolicy schema, such as Enabled:UMCI",
            help=did_you_mean(text, _OPTIONS) or "what is not understood can't be judged: remove it or update csv-gate",
        )
    return found


def setting(element: Element, notes: Notes) -> Setting:
    """One Setting of the policy."""
    attributes = element.attributes
    box = element.child("Value")
    assert box is not None  # the schema table demands it
    values = list(box.elements())
    if len(values) != 1:
        raise box.error(
            "<Value> of a setting needs exactly one value", got=str(len(values)), expected="Boolean, DWord, Binary or String"
        )
    return Setting(
        provider=attributes["Provider"],
        key=attributes["Key"],
        value_name=attributes["ValueName"],
        value=_setting_value(values[0], notes),
    )


def _setting_value(element: Element, notes: Notes) -> SettingValue:
    match element.shape.name:
        case "Boolean":
            return bool_value(element, "Boolean", element.text, notes)
        case "DWord":
            return number_value(element, "DWord", element.text, 0xFFFF_FFFF)
        case "Binary":
            return hex_value(element, "Binary", element.text) if element.text.strip() else b""
        case _:
            return element.text


def info(settings: Sequence[Setting], value_name: str) -> str | None:
    """Name or Id from the setting PolicyInfo/Information, as events show it."""
    for found in settings:
        if (found.provider, found.key, found.value_name) == ("PolicyInfo", "Information", value_name):
            return found.value if isinstance(found.value, str) else None
    return None


def macro(element: Element, notes: Notes) -> tuple[str, str]:
    """Id and value of one Macro."""
    from csv_gate.policies.app_ids import MACRO_ID

    macro_id = element.attributes["Id"]
    if not MACRO_ID.fullmatch(macro_id):
        raise element.error(
            "a macro has no usable id",
            got=repr(macro_id[:60]),
            expected="letters, digits, '_' and '.', not beginning with a digit",
        )
    return macro_id, element.attributes["Value"]


def app(element: Element) -> tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Manifest and settings of one App of AppSettings."""
    return element.attributes["Manifest"], tuple(
        (child.attributes.get("Name", ""), tuple(value.text for value in child.elements("Value")))
        for child in element.elements("Setting")
    )
