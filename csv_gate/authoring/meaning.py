"""What a policy does, as sets of facts without order, ids and names, so that two policies can be compared.

The unit is a *statement*: one thing that a scenario allows or denies. A signer with several file attributes is as many statements, since
any of them suffices; so splitting or joining signers changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from csv_gate.authoring.words import Direction, artifact_words, quoted, rule_words, scenario_name, signer_words, version_range
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    ArtifactRule,
    FileRule,
    FileRuleKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
    version_text,
)
from csv_gate.policies.binary_layout import DEFAULT_HASH_ALGORITHM, file_rule_key
from csv_gate.records import dataclass

Key = tuple[object, ...]
_GROUPS = ("product", "test", "test_signing", "artifact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that a scenario allows or denies, in words. Raw text."""

    scenario: int
    group: str
    """`product`, `test`, `test_signing` or `artifact`."""
    direction: Direction
    what: str

    @property
    def where(self) -> str:
        suffix = {"product": "", "test": ", test signers", "test_signing": ", test-signing signers", "artifact": ", artifacts"}
        return scenario_name(self.scenario) + suffix[self.group]


def statements(policy: AppControlPolicy) -> Mapping[Key, Statement]:
    """Every statement by its meaning. Equal meanings have equal keys, whatever the words."""
    found: dict[Key, Statement] = {}
    for scenario in policy.scenarios:
        for name, group in zip(_GROUPS, _groups(scenario), strict=True):
            entries = () if group is None else (*_listed(policy, group, name), *_signed(policy, group))
            for direction, key, what in entries:
                statement = Statement(scenario=scenario.value, group=name, direction=direction, what=what)
                found.setdefault((scenario.value, name, direction.value, *key), statement)
    return found


def _groups(scenario: Scenario) -> tuple[SignerGroup | None, ...]:
    return scenario.product, scenario.test, scenario.test_signing, scenario.artifact


def _listed(policy: AppControlPolicy, group: SignerGroup, name: str) -> Iterator[tuple[Direction, Key, str]]:
    """The rules that a group lists; in the group of artifacts these are artifact rules."""
    for rule_id in group.file_rules:
        if name == "artifact":
            artifact = policy.artifact_rules[rule_id]
            direction = Direction.DENY if artifact.action == "Deny" else Direction.ALLOW
            yield direction, ("artifact", artifact_key(artifact)), artifact_words(artifact)
        else:
            rule = policy.file_rules[rule_id]
            direction = Direction.DENY if rule.kind is FileRuleKind.DENY else Direction.ALLOW
            yield direction, ("rule", _rule_key(policy, rule, direction)), rule_words(rule, direction)


def _signed(policy: AppControlPolicy, group: SignerGroup) -> Iterator[tuple[Direction, Key, str]]:
    """The signers of a group with what narrows them."""
    for direction, uses in ((Direction.ALLOW, group.allowed), (Direction.DENY, group.denied)):
        for use in uses:
            yield from ((direction, key, what) for key, what in _of_signer(policy, use, direction))


def _of_signer(policy: AppControlPolicy, use: SignerUse, direction: Direction) -> Iterator[tuple[Key, str]]:
    signer = policy.signers[use.signer]
    opposite = Direction.DENY if direction is Direction.ALLOW else Direction.ALLOW
    excepted = [policy.file_rules[rule_id] for rule_id in use.exceptions]
    exceptions = frozenset(_rule_key(policy, rule, opposite) for rule in excepted)
    artifacts = frozenset(artifact_key(policy.artifact_rules[rule_id]) for rule_id in signer.artifact_rules)
    tail = "".join(f"; except {words}" for words in sorted({rule_words(rule, opposite) for rule in excepted}))
    tail += "".join(
        f"; only {words}"
        for words in sorted(artifact_words(policy.artifact_rules[rule_id]) for rule_id in signer.artifact_rules)
    )
    core = (signer_key(signer), exceptions, artifacts)
    if not signer.file_attributes:
        yield ("signer", *core, None), "files signed under " + signer_words(signer) + tail
    for rule_id in signer.file_attributes:
        rule = policy.file_rules[rule_id]
        words = f"files signed under {signer_words(signer)}; with {rule_words(rule, direction)}" + tail
        yield ("signer", *core, _rule_key(policy, rule, direction)), words


def _rule_key(policy: AppControlPolicy, rule: FileRule, direction: Direction) -> Key:
    """What a rule matches when it works in `direction`."""
    required = policy.file_rules.get(rule.require_hotpatch_id or "")
    return (
        *file_rule_key(rule)[1:],
        None if rule.hash is not None else version_range(rule.versions, direction),
        rule.package_version,
        frozenset(name.casefold() for name in rule.app_ids),
        None if required is None else _plain_key(required, direction),
        rule.minimum_hotpatch_sequence or 0,
        rule.maximum_hotpatch_sequence,
    )


def _plain_key(rule: FileRule, direction: Direction) -> Key:
    """Of the rule that another requires, which requires none itself."""
    return (*file_rule_key(rule)[1:], version_range(rule.versions, direction))


def signer_key(signer: Signer) -> Key:
    """What a signer matches, its file attributes left out."""
    ekus = frozenset((condition.eku.value, condition.is_except) for condition in signer.ekus)
    root = (int(signer.root.kind), signer.root.value)
    return root, ekus, signer.issuer or "", signer.publisher or "", signer.oem_id or "", signer.sign_time_after


def artifact_key(rule: ArtifactRule) -> Key:
    name, description = (text.casefold() if text else "" for text in (rule.name, rule.description))
    return rule.artifact_type, name, description, rule.minimum_version, rule.maximum_version, rule.hash


def properties(policy: AppControlPolicy) -> dict[str, str]:
    """Everything about a policy that has one value, by what it is called, in words."""
    found = {
        "kind": policy.kind.value,
        "version": version_text(policy.version),
        "policy id": policy.policy_id.braced,
        "base policy id": policy.base_policy_id.braced,
        "platform id": policy.platform_id.braced,
    }
    if policy.hvci_options:
        found["HVCI options"] = str(policy.hvci_options)
    if policy.unknown_option_bits:
        found["unknown option bits"] = f"{policy.unknown_option_bits:#010x}"
    for setting in sorted(policy.settings, key=setting_words):
        name, words = _setting_name(setting), setting_words(setting)
        found[name] = f"{found[name]}, {words}" if name in found else words
    for manifest, settings in policy.app_settings:
        for name, values in settings:
            found[f"app setting {manifest} / {name}"] = ", ".join(map(quoted, sorted(values)))
    for scenario in policy.scenarios:
        found.update(_scenario_properties(policy, scenario))
    return found


def _scenario_properties(policy: AppControlPolicy, scenario: Scenario) -> Iterator[tuple[str, str]]:
    where = f"scenario {scenario_name(scenario.value)}"
    yield where, "present"
    yield f"{where}: minimum hash algorithm", f"{scenario.minimum_hash_algorithm or DEFAULT_HASH_ALGORITHM:#06x}"
    if scenario.inherited:
        values = {other.id: other.value for other in policy.scenarios}
        yield f"{where}: inherits", ", ".join(sorted(scenario_name(values[one]) for one in scenario.inherited))
    for key, value in scenario.appid_tags:
        yield f"{where}: AppID tag {quoted(key)}", quoted(value)
    if scenario.enforce_dll:
        yield f"{where}: tags DLLs too", "yes"


def _setting_name(setting: Setting) -> str:
    return f"setting {setting.provider} / {setting.key} / {setting.value_name}"


def setting_words(setting: Setting) -> str:
    value = setting.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return quoted(value) if isinstance(value, str) else str(value)


def roles(policy: AppControlPolicy) -> Mapping[Key, tuple[str, str]]:
    """Signers of policies and of the CI list: by meaning, the role and the words."""
    lists = (
        ("may sign updates of the policy", policy.update_signers),
        ("may sign supplementals", policy.supplemental_signers),
        ("CI signer", policy.ci_signers),
    )
    return {
        (role, *signer_key(policy.signers[signer_id])): (role, signer_words(policy.signers[signer_id]))
        for role, ids in lists
        for signer_id in ids
    }
