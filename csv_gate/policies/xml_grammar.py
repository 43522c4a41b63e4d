"""The SiPolicy schema as tables: which element may stand where, how often, with which attributes.

This is the newest public schema (`cipolicy.xsd` of the Microsoft.Security.CodeIntegrity package), which contains the older ones.
Order of children is not checked: the root's are free by the schema, and real files vary elsewhere too. Id patterns are not
checked here either: real files break them, and Windows compares ids only with one another.
"""

from __future__ import annotations

from collections.abc import Iterable

NAMESPACE = "urn:schemas-microsoft-com:sipolicy"
SEPARATOR = " "
"""Between namespace and name in expanded names; no namespace name contains a blank."""


class Shape:
    """One element at one place of the schema. No record: every start makes seventy."""

    __slots__ = ("attributes", "children", "has_text", "name", "needs", "repeats", "required")

    def __init__(
        self,
        name: str,
        required: str = "",
        optional: str = "",
        one: Iterable[Shape] = (),
        many: Iterable[Shape] = (),
        needs: str = "",
        text: bool = False,
    ) -> None:
        """Names of attributes and needed children stand with blanks between them."""
        single, repeated = tuple(one), tuple(many)
        self.name = name
        self.required = frozenset(required.split())
        self.attributes = self.required.union(optional.split())
        """Required and optional ones."""
        self.children = {f"{NAMESPACE}{SEPARATOR}{child.name}": child for child in (*single, *repeated)}
        """By expanded name."""
        self.needs = tuple(needs.split())
        """Names of the children that must be there."""
        self.repeats = frozenset([child.name for child in repeated])
        """Names of the children that may stand more than once."""
        self.has_text = text


def _list(name: str, item: Shape, optional: str = "") -> Shape:
    return Shape(name, optional=optional, many=(item,))


OPTION = Shape("Option", text=True)
RULE = Shape("Rule", one=(OPTION,), needs="Option")
EKU = Shape("EKU", "ID", "Value OID FriendlyName")

_RULE_ATTRIBUTES = (
    "FriendlyName FileName InternalName FileDescription ProductName PackageFamilyName PackageVersion "
    "MinimumFileVersion MaximumFileVersion Hash AppIDs FilePath"
)
ALLOW = Shape("Allow", "ID", _RULE_ATTRIBUTES + " RequireHotpatchID MinimumHotpatchSequence MaximumHotpatchSequence")
DENY = Shape("Deny", "ID", _RULE_ATTRIBUTES)
FILE_ATTRIB = Shape("FileAttrib", "ID", _RULE_ATTRIBUTES)
FILE_RULE = Shape("FileRule", "ID Type", _RULE_ATTRIBUTES)

SHA256, SHA384, SHA512 = (Shape(name, text=True) for name in ("sha256", "sha384", "sha512"))
ARTIFACT_RULE = Shape(
    "ArtifactRule",
    "ID ArtifactType Action",
    "FriendlyName ArtifactName ArtifactDescription MinimumVersion MaximumVersion",
    one=(Shape("ArtifactHash", one=(Shape("Hash", one=(SHA256, SHA384, SHA512)),), needs="Hash"),),
)

SIGNER = Shape(
    "Signer",
    "ID",
    "Name SignTimeAfter",
    one=(
        Shape("CertRoot", "Type Value"),
        Shape("CertIssuer", "Value"),
        Shape("CertPublisher", "Value"),
        Shape("CertOemID", "Value"),
    ),
    many=(Shape("CertEKU", "ID", "Condition"), Shape("FileAttribRef", "RuleID"), Shape("ArtifactRuleRef", "RuleID")),
    needs="CertRoot",
)

FILE_RULE_REF = Shape("FileRuleRef", "RuleID")
"""The schema leaves RuleID optional; a reference to nothing compiles nowhere."""
ARTIFACT_RULE_REF = Shape("ArtifactRuleRef", "RuleID")
_ALLOWED = _list(
    "AllowedSigners", Shape("AllowedSigner", "SignerId", many=(Shape("ExceptDenyRule", "DenyRuleID"),)), "Workaround"
)
_DENIED = _list(
    "DeniedSigners", Shape("DeniedSigner", "SignerId", many=(Shape("ExceptAllowRule", "AllowRuleID"),)), "Workaround"
)
_FILE_RULES_REF = _list("FileRulesRef", FILE_RULE_REF, "Workaround")
_ARTIFACT_RULES_REF = _list("ArtifactRulesRef", ARTIFACT_RULE_REF, "Workaround")
SCENARIO = Shape(
    "SigningScenario",
    "ID Value",
    "FriendlyName InheritedScenarios MinimumHashAlgorithm",
    one=(
        *(
            Shape(name, one=(_ALLOWED, _DENIED, _FILE_RULES_REF))
            for name in ("ProductSigners", "TestSigners", "TestSigningSigners")
        ),
        Shape("ArtifactSigners", one=(_ALLOWED, _DENIED, _ARTIFACT_RULES_REF)),
        Shape("AppIDTags", "", "EnforceDLL", many=(Shape("AppIDTag", "Key Value"),)),
    ),
    needs="ProductSigners",
)

SETTING = Shape(
    "Setting",
    "Provider Key ValueName",
    one=(Shape("Value", one=tuple(Shape(name, text=True) for name in ("Boolean", "DWord", "Binary", "String"))),),
    needs="Value",
)
MACRO = Shape("Macro", "Id Value")
APP = Shape("App", "Manifest", many=(Shape("Setting", "", "Name", many=(Shape("Value", text=True),)),))

SI_POLICY = Shape(
    "SiPolicy",
    "",
    "FriendlyName PolicyType",
    one=(
        *(
            Shape(name, text=True)
            for name in ("VersionEx", "PolicyTypeID", "PlatformID", "PolicyID", "BasePolicyID", "HvciOptions")
        ),
        _list("Rules", RULE),
        _list("EKUs", EKU),
        Shape("FileRules", many=(ALLOW, DENY, FILE_ATTRIB, FILE_RULE)),
        _list("ArtifactRules", ARTIFACT_RULE),
        _list("Signers", SIGNER),
        _list("SigningScenarios", SCENARIO),
        _list("UpdatePolicySigners", Shape("UpdatePolicySigner", "SignerId")),
        _list("CiSigners", Shape("CiSigner", "SignerId")),
        _list("SupplementalPolicySigners", Shape("SupplementalPolicySigner", "SignerId")),
        _list("Settings", SETTING),
        _list("Macros", MACRO),
        _list("AppSettings", APP),
    ),
    needs="VersionEx PlatformID Rules",
)
