"""Scenarios and artifact rules of a compiled policy."""

from __future__ import annotations

from collections.abc import Sequence

from csv_gate.model.appcontrol import ArtifactRule, Scenario, SignerGroup, SignerUse
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.binary_cursor import Cursor
from csv_gate.policies.binary_file_rules import BinaryFileRules
from csv_gate.policies.references import Target
from csv_gate.records import replace


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
        minimum = cursor.index("minimum hash algorithms", 0x10000)
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
