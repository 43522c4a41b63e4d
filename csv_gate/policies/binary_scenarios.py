"""Scenarios, artifact rules and app settings of a compiled policy, and the tags that are stored as settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csv_gate.model.appcontrol import USER_SCENARIO, ArtifactRule, Scenario, Setting, SignerGroup, SignerUse
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.binary_cursor import Cursor
from csv_gate.policies.binary_file_rules import BinaryFileRules
from csv_gate.policies.references import Target

AppSettings = tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...]


def read_scenarios(cursor: Cursor, count: int, signer_ids: Sequence[str], rules: BinaryFileRules) -> list[Scenario]:
    """All scenarios; inherited ones are named when all values are known."""
    scenarios: list[Scenario] = []
    inherited: list[tuple[int, ...]] = []
    for _ in range(count):
        place, start = cursor.place(), cursor.position
        value = cursor.index("scenario values", 0x100)
        if any(scenario.value == value for scenario in scenarios):
            cursor.refuse(
                "two signing scenarios have the same value", got=str(value), expected="one scenario per value", at=start
            )
        inherited.append(cursor.indexes("inherited scenarios", count))
        minimum = cursor.u32("the minimum hash algorithm")
        product, test, test_signing = (_read_group(cursor, signer_ids, rules) for _ in range(3))
        scenarios.append(
            Scenario(
                id=layout.InventedIds.scenario(value),
                place=place,
                value=value,
                minimum_hash_algorithm=None if minimum == layout.DEFAULT_HASH_ALGORITHM else minimum,
                product=product,
                test=test if test != SignerGroup() else None,
                test_signing=test_signing if test_signing != SignerGroup() else None,
            )
        )
    return [
        replace(scenario, inherited=tuple(scenarios[index].id for index in indexes)) if indexes else scenario
        for scenario, indexes in zip(scenarios, inherited, strict=True)
    ]


def _read_group(cursor: Cursor, signer_ids: Sequence[str], rules: BinaryFileRules) -> SignerGroup:
    allowed, denied = _read_uses(cursor, signer_ids, rules)
    return SignerGroup(allowed=allowed, denied=denied, file_rules=rules.references("file rules of a scenario", Target.RULE))


def _read_uses(
    cursor: Cursor, signer_ids: Sequence[str], rules: BinaryFileRules
) -> tuple[tuple[SignerUse, ...], tuple[SignerUse, ...]]:
    lists = []
    for what, target in (("allowed signers", Target.DENY), ("denied signers", Target.ALLOW)):
        uses = []
        for _ in range(cursor.count(what, 8)):
            place = cursor.place()
            signer = signer_ids[cursor.index(what, len(signer_ids))]
            uses.append(SignerUse(signer=signer, place=place, exceptions=rules.references(f"exceptions of {what}", target)))
        lists.append(tuple(uses))
    return lists[0], lists[1]


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


def read_artifact_rules(cursor: Cursor, ids: layout.InventedIds) -> list[ArtifactRule]:
    """The rules of block 10; its references follow."""
    cursor.expect(10, "block 10 (artifact rules)")
    rules = []
    for _ in range(cursor.count("artifact rules", 44)):
        place, start = cursor.place(), cursor.position
        artifact_type = layout.ARTIFACT_TYPES[cursor.index("artifact types", 2)]
        action = layout.ARTIFACT_ACTIONS[cursor.index("artifact actions", 2)]
        name, description = cursor.string("ArtifactName"), cursor.string("ArtifactDescription")
        minimum, maximum = cursor.u64("MinimumVersion"), cursor.u64("MaximumVersion")
        digest = cursor.blob("an artifact hash")
        if digest and len(digest) not in layout.ARTIFACT_HASHES:
            cursor.refuse("an artifact hash has a wrong length", got=f"{len(digest)} octets", expected="32, 48 or 64", at=start)
        if minimum > maximum:
            cursor.refuse(
                "the minimum version of an artifact rule is above its maximum", got="min > max", expected="min ≤ max", at=start
            )
        rules.append(
            ArtifactRule(
                id=ids.next(Target.ARTIFACT_RULE),
                place=place,
                artifact_type=artifact_type,
                action=action,
                name=name,
                description=description,
                minimum_version=minimum,
                maximum_version=maximum,
                hash=digest or None,
                hash_algorithm=layout.ARTIFACT_HASHES.get(len(digest)),
            )
        )
    return rules


def read_artifact_groups(
    cursor: Cursor, scenarios: Sequence[Scenario], signer_ids: Sequence[str], rules: BinaryFileRules, rule_ids: Sequence[str]
) -> list[Scenario]:
    """The artifact signers that block 10 adds to each scenario."""
    completed = []
    for scenario in scenarios:
        allowed, denied = _read_uses(cursor, signer_ids, rules)
        indexes = cursor.indexes("artifact rules of a scenario", len(rule_ids))
        group = SignerGroup(allowed=allowed, denied=denied, file_rules=tuple(rule_ids[index] for index in indexes))
        completed.append(replace(scenario, artifact=group) if group != SignerGroup() else scenario)
    return completed


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
