"""`Signers` and `SigningScenarios` of SiPolicy XML to the model. References are only remembered here."""

from __future__ import annotations

from collections.abc import Sequence

from csv_gate.model.appcontrol import (
    CertRoot,
    Eku,
    EkuCondition,
    RootKind,
    Scenario,
    Signer,
    SignerGroup,
    SignerUse,
)
from csv_gate.policies.notes import Notes
from csv_gate.policies.references import References, Target
from csv_gate.policies.xml_tree import Element
from csv_gate.policies.xml_values import (
    BLANKS,
    bool_value,
    hex_value,
    id_value,
    number_value,
    one_of,
    text_value,
    time_value,
)

_TBS_LENGTHS = frozenset({16, 20, 32, 48, 64})
_LAST_WELL_KNOWN = 0x16
_RULE = Target.RULE


class UnboundSigner:
    """A signer whose EKU ids still have to meet the policy's EKUs, which may stand further down."""

    __slots__ = ("_ekus", "_fields", "place", "signer_id")

    def __init__(self, signer: Signer, ekus: Sequence[tuple[str, bool]]) -> None:
        self.signer_id = signer.id
        self.place = signer.place
        self._fields = signer
        self._ekus = ekus

    def bind(self, ekus: dict[str, Eku]) -> Signer:
        """The signer of the model; the references must have been resolved."""
        signer = self._fields
        if not self._ekus:
            return signer
        return Signer(
            id=signer.id,
            place=signer.place,
            name=signer.name,
            root=signer.root,
            ekus=tuple(EkuCondition(eku=ekus[eku_id], is_except=is_except) for eku_id, is_except in self._ekus),
            issuer=signer.issuer,
            publisher=signer.publisher,
            oem_id=signer.oem_id,
            file_attributes=signer.file_attributes,
            artifact_rules=signer.artifact_rules,
            sign_time_after=signer.sign_time_after,
        )


def reference(element: Element, attribute: str, target: Target, references: References, notes: Notes) -> str:
    """The id in `attribute`, remembered for `References.resolve`."""
    identifier = id_value(element, attribute, notes)
    return references.add(target, identifier, element.shape.name, element.line, element.column)


def plain_file_rule_ref(references: References, attributes: dict[str, str], line: int, column: int) -> str | None:
    """The id in a FileRuleRef as most are; `None`: `reference` is to look at it."""
    identifier = attributes.get("RuleID")
    if not identifier or len(attributes) != 1 or identifier != identifier.strip(BLANKS):
        return None
    return references.add(_RULE, identifier, "FileRuleRef", line, column)


def signer(element: Element, references: References, notes: Notes) -> UnboundSigner:
    """One Signer.

    Raises:
        PolicyError: a broken value.
    """
    attributes = element.attributes
    root = element.child("CertRoot")
    assert root is not None  # the schema table demands it
    ekus = []
    for child in element.elements("CertEKU"):
        if "Condition" in child.attributes:
            one_of(child, "Condition", ("Except",))
        ekus.append((reference(child, "ID", Target.EKU, references, notes), "Condition" in child.attributes))
    issuer = _held_text(element, "CertIssuer", notes)
    publisher = _held_text(element, "CertPublisher", notes)
    oem_id = _held_text(element, "CertOemID", notes)
    after = attributes.get("SignTimeAfter")
    read = Signer(
        id=id_value(element, "ID", notes, ("ID_SIGNER_",)),
        place=element.place,
        name=attributes.get("Name"),
        root=_cert_root(root, notes),
        issuer=issuer,
        publisher=publisher,
        oem_id=oem_id,
        file_attributes=_references(element, "FileAttribRef", "RuleID", Target.ATTRIBUTE, references, notes),
        artifact_rules=_references(element, "ArtifactRuleRef", "RuleID", Target.ARTIFACT_RULE, references, notes),
        sign_time_after=None if after is None else time_value(element, "SignTimeAfter", after, notes),
    )
    return UnboundSigner(read, ekus)


def _held_text(element: Element, name: str, notes: Notes) -> str | None:
    holder = element.child(name)
    return None if holder is None else text_value(holder, "Value", notes)


def _cert_root(element: Element, notes: Notes) -> CertRoot:
    value = hex_value(element, "Value", element.attributes["Value"])
    if one_of(element, "Type", ("TBS", "Wellknown")) == "TBS":
        if len(value) not in _TBS_LENGTHS:
            notes.add("TBS hashes have the length of no algorithm and match nothing", f"line {element.line}")
        return CertRoot(kind=RootKind.TBS, value=value)
    if len(value) != 1:
        raise element.error(
            "a well-known root is one octet", got=value.hex().upper()[:40], expected="two hexadecimal digits, such as 06"
        )
    if value[0] > _LAST_WELL_KNOWN:
        notes.add("well-known roots have a number that is not known", f"{value.hex().upper()} in line {element.line}")
    return CertRoot(kind=RootKind.WELL_KNOWN, value=value)


def _references(
    parent: Element, name: str, attribute: str, target: Target, references: References, notes: Notes
) -> tuple[str, ...]:
    if not parent.children:
        return ()
    return tuple([reference(child, attribute, target, references, notes) for child in parent.elements(name)])


def scenario(element: Element, references: References, notes: Notes) -> Scenario:
    """One SigningScenario; references to file rules were turned into ids when their elements ended.

    Raises:
        PolicyError: a broken value.
    """
    attributes = element.attributes
    scenario_id = id_value(element, "ID", notes, ("ID_SIGNINGSCENARIO_",))
    inherited = [part.strip() for part in attributes.get("InheritedScenarios", "").split(",")]
    minimum = None
    if "MinimumHashAlgorithm" in attributes:
        minimum = number_value(element, "MinimumHashAlgorithm", attributes["MinimumHashAlgorithm"], 0xFFFF)
        if minimum == 0:
            notes.add("a MinimumHashAlgorithm of 0 compiles to the default", f"line {element.line}")
            minimum = None
    tags = element.child("AppIDTags")
    product = _group(element.child("ProductSigners"), references, notes)
    assert product is not None  # the schema table demands it
    return Scenario(
        id=scenario_id,
        place=element.place,
        value=number_value(element, "Value", attributes["Value"], 0xFF),
        friendly_name=attributes.get("FriendlyName"),
        minimum_hash_algorithm=minimum,
        inherited=tuple(
            references.add(Target.SCENARIO, name, "SigningScenario", element.line, element.column)
            for name in inherited
            if name and name != scenario_id
        ),
        product=product,
        test=_group(element.child("TestSigners"), references, notes),
        test_signing=_group(element.child("TestSigningSigners"), references, notes),
        artifact=_group(element.child("ArtifactSigners"), references, notes),
        appid_tags=()
        if tags is None
        else tuple((tag.attributes["Key"], tag.attributes["Value"]) for tag in tags.elements("AppIDTag")),
        enforce_dll=None
        if tags is None or "EnforceDLL" not in tags.attributes
        else bool_value(tags, "EnforceDLL", tags.attributes["EnforceDLL"], notes),
    )


def _group(element: Element | None, references: References, notes: Notes) -> SignerGroup | None:
    if element is None:
        return None
    listed = element.child("FileRulesRef") or element.child("ArtifactRulesRef")
    return SignerGroup(
        allowed=_uses(element.child("AllowedSigners"), "ExceptDenyRule", "DenyRuleID", Target.DENY, references, notes),
        denied=_uses(element.child("DeniedSigners"), "ExceptAllowRule", "AllowRuleID", Target.ALLOW, references, notes),
        file_rules=() if listed is None else tuple([child for _, child in listed.children if isinstance(child, str)]),
    )


def _uses(
    element: Element | None, exception: str, attribute: str, target: Target, references: References, notes: Notes
) -> tuple[SignerUse, ...]:
    if element is None:
        return ()
    return tuple(
        [
            SignerUse(
                signer=reference(child, "SignerId", Target.SIGNER, references, notes),
                place=child.place,
                exceptions=_references(child, exception, attribute, target, references, notes),
            )
            for child in element.elements()
        ]
    )
