"""The policy model to SiPolicy XML that reads back as the same model: ids kept, sections and attributes in one fixed order.

Version bounds are written with the fewest attributes that compile to the same numbers. What XML has no word for is refused: option bits
that nobody knows, and characters that XML 1.0 forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from typing import TypeVar

from csv_gate.errors import Place, PolicyError
from csv_gate.model.appcontrol import (
    VERSION_MAX,
    AppControlPolicy,
    ArtifactRule,
    FileRule,
    FileRuleKind,
    Option,
    PolicyKind,
    RootKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
    version_text,
)
from csv_gate.policies.version_bounds import decode_bounds
from csv_gate.policies.xml_grammar import NAMESPACE
from csv_gate.policies.xml_header import KIND_TEXTS
from csv_gate.policies.xml_lines import XmlLines

_KIND_NAMES = {kind: text for text, kind in KIND_TEXTS.items()}
_ELEMENTS = {FileRuleKind.ALLOW: "Allow", FileRuleKind.DENY: "Deny", FileRuleKind.ATTRIBUTE: "FileAttrib"}


def write_xml(policy: AppControlPolicy) -> bytes:
    """SiPolicy XML in UTF-8, the same bytes for the same policy.

    Raises:
        PolicyError: the policy says something that XML can't.
    """
    if policy.unknown_option_bits:
        raise PolicyError(
            "the policy can't be written as XML: it has option bits without a name",
            place=Place(path=policy.path),
            got=f"{policy.unknown_option_bits:#010x}",
            expected="options of the SiPolicy schema",
        )
    return _Writer(policy).bytes()


T = TypeVar("T")


class _Writer:
    """One document, section by section."""

    def __init__(self, policy: AppControlPolicy) -> None:
        self._policy = policy
        self._xml = XmlLines(policy.path)

    def bytes(self) -> bytes:
        policy = self._policy
        kind = None if policy.kind is PolicyKind.BASE and not policy.has_policy_id else _KIND_NAMES[policy.kind]
        self._xml.open("SiPolicy", ("xmlns", NAMESPACE), ("FriendlyName", policy.friendly_name), ("PolicyType", kind))
        self._header()
        self._section(
            "EKUs",
            policy.ekus,
            lambda eku: self._xml.leaf(
                "EKU", ("ID", eku.id), ("Value", eku.value.hex().upper()), ("FriendlyName", eku.friendly_name)
            ),
        )
        self._section("FileRules", policy.file_rules.values(), self._file_rule)
        self._section("ArtifactRules", policy.artifact_rules.values(), self._artifact_rule, is_optional=True)
        self._section("Signers", policy.signers.values(), self._signer)
        self._section("SigningScenarios", policy.scenarios, self._scenario)
        for name, ids in (
            ("UpdatePolicySigners", policy.update_signers),
            ("CiSigners", policy.ci_signers),
            ("SupplementalPolicySigners", policy.supplemental_signers),
        ):
            self._references(name, name.removesuffix("s"), "SignerId", ids)
        if policy.hvci_options is not None:
            self._xml.text("HvciOptions", str(policy.hvci_options))
        self._section("Settings", policy.settings, self._setting, is_optional=True)
        self._section(
            "Macros",
            policy.macros,
            lambda macro: self._xml.leaf("Macro", ("Id", macro[0]), ("Value", macro[1])),
            is_optional=True,
        )
        self._section("AppSettings", policy.app_settings, self._app, is_optional=True)
        self._xml.close("SiPolicy")
        return self._xml.finished()

    def _header(self) -> None:
        policy = self._policy
        self._xml.text("VersionEx", version_text(policy.version))
        if policy.policy_type_id is not None:
            self._xml.text("PolicyTypeID", policy.policy_type_id.braced)
        self._xml.text("PlatformID", policy.platform_id.braced)
        if policy.has_policy_id:
            self._xml.text("PolicyID", policy.policy_id.braced)
        if policy.has_policy_id or policy.base_policy_id != policy.policy_id:
            self._xml.text("BasePolicyID", policy.base_policy_id.braced)
        self._xml.open("Rules")
        for option in Option:
            if option in policy.options:
                self._xml.open("Rule")
                self._xml.text("Option", option.text)
                self._xml.close("Rule")
        self._xml.close("Rules")

    def _file_rule(self, rule: FileRule) -> None:
        minimum, maximum = decode_bounds(rule.kind, rule.versions)
        self._xml.leaf(
            _ELEMENTS[rule.kind],
            ("ID", rule.id),
            ("FriendlyName", rule.friendly_name),
            ("Hash", None if rule.hash is None else rule.hash.hex().upper()),
            ("FileName", rule.file_name),
            ("InternalName", rule.internal_name),
            ("FileDescription", rule.file_description),
            ("ProductName", rule.product_name),
            ("PackageFamilyName", rule.package_family_name),
            ("PackageVersion", _version(rule.package_version)),
            ("FilePath", rule.file_path),
            ("MinimumFileVersion", _version(minimum)),
            ("MaximumFileVersion", _version(maximum)),
            ("AppIDs", rule.app_ids_text),
            ("RequireHotpatchID", rule.require_hotpatch_id),
            ("MinimumHotpatchSequence", _number(rule.minimum_hotpatch_sequence)),
            ("MaximumHotpatchSequence", _number(rule.maximum_hotpatch_sequence)),
        )

    def _artifact_rule(self, rule: ArtifactRule) -> None:
        attributes = (
            ("ID", rule.id),
            ("ArtifactType", rule.artifact_type),
            ("Action", rule.action),
            ("FriendlyName", rule.friendly_name),
            ("ArtifactName", rule.name),
            ("ArtifactDescription", rule.description),
            ("MinimumVersion", _version(rule.minimum_version or None)),
            ("MaximumVersion", _version(None if rule.maximum_version == VERSION_MAX else rule.maximum_version)),
        )
        if rule.hash is None or rule.hash_algorithm is None:
            self._xml.leaf("ArtifactRule", *attributes)
            return
        self._xml.open("ArtifactRule", *attributes)
        self._xml.open("ArtifactHash")
        self._xml.open("Hash")
        self._xml.text(rule.hash_algorithm, rule.hash.hex().upper())
        self._xml.close("Hash")
        self._xml.close("ArtifactHash")
        self._xml.close("ArtifactRule")

    def _signer(self, signer: Signer) -> None:
        after = signer.sign_time_after
        when = None if after is None else after.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._xml.open("Signer", ("ID", signer.id), ("Name", signer.name), ("SignTimeAfter", when))
        self._xml.leaf(
            "CertRoot", ("Type", "TBS" if signer.root.kind is RootKind.TBS else "Wellknown"), ("Value", signer.root.text)
        )
        for condition in signer.ekus:
            self._xml.leaf("CertEKU", ("ID", condition.eku.id), ("Condition", "Except" if condition.is_except else None))
        for name, value in (("CertIssuer", signer.issuer), ("CertPublisher", signer.publisher), ("CertOemID", signer.oem_id)):
            if value is not None:
                self._xml.leaf(name, ("Value", value))
        for name, ids in (("FileAttribRef", signer.file_attributes), ("ArtifactRuleRef", signer.artifact_rules)):
            for rule_id in ids:
                self._xml.leaf(name, ("RuleID", rule_id))
        self._xml.close("Signer")

    def _scenario(self, scenario: Scenario) -> None:
        self._xml.open(
            "SigningScenario",
            ("Value", str(scenario.value)),
            ("ID", scenario.id),
            ("FriendlyName", scenario.friendly_name),
            ("InheritedScenarios", ",".join(scenario.inherited) or None),
            ("MinimumHashAlgorithm", _number(scenario.minimum_hash_algorithm)),
        )
        self._group("ProductSigners", scenario.product)
        self._group("ArtifactSigners", scenario.artifact, ("ArtifactRulesRef", "ArtifactRuleRef"))
        self._group("TestSigners", scenario.test)
        self._group("TestSigningSigners", scenario.test_signing)
        if scenario.appid_tags or scenario.enforce_dll is not None:
            enforce = None if scenario.enforce_dll is None else str(scenario.enforce_dll).lower()
            self._xml.open("AppIDTags", ("EnforceDLL", enforce))
            for key, value in scenario.appid_tags:
                self._xml.leaf("AppIDTag", ("Key", key), ("Value", value))
            self._xml.close("AppIDTags")
        self._xml.close("SigningScenario")

    def _group(self, name: str, group: SignerGroup | None, rules: tuple[str, str] = ("FileRulesRef", "FileRuleRef")) -> None:
        if group is None:
            return
        self._xml.open(name)
        self._uses("AllowedSigner", group.allowed, "ExceptDenyRule", "DenyRuleID")
        self._uses("DeniedSigner", group.denied, "ExceptAllowRule", "AllowRuleID")
        if group.file_rules:
            self._references(*rules, "RuleID", group.file_rules)
        self._xml.close(name)

    def _uses(self, name: str, uses: Sequence[SignerUse], exception: str, attribute: str) -> None:
        if not uses:
            return
        self._xml.open(name + "s")
        for use in uses:
            if not use.exceptions:
                self._xml.leaf(name, ("SignerId", use.signer))
                continue
            self._xml.open(name, ("SignerId", use.signer))
            for rule_id in use.exceptions:
                self._xml.leaf(exception, (attribute, rule_id))
            self._xml.close(name)
        self._xml.close(name + "s")

    def _references(self, section: str, name: str, attribute: str, ids: Sequence[str]) -> None:
        self._section(section, ids, lambda identifier: self._xml.leaf(name, (attribute, identifier)), is_optional=True)

    def _setting(self, setting: Setting) -> None:
        names = (("Provider", setting.provider), ("Key", setting.key), ("ValueName", setting.value_name))
        self._xml.open("Setting", *names)
        self._xml.open("Value")
        match setting.value:
            case bool(value):
                self._xml.text("Boolean", str(value).lower())
            case int(number):
                self._xml.text("DWord", str(number))
            case bytes(octets):
                self._xml.text("Binary", octets.hex().upper())
            case str(text):
                self._xml.text("String", text)
        self._xml.close("Value")
        self._xml.close("Setting")

    def _app(self, app: tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]) -> None:
        manifest, settings = app
        self._xml.open("App", ("Manifest", manifest))
        for name, values in settings:
            self._xml.open("Setting", ("Name", name))
            for value in values:
                self._xml.text("Value", value)
            self._xml.close("Setting")
        self._xml.close("App")

    def _section(self, name: str, items: Iterable[T], write: Callable[[T], None], *, is_optional: bool = False) -> None:
        """A section with its items; an empty one stands as an empty element unless it is optional."""
        listed = tuple(items)
        if not listed:
            if not is_optional:
                self._xml.leaf(name)
            return
        self._xml.open(name)
        for item in listed:
            write(item)
        self._xml.close(name)


def _version(number: int | None) -> str | None:
    return None if number is None else version_text(number)


def _number(number: int | None) -> str | None:
    return None if number is None else str(number)
