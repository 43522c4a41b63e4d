"""The SiPolicy schema as tables: which element may stand where, how often, with which attributes.

This is the newest public schema (`cipolicy.xsd` of the Microsoft.Security.CodeIntegrity package), which contains the older ones.
Order of children is not checked: the root's are free by the schema, and real files vary elsewhere too. Id patterns are not
checked here either: real files break them, and Windows compares ids only with one another.
"""

from __future__ import annotations

from collections.abc import Iterable

from csv_gate.records import dataclass, field

NAMESPACE = "urn:schemas-microsoft-com:sipolicy"
SEPARATOR = " "
"""Between namespace and name in expanded names; no namespace name contains a blank."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One element at one place of the schema."""

    name: str
    required: frozenset[str]
    attributes: frozenset[str]
    """Required and optional ones."""
    children: dict[str, Shape] = field(default_factory=dict)
    """By expanded name."""
    needs: tuple[str, ...] = ()
    """Names of the children that must be there."""
    repeats: frozenset[str] = frozenset()
    """Names of the children that may stand more than once."""
    has_text: bool = False


def _shape(
    name: str,
    required: str = "",
    optional: str = "",
    one: Iterable[Shape] = (),
    many: Iterable[Shape] = (),
    needs: str = "",
    text: bool = False,
) -> Shape:
    single, repeated = tuple(one), tuple(many)
    return Shape(
        name=name,
        required=frozenset(required.split()),
        attributes=frozenset([*required.split(), *optional.split()]),
        children={f"{NAMESPACE}{SEPARATOR}{child.name}": child for child in (*single, *repeated)},
        needs=tuple(needs.split()),
        repeats=frozenset(child.name for child in repeated),
        has_text=text,
    )


def _list(name: str, item: Shape, optional: str = "") -> Shape:
    return _shape(name, optional=optional, many=(item,))


OPTION = _shape("Option", text=True)
RULE = _shape("Rule", one=(OPTION,), needs="Option")
EKU = _shape("EKU", "ID", "Value OID FriendlyName")

_RULE_ATTRIBUTES = (
    "FriendlyName FileName InternalName FileDescription ProductName PackageFamilyName PackageVersion "
    "MinimumFileVersion MaximumFileVersion Hash AppIDs FilePath"
)
ALLOW = _shape("Allow", "ID", _RULE_ATTRIBUTES + " RequireHotpatchID MinimumHotpatchSequence MaximumHotpatchSequence")
DENY = _shape("Deny", "ID", _RULE_ATTRIBUTES)
FILE_ATTRIB = _shape("FileAttrib", "ID", _RULE_ATTRIBUTES)
FILE_RULE = _shape("FileRule", "ID Type", _RULE_ATTRIBUTES)

SHA256, SHA384, SHA512 = (_shape(name, text=True) for name in ("sha256", "sha384", "sha512"))
ARTIFACT_RULE = _shape(
    "ArtifactRule",
    "ID ArtifactType Action",
    "FriendlyName ArtifactName ArtifactDescription MinimumVersion MaximumVersion",
    one=(_shape("ArtifactHash", one=(_shape("Hash", one=(SHA256, SHA384, SHA512)),), needs="Hash"),),
)

SIGNER = _shape(
    "Signer",
    "ID",
    "Name SignTimeAfter",
    one=(
        _shape("CertRoot", "Type Value"),
        _shape("CertIssuer", "Value"),
        _shape("CertPublisher", "Value"),
        _shape("CertOemID", "Value"),
    ),
    many=(_shape("CertEKU", "ID", "Condition"), _shape("FileAttribRef", "RuleID"), _shape("ArtifactRuleRef", "RuleID")),
    needs="CertRoot",
)

FILE_RULE_REF = _shape("FileRuleRef", "RuleID")
"""The schema leaves RuleID optional; a reference to nothing compiles nowhere."""
ARTIFACT_RULE_REF = _shape("ArtifactRuleRef", "RuleID")
_ALLOWED = _list(
    "AllowedSigners", _shape("AllowedSigner", "SignerId", many=(_shape("ExceptDenyRule", "DenyRuleID"),)), "Workaround"
)
_DENIED = _list(
    "DeniedSigners", _shape("DeniedSigner", "SignerId", many=(_shape("ExceptAllowRule", "AllowRuleID"),)), "Workaround"
)
_FILE_RULES_REF = _list("FileRulesRef", FILE_RULE_REF, "Workaround")
_ARTIFACT_RULES_REF = _list("ArtifactRulesRef", ARTIFACT_RULE_REF, "Workaround")
SCENARIO = _shape(
    "SigningScenario",
    "ID Value",
    "FriendlyName InheritedScenarios MinimumHashAlgorithm",
    one=(
        *(
            _shape(name, one=(_ALLOWED, _DENIED, _FILE_RULES_REF))
            for name in ("ProductSigners", "TestSigners", "TestSigningSigners")
        ),
        _shape("ArtifactSigners", one=(_ALLOWED, _DENIED, _ARTIFACT_RULES_REF)),
        _shape("AppIDTags", "", "EnforceDLL", many=(_shape("AppIDTag", "Key Value"),)),
    ),
    needs="ProductSigners",
)

SETTING = _shape(
    "Setting",
    "Provider Key ValueName",
    one=(_shape("Value", one=tuple(_shape(name, text=True) for name in ("Boolean", "DWord", "Binary", "String"))),),
    needs="Value",
)
MACRO = _shape("Macro", "Id Value")
APP = _shape("App", "Manifest", many=(_shape("Setting", "", "Name", many=(_shape("Value", text=True),)),))

SI_POLICY = _shape(
    "SiPolicy",
    "",
    "FriendlyName PolicyType",
    one=(
        *(
            _shape(name, text=True)
            for name in ("VersionEx", "PolicyTypeID", "PlatformID", "PolicyID", "BasePolicyID", "HvciOptions")
        ),
        _list("Rules", RULE),
        _list("EKUs", EKU),
        _shape("FileRules", many=(ALLOW, DENY, FILE_ATTRIB, FILE_RULE)),
        _list("ArtifactRules", ARTIFACT_RULE),
        _list("Signers", SIGNER),
        _list("SigningScenarios", SCENARIO),
        _list("UpdatePolicySigners", _shape("UpdatePolicySigner", "SignerId")),
        _list("CiSigners", _shape("CiSigner", "SignerId")),
        _list("SupplementalPolicySigners", _shape("SupplementalPolicySigner", "SignerId")),
        _list("Settings", SETTING),
        _list("Macros", MACRO),
        _list("AppSettings", APP),
    ),
    needs="VersionEx PlatformID Rules",
)
