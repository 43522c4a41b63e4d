"""The App Control policy model: what a SiPolicy says, whether it was read from XML or from its binary form.

Version bounds are kept as the pair of numbers that the native compiler writes (docs/internals/compiled-policies.md), so that
XML and binary mean the same here and the engine judges numbers only. Unreferenced rules stay in the model: they are dead, not
wrong.
All text is untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, IntEnum, StrEnum

from csv_gate.errors import Place
from csv_gate.model.guid import Guid
from csv_gate.records import dataclass, field

VERSION_MAX = 0xFFFF_FFFF_FFFF_FFFF
"""65535.65535.65535.65535 as one number."""


def version_number(parts: tuple[int, int, int, int]) -> int:
    """Pack a.b.c.d (each 0..65535) into the 64-bit number that policies store."""
    a, b, c, d = parts
    return a << 48 | b << 32 | c << 16 | d


def version_text(number: int) -> str:
    """Inverse of `version_number`, dotted."""
    return ".".join(str(number >> shift & 0xFFFF) for shift in (48, 32, 16, 0))


class PolicyKind(StrEnum):
    BASE = "base"
    SUPPLEMENTAL = "supplemental"
    APPID_TAGGING = "appid_tagging"


class PolicyForm(StrEnum):
    XML = "xml"
    BINARY = "binary"


class Option(Enum):
    """Policy options by XML text, with number (None: the option has none) and bit in the binary option word.

    Source: App Control docs, select-types-of-rules (numbers) and event-tag-explanations (bits).
    """

    def __init__(self, text: str, number: int | None, bit: int | None) -> None:
        self.text = text
        self.number = number
        self.bit = bit

    UMCI = ("Enabled:UMCI", 0, 2)
    BOOT_MENU_PROTECTION = ("Enabled:Boot Menu Protection", 1, 3)
    WHQL = ("Required:WHQL", 2, 7)
    AUDIT_MODE = ("Enabled:Audit Mode", 3, 16)
    DISABLED_FLIGHT_SIGNING = ("Disabled:Flight Signing", 4, 17)
    INHERIT_DEFAULT_POLICY = ("Enabled:Inherit Default Policy", 5, 18)
    UNSIGNED_POLICY = ("Enabled:Unsigned System Integrity Policy", 6, 19)
    DEBUG_POLICY_AUGMENTED = ("Allowed:Debug Policy Augmented", 7, None)
    EV_SIGNERS = ("Required:EV Signers", 8, 21)
    ADVANCED_BOOT_OPTIONS_MENU = ("Enabled:Advanced Boot Options Menu", 9, 23)
    BOOT_AUDIT_ON_FAILURE = ("Enabled:Boot Audit On Failure", 10, 22)
    DISABLED_SCRIPT_ENFORCEMENT = ("Disabled:Script Enforcement", 11, 24)
    ENFORCE_STORE_APPLICATIONS = ("Required:Enforce Store Applications", 12, 25)
    MANAGED_INSTALLER = ("Enabled:Managed Installer", 13, 27)
    INTELLIGENT_SECURITY_GRAPH = ("Enabled:Intelligent Security Graph Authorization", 14, 4)
    INVALIDATE_EAS_ON_REBOOT = ("Enabled:Invalidate EAs on Reboot", 15, 5)
    UPDATE_POLICY_NO_REBOOT = ("Enabled:Update Policy No Reboot", 16, 28)
    ALLOW_SUPPLEMENTAL_POLICIES = ("Enabled:Allow Supplemental Policies", 17, 10)
    DISABLED_FILEPATH_PROTECTION = ("Disabled:Runtime FilePath Rule Protection", 18, 11)
    DYNAMIC_CODE_SECURITY = ("Enabled:Dynamic Code Security", 19, 20)
    REVOKED_EXPIRED_AS_UNSIGNED = ("Enabled:Revoked Expired As Unsigned", 20, 13)
    DEVELOPER_MODE_DYNAMIC_CODE_TRUST = ("Enabled:Developer Mode Dynamic Code Trust", None, 8)
    SECURE_SETTING_POLICY = ("Enabled:Secure Setting Policy", None, 26)
    CONDITIONAL_WINDOWS_LOCKDOWN = ("Enabled:Conditional Windows Lockdown Policy", None, 29)
    WINDOWS_LOCKDOWN_TRIAL_MODE = ("Enabled:Windows Lockdown Trial Mode", None, 6)
    DISABLED_CERTIFICATE_REMAPPING = ("Disabled:Default Windows Certificate Remapping", None, None)


class FileRuleKind(IntEnum):
    """The type number of the binary form (docs/internals/compiled-policies.md)."""

    DENY = 0
    ALLOW = 1
    ATTRIBUTE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionBounds:
    """Minimum and maximum as the compiled policy stores them. What a pair means depends on the direction: the engine's versions."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """Allow, Deny or FileAttrib. `None` for an attribute that the rule does not have."""

    id: str
    kind: FileRuleKind
    place: Place
    friendly_name: str | None = None
    hash: bytes | None = None
    file_name: str | None = None
    internal_name: str | None = None
    file_description: str | None = None
    product_name: str | None = None
    package_family_name: str | None = None
    package_version: int | None = None
    file_path: str | None = None
    versions: VersionBounds
    app_ids: tuple[str, ...] = ()
    """Macros already expanded; empty: the rule holds for every process."""
    app_ids_text: str | None = None
    """As written in XML, for writing it back."""
    require_hotpatch_id: str | None = None
    minimum_hotpatch_sequence: int | None = None
    maximum_hotpatch_sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eku:
    id: str
    place: Place
    oid: str
    """Dotted."""
    value: bytes
    """As stored: 01, length, OID octets."""
    friendly_name: str | None = None


class RootKind(IntEnum):
    """The kind number of the binary form (docs/internals/compiled-policies.md)."""

    TBS = 0
    WELL_KNOWN = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CertRoot:
    kind: RootKind
    value: bytes
    """TBS digest octets, or the one octet of a well-known root."""

    @property
    def text(self) -> str:
        return self.value.hex().upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class EkuCondition:
    eku: Eku
    is_except: bool = False
    """True: the EKU must be absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    id: str
    place: Place
    name: str | None = None
    """For people only; Windows does not compare it."""
    root: CertRoot
    ekus: tuple[EkuCondition, ...] = ()
    issuer: str | None = None
    publisher: str | None = None
    oem_id: str | None = None
    file_attributes: tuple[str, ...] = ()
    """Ids of FileAttrib rules, any of which suffices."""
    artifact_rules: tuple[str, ...] = ()
    sign_time_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerUse:
    """An AllowedSigner or DeniedSigner with its exceptions."""

    signer: str
    place: Place
    exceptions: tuple[str, ...] = ()
    """Ids of the Deny (for allowed) or Allow (for denied) rules that un-match it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerGroup:
    """ProductSigners, TestSigners, TestSigningSigners or ArtifactSigners of a scenario."""

    allowed: tuple[SignerUse, ...] = ()
    denied: tuple[SignerUse, ...] = ()
    file_rules: tuple[str, ...] = ()
    """Ids of Allow and Deny rules (of ArtifactRules in an ArtifactSigners group)."""


KERNEL_SCENARIO = 131
USER_SCENARIO = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    id: str
    place: Place
    value: int
    """131 kernel mode, 12 user mode."""
    friendly_name: str | None = None
    minimum_hash_algorithm: int | None = None
    """ALG_ID; 0x8004 SHA-1, 0x800C SHA-256."""
    inherited: tuple[str, ...] = ()
    product: SignerGroup
    test: SignerGroup | None = None
    test_signing: SignerGroup | None = None
    artifact: SignerGroup | None = None
    appid_tags: tuple[tuple[str, str], ...] = ()
    enforce_dll: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRule:
    id: str
    place: Place
    artifact_type: str
    action: str
    friendly_name: str | None = None
    name: str | None = None
    description: str | None = None
    minimum_version: int = 0
    maximum_version: int = VERSION_MAX
    hash: bytes | None = None
    hash_algorithm: str | None = None


SettingValue = bool | int | bytes | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    provider: str
    key: str
    value_name: str
    value: SettingValue


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySignature:
    """The PKCS#7 envelope of a signed policy."""

    valid: bool
    subject: str | None
    thumbprint_sha1: str | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppControlPolicy:
    """One SiPolicy. Collections keep document order; ids are unique within their kind."""

    path: str
    sha256: str
    """Of the file as read, envelope included."""
    form: PolicyForm
    kind: PolicyKind
    name: str | None
    """Setting PolicyInfo/Information/Name, else FriendlyName."""
    friendly_name: str | None
    info_id: str | None
    """Setting PolicyInfo/Information/Id."""
    version: int
    """VersionEx packed."""
    platform_id: Guid
    policy_type_id: Guid | None
    policy_id: Guid
    """PolicyID, else PolicyTypeID."""
    base_policy_id: Guid
    has_policy_id: bool = True
    """False: an old single-policy file that names only PolicyTypeID."""
    options: frozenset[Option] = frozenset()
    unknown_option_bits: int = 0
    """Bits of a binary option word that no option is known for."""
    ekus: tuple[Eku, ...] = ()
    file_rules: Mapping[str, FileRule] = field(default_factory=dict)
    signers: Mapping[str, Signer] = field(default_factory=dict)
    scenarios: tuple[Scenario, ...] = ()
    artifact_rules: Mapping[str, ArtifactRule] = field(default_factory=dict)
    update_signers: tuple[str, ...] = ()
    ci_signers: tuple[str, ...] = ()
    supplemental_signers: tuple[str, ...] = ()
    hvci_options: int | None = None
    settings: tuple[Setting, ...] = ()
    macros: tuple[tuple[str, str], ...] = ()
    app_settings: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...] = ()
    """(manifest, ((setting name, values), …)) pairs."""
    format_version: int | None = None
    """Of the binary form."""
    signature: PolicySignature | None = None
    notes: tuple[str, ...] = ()
    """What was read leniently: id patterns broken and the like. For lint, not for verdicts."""

    @property
    def label(self) -> str:
        """What people call it: its name, else its id."""
        return self.name or self.policy_id.braced

    def scenario(self, value: int) -> Scenario | None:
        return next((scenario for scenario in self.scenarios if scenario.value == value), None)

    @property
    def is_audit(self) -> bool:
        return Option.AUDIT_MODE in self.options


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseWithSupplementals:
    base: AppControlPolicy
    supplementals: tuple[AppControlPolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppControlPolicySet:
    """All policies that are active on a target together: every base must allow, each with its own supplementals."""

    bases: tuple[BaseWithSupplementals, ...]
    tagging: tuple[AppControlPolicy, ...] = ()
    """AppID tagging policies; they never block."""
    orphans: tuple[AppControlPolicy, ...] = ()
    """Supplementals whose base is not in the set; they do nothing."""
    uncertainties: tuple[str, ...] = ()
    """What is not specified about this set (two bases with one id, …); a verdict that would allow under one is `undecided`."""

    @property
    def policies(self) -> tuple[AppControlPolicy, ...]:
        nested = [policy for entry in self.bases for policy in (entry.base, *entry.supplementals)]
        return (*nested, *self.tagging, *self.orphans)
