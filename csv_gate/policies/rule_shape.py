"""What makes a file rule one rule: the combinations that the compiler accepts, the same for XML and for the binary form.

ConfigCI refuses a rule that has a hash beside another property, one that has neither, one with a minimum version above its
maximum, and a hash whose length is no algorithm's (App Control docs, "Understand App Control policy rules and file rules"; the
behaviour of the ConfigCI cmdlets). What Windows would do with such a rule in a hand-made binary is not known, so both readers
refuse it too: guessing could allow what the target blocks.
"""

from __future__ import annotations

from csv_gate.model.appcontrol import FileRule
from csv_gate.policies.version_bounds import UNLIMITED
from csv_gate.records import dataclass

HASH_LENGTHS = {20: "SHA-1", 32: "SHA-256", 48: "SHA-384", 64: "SHA-512"}
"""Octets of a hash rule; the length alone tells the algorithm."""

PROPERTIES = ("FileName", "InternalName", "FileDescription", "ProductName", "PackageFamilyName", "FilePath")
"""XML attribute of every property that can stand for a hash."""

_NOT_WITH_APP_IDS = ("InternalName", "FileDescription", "ProductName", "PackageFamilyName")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a rule is none: what happened, what was found, what would do, and what to change."""

    title: str
    got: str
    expected: str
    help: str


def _values(rule: FileRule) -> tuple[str | None, ...]:
    """The values of `PROPERTIES`, in their order."""
    return (
        rule.file_name,
        rule.internal_name,
        rule.file_description,
        rule.product_name,
        rule.package_family_name,
        rule.file_path,
    )


def rule_fault(rule: FileRule) -> Fault | None:
    """The first reason for which no compiler would take `rule`, or `None`."""
    present = [attribute for attribute, value in zip(PROPERTIES, _values(rule), strict=True) if value is not None]
    bounds = rule.versions
    if rule.hash is not None:
        if len(rule.hash) not in HASH_LENGTHS:
            return Fault(
                "the hash of a rule has the length of no algorithm",
                f"{len(rule.hash)} octets",
                "20 (SHA-1), 32 (SHA-256), 48 or 64",
                "write the whole digest in hexadecimal",
            )
        if rule.package_version is not None:
            present.append("PackageVersion")
        if present:
            return Fault(
                "a rule has a hash and other properties",
                "Hash and " + ", ".join(present),
                "Hash alone",
                "make two rules of it: one by hash, one by the other properties",
            )
        if (bounds.minimum, bounds.maximum) not in UNLIMITED:
            return Fault(
                "a rule has a hash and version bounds", "Hash and a file version", "Hash alone", "remove the version attributes"
            )
        return None
    if not present:
        return Fault(
            "a rule has nothing to match",
            "no hash, name, path or package",
            "Hash or one of " + ", ".join(PROPERTIES),
            'to match every file write FileName="*"',
        )
    if bounds.maximum and bounds.minimum > bounds.maximum:
        return Fault(
            "the minimum version of a rule is above its maximum",
            "MinimumFileVersion > MaximumFileVersion",
            "minimum ≤ maximum",
            "swap or correct the versions",
        )
    clash = [attribute for attribute in _NOT_WITH_APP_IDS if attribute in present]
    if rule.app_ids and clash:
        return Fault(
            "a rule has AppIDs and properties that do not go with them",
            "AppIDs and " + ", ".join(clash),
            "AppIDs with FileName or FilePath",
            "remove one or the other",
        )
    return None
