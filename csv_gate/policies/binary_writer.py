"""The policy model to a compiled policy, unsigned.

For formats 7 and 8 the bytes are those of Windows' own compiler, up to the order of rules with equal sort keys (the compiler's own
sort is not stable there). Ids, friendly names and macros have no place in the compiled form.

A policy that the format can't hold is refused: an option without a bit, app settings (compiling them needs the app's manifest, which
is not part of the policy), something newer than the asked format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from csv_gate.errors import Place, PolicyError
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    FileRule,
    Option,
    PolicyKind,
    RootKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
)
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.binary_encoder import Encoder
from csv_gate.policies.xml_values import FILETIME_EPOCH

_SETTINGS_LIMIT = 0xFFFF


def write_binary(policy: AppControlPolicy, *, format_version: int | None = None) -> bytes:
    """Compile a policy.

    Args:
        format_version: the format to write; by default the one the policy was read from, else 7 or the oldest that can hold it.

    Raises:
        PolicyError: the policy says something that the compiled form, or the asked format, can't.
    """
    needed, reason = max(_needs(policy), default=(layout.FIRST_FORMAT, ""))
    version = format_version or policy.format_version or max(layout.NATIVE_FORMAT, needed)
    if not layout.FIRST_FORMAT <= version <= layout.NEWEST_FORMAT:
        raise _refusal(policy, f"there is no format {version}", f"{layout.FIRST_FORMAT} to {layout.NEWEST_FORMAT}")
    if needed > version:
        raise _refusal(policy, f"format {version} can't hold {reason}", f"format {needed} or newer")
    if policy.app_settings:
        raise _refusal(policy, "app settings can't be compiled without the app's manifest", "a policy without <AppSettings>")
    return _Writer(policy, version).bytes()


def _refusal(policy: AppControlPolicy, title: str, expected: str) -> PolicyError:
    return PolicyError(f"the policy can't be compiled: {title}", place=Place(path=policy.path), expected=expected)


def _needs(policy: AppControlPolicy) -> Iterator[tuple[int, str]]:
    """The formats that parts of the policy need, each with the part."""
    if policy.has_policy_id or policy.policy_id != policy.base_policy_id or policy.supplemental_signers:
        yield 6, "policy ids"
    for rule in policy.file_rules.values():
        if rule.file_path:
            yield 7, "path rules"
        if rule.require_hotpatch_id:
            yield 9, "hotpatch rules"
        if rule.package_family_name or rule.package_version:
            yield 5, "package rules"
        if rule.internal_name or rule.file_description or rule.product_name:
            yield 4, "names of file rules"
        if rule.app_ids or rule.versions.maximum:
            yield 3, "maximum versions and AppIDs"
    for signer in policy.signers.values():
        if any(condition.is_except for condition in signer.ekus):
            yield 11, "excepted EKUs"
        if signer.sign_time_after:
            yield 3, "signing times"
    if policy.artifact_rules or any(scenario.artifact for scenario in policy.scenarios):
        yield 10, "artifact rules"


class _Writer:
    """One compilation: indexes of everything, then block after block."""

    def __init__(self, policy: AppControlPolicy, version: int) -> None:
        self._policy = policy
        self._version = version
        self._out = Encoder()
        self._rules = sorted(policy.file_rules.values(), key=layout.file_rule_key)
        self._artifact_rules = sorted(policy.artifact_rules.values(), key=layout.artifact_rule_key)
        self._rule_index = {rule.id: index for index, rule in enumerate(self._rules)}
        self._signer_index = {signer_id: index for index, signer_id in enumerate(policy.signers)}
        self._eku_index = {eku.id: index for index, eku in enumerate(policy.ekus)}
        self._scenario_index = {scenario.id: index for index, scenario in enumerate(policy.scenarios)}
        self._artifact_index = {rule.id: index for index, rule in enumerate(self._artifact_rules)}

    def bytes(self) -> bytes:
        policy, out = self._policy, self._out
        self._header()
        for eku in policy.ekus:
            out.blob(eku.value)
        for rule in self._rules:
            self._rule(rule)
        for signer in policy.signers.values():
            self._signer(signer)
        out.indexes(self._indexes(policy.update_signers, self._signer_index))
        out.indexes(self._indexes(self._ci_signers(), self._signer_index))
        for scenario in policy.scenarios:
            self._scenario(scenario)
        out.u32(policy.hvci_options or 0)
        self._settings()
        blocks = (
            (3, self._block_versions),
            (4, self._block_names),
            (5, self._block_packages),
            (6, self._block_ids),
            (7, self._block_paths),
            (8, lambda: out.u32(0)),
            (9, self._block_hotpatches),
            (10, self._block_artifacts),
            (11, self._block_eku_conditions),
        )
        for tag, write in blocks:
            if tag <= self._version:
                out.u32(tag)
                write()
        out.u32(self._version + 1)
        return out.finished()

    def _indexes(self, ids: Sequence[str], index: Mapping[str, int]) -> list[int]:
        try:
            return [index[identifier] for identifier in ids]
        except KeyError as missing:
            raise _refusal(self._policy, f"{missing} is referred to and not there", "ids that exist") from None

    def _header(self) -> None:
        policy, out = self._policy, self._out
        out.u32(self._version)
        out.guid(policy.policy_type_id or policy.base_policy_id)
        out.guid(policy.platform_id)
        out.u32(self._option_word())
        out.u32(len(policy.ekus), len(self._rules), len(policy.signers), len(policy.scenarios))
        out.u64(policy.version)
        out.u32(layout.HEADER_LENGTH)

    def _option_word(self) -> int:
        policy = self._policy
        options = set(policy.options)
        if Option.DEBUG_POLICY_AUGMENTED in options:
            raise _refusal(policy, f"no bit is known for the option {Option.DEBUG_POLICY_AUGMENTED.text}", "another option")
        if policy.kind is PolicyKind.APPID_TAGGING:
            options |= layout.TAGGING_OPTIONS
        word = layout.option_word(options) | policy.unknown_option_bits | layout.ALWAYS_BIT
        return word | (layout.SUPPLEMENTAL_BIT if policy.kind is PolicyKind.SUPPLEMENTAL else 0)

    def _rule(self, rule: FileRule) -> None:
        self._out.u32(rule.kind)
        self._out.string(rule.file_name)
        self._out.u64(rule.versions.minimum)
        self._out.blob(rule.hash or b"")

    def _signer(self, signer: Signer) -> None:
        out = self._out
        out.u32(signer.root.kind)
        if signer.root.kind is RootKind.TBS:
            out.blob(signer.root.value)
        else:
            out.u32(signer.root.value[0])
        ekus = [condition.eku.id for condition in signer.ekus if not condition.is_except]
        out.indexes(self._indexes(ekus, self._eku_index))
        for text in (signer.issuer, signer.publisher, signer.oem_id):
            out.string(text)
        out.indexes(self._indexes(signer.file_attributes, self._rule_index))

    def _ci_signers(self) -> tuple[str, ...]:
        """Compiling a tagging policy lists all its signers where it lists none itself."""
        policy = self._policy
        if policy.kind is PolicyKind.APPID_TAGGING and not policy.ci_signers:
            return tuple(policy.signers)
        return policy.ci_signers

    def _scenario(self, scenario: Scenario) -> None:
        out = self._out
        out.u32(scenario.value)
        out.indexes(self._indexes(scenario.inherited, self._scenario_index))
        minimum = scenario.minimum_hash_algorithm
        out.u32(layout.DEFAULT_HASH_ALGORITHM if minimum is None else minimum)
        for group in (scenario.product, scenario.test, scenario.test_signing):
            self._group(group or SignerGroup(), self._rule_index)

    def _group(self, group: SignerGroup, rules: Mapping[str, int]) -> None:
        self._uses(group.allowed)
        self._uses(group.denied)
        self._out.indexes(sorted(self._indexes(group.file_rules, rules)))

    def _uses(self, uses: Sequence[SignerUse]) -> None:
        self._out.u32(len(uses))
        for use in uses:
            self._out.u32(*self._indexes((use.signer,), self._signer_index))
            self._out.indexes(self._indexes(use.exceptions, self._rule_index))

    def _settings(self) -> None:
        out = self._out
        settings = sorted(self._all_settings(), key=layout.setting_key)
        if len(settings) > _SETTINGS_LIMIT:
            raise _refusal(self._policy, f"it has {len(settings)} settings and tags", f"at most {_SETTINGS_LIMIT}")
        out.u32(len(settings))
        for setting in settings:
            for text in (setting.provider, setting.key, setting.value_name):
                out.string(text)
            match setting.value:
                case bool(value):
                    out.u32(layout.SETTING_BOOLEAN, value)
                case int(number):
                    out.u32(layout.SETTING_DWORD, number)
                case bytes(octets):
                    out.u32(layout.SETTING_BINARY)
                    out.blob(octets)
                case str(text):
                    out.u32(layout.SETTING_STRING)
                    out.string(text)

    def _all_settings(self) -> Iterator[Setting]:
        """The policy's own settings, and what is compiled into settings: tags, and the option without a bit."""
        policy = self._policy
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

    def _block_versions(self) -> None:
        out = self._out
        for rule in self._rules:
            out.u64(rule.versions.maximum)
            out.u32(len(rule.app_ids))
            for name in rule.app_ids:
                out.string(name)
        for signer in self._policy.signers.values():
            moment = signer.sign_time_after
            out.u64(0 if moment is None else (moment - FILETIME_EPOCH) // timedelta(microseconds=1) * 10)

    def _block_names(self) -> None:
        for rule in self._rules:
            for text in (rule.internal_name, rule.file_description, rule.product_name):
                self._out.string(text)

    def _block_packages(self) -> None:
        for rule in self._rules:
            self._out.string(rule.package_family_name)
            self._out.u64(rule.package_version or 0)

    def _block_ids(self) -> None:
        policy, out = self._policy, self._out
        out.guid(policy.policy_id)
        out.guid(policy.base_policy_id)
        out.indexes(self._indexes(policy.supplemental_signers, self._signer_index))

    def _block_paths(self) -> None:
        for rule in self._rules:
            self._out.string(rule.file_path)

    def _block_hotpatches(self) -> None:
        out = self._out
        bases = [rule for rule in self._rules if rule.require_hotpatch_id]
        out.u32(len(bases))
        for rule in bases:
            target_index = self._indexes((rule.require_hotpatch_id or "",), self._rule_index)[0]
            target = self._rules[target_index]
            highest = target.maximum_hotpatch_sequence
            out.u32(self._rule_index[rule.id], target_index, target.minimum_hotpatch_sequence or 0)
            out.u32(layout.ANY_SEQUENCE if highest is None else highest)

    def _block_artifacts(self) -> None:
        policy, out = self._policy, self._out
        out.u32(len(self._artifact_rules))
        for rule in self._artifact_rules:
            out.u32(layout.ARTIFACT_TYPES.index(rule.artifact_type), layout.ARTIFACT_ACTIONS.index(rule.action))
            out.string(rule.name)
            out.string(rule.description)
            out.u64(rule.minimum_version)
            out.u64(rule.maximum_version)
            out.blob(rule.hash or b"")
        referring = [signer for signer in policy.signers.values() if signer.artifact_rules]
        out.u32(len(referring))
        for signer in referring:
            out.u32(self._signer_index[signer.id])
            out.indexes(self._indexes(signer.artifact_rules, self._artifact_index))
        for scenario in policy.scenarios:
            self._group(scenario.artifact or SignerGroup(), self._artifact_index)

    def _block_eku_conditions(self) -> None:
        out = self._out
        excepting = [
            signer for signer in self._policy.signers.values() if any(condition.is_except for condition in signer.ekus)
        ]
        out.u32(len(excepting))
        for signer in excepting:
            out.u32(self._signer_index[signer.id])
            excepted = [condition.eku.id for condition in signer.ekus if condition.is_except]
            out.indexes(self._indexes(excepted, self._eku_index))
