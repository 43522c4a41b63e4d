"""Settings of compiled policies: the policy's own, what is compiled into settings (tags, the option without a bit), app settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csv_gate.model.appcontrol import USER_SCENARIO, AppControlPolicy, Option, PolicyKind, Scenario, Setting, SettingValue
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.binary_cursor import Cursor
from csv_gate.records import replace

AppSettings = tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]


def read_settings(cursor: Cursor) -> list[Setting]:
    """The settings block."""
    return [
        Setting(
            provider=cursor.string("Provider of a setting") or "",
            key=cursor.string("Key of a setting") or "",
            value_name=cursor.string("ValueName of a setting") or "",
            value=_setting_value(cursor),
        )
        for _ in range(cursor.count("settings", 28))
    ]


def _setting_value(cursor: Cursor) -> SettingValue:
    start = cursor.position
    kind = cursor.u32("the type of a setting")
    match kind:
        case layout.SETTING_BOOLEAN:
            return cursor.index("boolean settings (false, true)", 2) == 1
        case layout.SETTING_DWORD:
            return cursor.u32("the number of a setting")
        case layout.SETTING_BINARY:
            return cursor.blob("the octets of a setting")
        case layout.SETTING_STRING:
            return cursor.string("the text of a setting") or ""
    raise cursor.fault("a setting has an unknown type", got=str(kind), expected="0 to 3", at=start)


def compiled_settings(policy: AppControlPolicy) -> Iterator[Setting]:
    """The policy's own settings, and what is compiled into settings: tags, and the option without a bit."""
    if policy.kind is PolicyKind.APPID_TAGGING:
        yield layout.TAGGING_SETTING
    for scenario in policy.scenarios:
        if scenario.enforce_dll:
            yield layout.ENFORCE_DLL_SETTING
        for key, value in scenario.appid_tags:
            yield Setting(provider=layout.TAGGING_PROVIDER, key=layout.TAG_KEY, value_name=key, value=value)
    yield from policy.settings
    if Option.DISABLED_CERTIFICATE_REMAPPING in policy.options:
        yield layout.REMAPPING_SETTING


def settled_tags(scenarios: Sequence[Scenario], settings: Sequence[Setting]) -> tuple[list[Scenario], list[Setting]]:
    """Move AppID tags from the settings, where compiling puts them, back to the user-mode scenario."""
    tags = [
        (setting.value_name, setting.value)
        for setting in settings
        if (setting.provider, setting.key) == (layout.TAGGING_PROVIDER, layout.TAG_KEY)
    ]
    texts = tuple((name, value) for name, value in tags if isinstance(value, str) and name)
    user = next((scenario for scenario in scenarios if scenario.value == USER_SCENARIO), None)
    if user is None or len(texts) < len(tags):
        return list(scenarios), list(settings)
    enforces = layout.has_setting(settings, layout.ENFORCE_DLL_SETTING)
    if not tags and not enforces:
        return list(scenarios), list(settings)
    tagged = replace(user, appid_tags=texts, enforce_dll=True if enforces else None)
    rest = [setting for setting in settings if (setting.provider, setting.key) != (layout.TAGGING_PROVIDER, layout.TAG_KEY)]
    if enforces:
        rest = layout.without_setting(rest, layout.ENFORCE_DLL_SETTING)
    return [tagged if scenario is user else scenario for scenario in scenarios], rest


def read_app_settings(cursor: Cursor) -> AppSettings:
    """Block 8. The type of each setting is read over; its values become text as XML has them."""
    cursor.expect(8, "block 8 (app settings)")
    apps = []
    for _ in range(cursor.count("apps", 12)):
        manifest = cursor.string("the manifest id of an app") or ""
        settings = []
        for _ in range(cursor.count("settings of an app", 14)):
            name = cursor.string("the name of an app setting") or ""
            settings.append((name, _app_values(cursor)))
            cursor.u32("the audit flag of an app setting")
        apps.append((manifest, tuple(settings)))
    return tuple(apps)


def _app_values(cursor: Cursor) -> tuple[str, ...]:
    start = cursor.position
    kind = cursor.u8("the type of an app setting")
    match kind:
        case 0:
            return ("true" if cursor.u8("a boolean app setting") == 1 else "false",)
        case 1:
            return (str(cursor.u8("a number app setting")),)
        case 3:
            text = cursor.string("a text app setting")
            return () if text is None else (text,)
        case 4:
            return tuple(cursor.string("a text app setting") or "" for _ in range(cursor.count("values", 8)))
    raise cursor.fault("an app setting has an unknown type", got=str(kind), expected="0, 1, 3 or 4", at=start)
