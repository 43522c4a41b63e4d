"""`FileRules`, `EKUs`, `ArtifactRules` of SiPolicy XML to model rules.

AppIDs are expanded later (`xml_reader`), when the macros are known: sections of a policy come in any order.
"""

from __future__ import annotations

from csv_gate.errors import Place
from csv_gate.model.appcontrol import VERSION_MAX, ArtifactRule, Eku, FileRule, FileRuleKind
from csv_gate.policies.notes import Notes
from csv_gate.policies.rule_shape import HASH_LENGTHS, rule_fault
from csv_gate.policies.version_bounds import ABSENT, encode_bounds
from csv_gate.policies.xml_tree import Element
from csv_gate.policies.xml_values import (
    hex_value,
    id_value,
    is_usual_id,
    number_value,
    one_of,
    packed_version,
    text_value,
    version_value,
)

_KINDS: dict[str, tuple[FileRuleKind, tuple[str, ...]]] = {
    "Allow": (FileRuleKind.ALLOW, ("ID_ALLOW_", "ID_FILE_")),
    "Deny": (FileRuleKind.DENY, ("ID_DENY_", "ID_FILE_")),
    "FileAttrib": (FileRuleKind.ATTRIBUTE, ("ID_FILEATTRIB_", "ID_FILE_")),
}
_GENERIC = {"Match": FileRuleKind.ALLOW, "Exclude": FileRuleKind.DENY, "Attribute": FileRuleKind.ATTRIBUTE}
_GENERIC_PREFIXES: tuple[str, ...] = ("ID_FILE_", "ID_ALLOW_", "ID_DENY_", "ID_FILEATTRIB_")
_HASH_LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64}
_DWORD = 0xFFFF_FFFF
_NAMES = frozenset({"FileName", "InternalName", "FileDescription", "ProductName"})
_PLAIN_ATTRIBUTES = _NAMES | {"ID", "FriendlyName", "MinimumFileVersion"}


def plain_rule(name: str, path: str, attributes: dict[str, str], line: int, column: int) -> FileRule | None:
    """One Allow, Deny or FileAttrib as most are: an id of the usual pattern, and a hash, or names with a minimum version at most.

    `None`: `file_rule` is to look at it.
    """
    rule_id = attributes.get("ID", "")
    kind, prefixes = _KINDS[name]
    if not is_usual_id(rule_id, prefixes):
        return None
    text = attributes.get("Hash")
    if text is None:
        return _plain_names(rule_id, kind, Place(path=path, line=line, column=column), attributes)
    if len(attributes) != 2 + ("FriendlyName" in attributes):
        return None
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return None
    if 2 * len(digest) != len(text) or len(digest) not in HASH_LENGTHS:
        return None
    return FileRule(
        id=rule_id,
        kind=kind,
        place=Place(path=path, line=line, column=column),
        friendly_name=attributes.get("FriendlyName"),
        hash=digest,
        versions=ABSENT[kind],
    )


def _plain_names(rule_id: str, kind: FileRuleKind, place: Place, attributes: dict[str, str]) -> FileRule | None:
    given = attributes.keys()
    if not given <= _PLAIN_ATTRIBUTES or given.isdisjoint(_NAMES):
        return None
    for value in attributes.values():
        if not value or value.isspace():
            return None
    text = attributes.get("MinimumFileVersion")
    minimum = None if text is None else packed_version(text)
    if text is not None and minimum is None:
        return None
    return FileRule(
        id=rule_id,
        kind=kind,
        place=place,
        friendly_name=attributes.get("FriendlyName"),
        file_name=attributes.get("FileName"),
        internal_name=attributes.get("InternalName"),
        file_description=attributes.get("FileDescription"),
        product_name=attributes.get("ProductName"),
        versions=encode_bounds(kind, minimum, None),
    )


def file_rule(element: Element, notes: Notes) -> FileRule:
    """One Allow, Deny, FileAttrib or generic FileRule.

    Raises:
        PolicyError: a broken value, or a combination that no compiler takes.
    """
    attributes = element.attributes
    if element.shape.name == "FileRule":
        kind, prefixes = _GENERIC[one_of(element, "Type", tuple(_GENERIC))], _GENERIC_PREFIXES
    else:
        kind, prefixes = _KINDS[element.shape.name]
    rule_id = id_value(element, "ID", notes, prefixes)
    digest = hex_value(element, "Hash", attributes["Hash"]) if "Hash" in attributes else None
    rule = _full_rule(element, notes, rule_id, kind, digest)
    if (fault := rule_fault(rule)) is not None:
        raise element.error(f"{fault.title}: {rule_id}", got=fault.got, expected=fault.expected, help=fault.help)
    return rule


def _full_rule(element: Element, notes: Notes, rule_id: str, kind: FileRuleKind, digest: bytes | None) -> FileRule:
    attributes = element.attributes
    minimum = _version(element, "MinimumFileVersion")
    maximum = _version(element, "MaximumFileVersion")
    package_version = _version(element, "PackageVersion")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise element.error(
            f"the minimum version of a rule is above its maximum: {rule_id}",
            got=f"{attributes['MinimumFileVersion']} > {attributes['MaximumFileVersion']}",
            expected="minimum ≤ maximum",
            help="swap or correct the versions",
        )
    lowest, highest = _sequence(element, "MinimumHotpatchSequence"), _sequence(element, "MaximumHotpatchSequence")
    if lowest is not None and highest is not None and lowest > highest:
        raise element.error("the minimum hotpatch sequence is above its maximum", got=f"{lowest} > {highest}")
    if attributes.get("AppIDs") == "":
        raise element.error(f"AppIDs of {rule_id} is empty", expected="a file name, or macros", help="remove the attribute")
    if kind is not FileRuleKind.DENY and maximum == 0 and not minimum:
        notes.add("a MaximumFileVersion of 0.0.0.0 compiles to no limit", f"{rule_id} in line {element.line}")
    if digest is not None and (minimum is not None or maximum is not None):
        notes.add("rules by hash carry file versions, which mean nothing there", f"{rule_id} in line {element.line}")
    return FileRule(
        id=rule_id,
        kind=kind,
        place=element.place,
        friendly_name=attributes.get("FriendlyName"),
        hash=digest,
        file_name=text_value(element, "FileName", notes),
        internal_name=text_value(element, "InternalName", notes),
        file_description=text_value(element, "FileDescription", notes),
        product_name=text_value(element, "ProductName", notes),
        package_family_name=text_value(element, "PackageFamilyName", notes),
        package_version=package_version,
        file_path=text_value(element, "FilePath", notes),
        versions=encode_bounds(kind, minimum, maximum),
        app_ids_text=attributes.get("AppIDs"),
        require_hotpatch_id=id_value(element, "RequireHotpatchID", notes) if "RequireHotpatchID" in attributes else None,
        minimum_hotpatch_sequence=lowest,
        maximum_hotpatch_sequence=highest,
    )


def _version(element: Element, name: str) -> int | None:
    text = element.attributes.get(name)
    return None if text is None else version_value(element, name, text)


def _sequence(element: Element, name: str) -> int | None:
    text = element.attributes.get(name)
    return None if text is None else number_value(element, name, text, _DWORD)


def eku(element: Element, notes: Notes) -> Eku:
    """One EKU. Where Value and OID stand side by side they must agree."""
    from csv_gate.policies.object_identifier import oid_from_value, value_from_oid  # most policies have none

    attributes = element.attributes
    stored = hex_value(element, "Value", attributes["Value"]) if "Value" in attributes else None
    named = value_from_oid(attributes["OID"].strip()) if "OID" in attributes else None
    if "OID" in attributes and named is None:
        raise element.error(
            "OID of <EKU> is no object identifier", got=repr(attributes["OID"][:60]), expected="such as 1.3.6.1.5.5.7.3.3"
        )
    value = stored if stored is not None else named
    if value is None:
        raise element.error("<EKU> has neither Value nor OID", expected="one of them")
    if named is not None and named != value:
        raise element.error("Value and OID of <EKU> differ", got=value.hex().upper(), expected=named.hex().upper())
    oid = oid_from_value(value)
    if oid is None:
        raise element.error(
            "Value of <EKU> is no encoded object identifier",
            got=value.hex().upper()[:60],
            expected="01, length, identifier octets",
        )
    return Eku(
        id=id_value(element, "ID", notes, ("ID_EKU_",)),
        place=element.place,
        oid=oid,
        value=value,
        friendly_name=attributes.get("FriendlyName"),
    )


def artifact_rule(element: Element, notes: Notes) -> ArtifactRule:
    """One ArtifactRule (CIM images and catalogs)."""
    attributes = element.attributes
    minimum = version_value(element, "MinimumVersion", attributes.get("MinimumVersion", "0.0.0.0"))
    maximum = (
        version_value(element, "MaximumVersion", attributes["MaximumVersion"])
        if "MaximumVersion" in attributes
        else VERSION_MAX
    )
    if minimum > maximum:
        raise element.error("the minimum version of an artifact rule is above its maximum", expected="minimum ≤ maximum")
    algorithm, digest = _artifact_hash(element)
    return ArtifactRule(
        id=id_value(element, "ID", notes, ("ID_ARTIFACT_", "ID_ARTIFACTATTRIB_")),
        place=element.place,
        artifact_type=one_of(element, "ArtifactType", ("CIM", "Catalog")),
        action=one_of(element, "Action", ("Deny", "Allow")),
        friendly_name=attributes.get("FriendlyName"),
        name=text_value(element, "ArtifactName", notes),
        description=text_value(element, "ArtifactDescription", notes),
        minimum_version=minimum,
        maximum_version=maximum,
        hash=digest,
        hash_algorithm=algorithm,
    )


def _artifact_hash(element: Element) -> tuple[str | None, bytes | None]:
    holder = element.child("ArtifactHash")
    if holder is None:
        return None, None
    box = holder.child("Hash")
    digests = [] if box is None else list(box.elements())
    if len(digests) != 1:
        raise (box or holder).error(
            "<Hash> needs exactly one digest", got=str(len(digests)), expected="sha256, sha384 or sha512"
        )
    digest = digests[0]
    algorithm = digest.shape.name
    value = hex_value(digest, algorithm, digest.text)
    if len(value) != _HASH_LENGTHS[algorithm]:
        raise digest.error(
            f"{algorithm} has the wrong length", got=f"{len(value)} octets", expected=f"{_HASH_LENGTHS[algorithm]} octets"
        )
    return algorithm, value
