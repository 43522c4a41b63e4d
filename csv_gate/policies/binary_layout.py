"""Layout of compiled policies: what both the reader and the writer must agree on.

All numbers are little endian. A header of 0x44 bytes (format, two GUIDs, option word, four counts, version, header length), then
EKUs, file rules, signers, update and CI signers, scenarios, HVCI options and settings; then blocks, each led by the number of the
format that introduced it (3 maximum versions, AppIDs and signing times; 4 names; 5 packages; 6 ids; 7 paths; 8 app settings;
9 hotpatches; 10 artifact rules; 11 EKU conditions); then the format number plus one, and nothing more.

Checked against binaries that Windows' own compiler wrote for formats 7 and 8. The blocks 8 (when not empty) to 11 follow the
published converter of AppControl Manager (MIT); no native sample of them is public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from csv_gate.model.appcontrol import ArtifactRule, FileRule, FileRuleKind, Option, Setting
from csv_gate.policies.references import Target

FIRST_FORMAT = 1
NEWEST_FORMAT = 11
NATIVE_FORMAT = 7
"""What is written when nothing else is asked for and nothing newer is needed."""
HEADER_LENGTH = 0x40
"""As the last word of the header states it; the body begins after that word."""

SUPPLEMENTAL_BIT = 1 << 30
ALWAYS_BIT = 1 << 31
OPTION_BITS: Mapping[Option, int] = {option: 1 << option.bit for option in Option if option.bit is not None}

DEFAULT_HASH_ALGORITHM = 0x800C
"""SHA-256: what the compiler writes for a scenario without MinimumHashAlgorithm."""

SETTING_BOOLEAN, SETTING_DWORD, SETTING_BINARY, SETTING_STRING = range(4)
ARTIFACT_TYPES = ("CIM", "Catalog")
ARTIFACT_ACTIONS = ("Deny", "Allow")
ARTIFACT_HASHES = {32: "sha256", 48: "sha384", 64: "sha512"}
ANY_SEQUENCE = 0xFFFF_FFFF
"""Maximum hotpatch sequence of a rule that states none."""

REMAPPING_SETTING = Setting(
    provider="Microsoft",
    key="PolicySettings",
    value_name="DisabledDefaultWindowsCertificateRemappingValueName",
    value=True,
)
"""The one option that has no bit is stored as this setting."""

TAGGING_PROVIDER = "WDACAppId"
TAGGING_SETTING = Setting(provider=TAGGING_PROVIDER, key="TaggingSettings", value_name="DefaultPolicy", value=True)
ENFORCE_DLL_SETTING = Setting(provider=TAGGING_PROVIDER, key="TaggingSettings", value_name="EnforceDLL", value=True)
TAG_KEY = "Tagging"
TAGGING_OPTIONS = frozenset(
    {
        Option.AUDIT_MODE,
        Option.UMCI,
        Option.ENFORCE_STORE_APPLICATIONS,
        Option.ADVANCED_BOOT_OPTIONS_MENU,
        Option.DISABLED_SCRIPT_ENFORCEMENT,
    }
)
"""Options that compiling an AppID tagging policy sets in any case."""


def _is_setting(setting: Setting, wanted: Setting) -> bool:
    """The same names and the same boolean; the number 1 is not true."""
    return setting == wanted and isinstance(setting.value, bool)


def has_setting(settings: Sequence[Setting], wanted: Setting) -> bool:
    """Whether exactly one of `settings` is the boolean setting `wanted`."""
    return sum(_is_setting(setting, wanted) for setting in settings) == 1


def without_setting(settings: Sequence[Setting], dropped: Setting) -> list[Setting]:
    """`settings` without the boolean setting `dropped`."""
    return [setting for setting in settings if not _is_setting(setting, dropped)]


def case_folded(text: str | None) -> bytes:
    """Sort key of an ordinal comparison that ignores case: UTF-16 units after simple upper-casing; an absent text sorts first."""
    if text is None:
        return b""
    if text.isascii():
        return text.upper().encode("utf-16-be")
    upper = "".join(up if len(up := character.upper()) == 1 else character for character in text)
    return upper.encode("utf-16-be", "surrogatepass")


def file_rule_key(rule: FileRule) -> tuple[object, ...]:
    """Order of file rules in a compiled policy. AppIDs and versions are no part of it; equal keys keep their order."""
    return (
        rule.kind,
        case_folded(rule.file_name),
        case_folded(rule.internal_name),
        case_folded(rule.file_description),
        case_folded(rule.product_name),
        case_folded(rule.package_family_name),
        case_folded(rule.file_path),
        rule.hash or b"",
    )


def setting_key(setting: Setting) -> tuple[bytes, bytes, bytes]:
    """Order of settings; Windows looks them up by binary search."""
    return case_folded(setting.provider), case_folded(setting.key), case_folded(setting.value_name)


def artifact_rule_key(rule: ArtifactRule) -> tuple[object, ...]:
    """Order of artifact rules."""
    return (
        ARTIFACT_ACTIONS.index(rule.action),
        ARTIFACT_TYPES.index(rule.artifact_type),
        case_folded(rule.name),
        case_folded(rule.description),
        rule.minimum_version,
        rule.maximum_version,
        len(rule.hash or b""),
        rule.hash or b"",
    )


class InventedIds:
    """Ids for what a compiled policy leaves nameless: by kind and position, the same for the same bytes."""

    _PATTERNS: Mapping[object, str] = {
        FileRuleKind.DENY: "ID_DENY_D_",
        FileRuleKind.ALLOW: "ID_ALLOW_A_",
        FileRuleKind.ATTRIBUTE: "ID_FILEATTRIB_F_",
        Target.SIGNER: "ID_SIGNER_S_",
        Target.EKU: "ID_EKU_E_",
        Target.ARTIFACT_RULE: "ID_ARTIFACT_A_",
    }
    _SCENARIOS: Mapping[int, str] = {131: "ID_SIGNINGSCENARIO_DRIVERS_1", 12: "ID_SIGNINGSCENARIO_WINDOWS"}

    def __init__(self) -> None:
        self._counts: dict[object, int] = {}

    def next(self, kind: FileRuleKind | Target) -> str:
        """The next id of a kind."""
        self._counts[kind] = count = self._counts.get(kind, 0) + 1
        return f"{self._PATTERNS[kind]}{count:04}"

    @classmethod
    def scenario(cls, value: int) -> str:
        """Scenarios are told apart by their value."""
        return cls._SCENARIOS.get(value, f"ID_SIGNINGSCENARIO_V_{value}")


def option_word(options: Iterable[Option]) -> int:
    """The bits of options that have one."""
    word = 0
    for option in options:
        word |= OPTION_BITS.get(option, 0)
    return word


def options_of(word: int) -> tuple[frozenset[Option], int]:
    """Options of an option word, and the bits that no option is known for."""
    options = frozenset(option for option, bit in OPTION_BITS.items() if word & bit)
    return options, word & ~(option_word(options) | SUPPLEMENTAL_BIT | ALWAYS_BIT)
