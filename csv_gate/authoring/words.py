"""Rules and signers in words: what they match, not what they are called. All texts are untrusted and raw."""

from __future__ import annotations

from enum import Enum

from csv_gate.engine.appcontrol.well_known import ROOT_NAMES, TRUST_LIST
from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    VERSION_MAX,
    ArtifactRule,
    CertRoot,
    FileRule,
    RootKind,
    Signer,
    VersionBounds,
    version_text,
)
from csv_gate.policies.rule_shape import HASH_LENGTHS

TBS_ALGORITHMS = {16: "MD5", 20: "SHA-1", 32: "SHA-256", 48: "SHA-384", 64: "SHA-512"}
"""Octets of a TBS digest; the length alone tells the algorithm."""
SCENARIO_NAMES = {KERNEL_SCENARIO: "kernel mode", USER_SCENARIO: "user mode"}


class Direction(Enum):
    """Which way a rule works where it is used; version bounds mean different things."""

    ALLOW = "allow"
    DENY = "deny"


def quoted(text: str) -> str:
    """A text of the policy as it stands: paths keep single backslashes. Escaping is up to whoever prints it."""
    return f"'{text}'"


def scenario_name(value: int) -> str:
    return f"{SCENARIO_NAMES.get(value, 'unknown')} ({value})"


def version_range(bounds: VersionBounds, direction: Direction) -> tuple[int, int] | None:
    """Lowest and highest version that the stored pair covers; `None`: what it covers is not specified (a deny of 0/0).

    Under deny a minimum without a maximum is a ceiling (App Control docs, "Understand App Control policy rules and file rules").
    """
    low, high = bounds.minimum, bounds.maximum
    if direction is Direction.ALLOW:
        return low, high or VERSION_MAX
    if high:
        return low, high
    return (0, low) if low else None


def version_words(bounds: VersionBounds, direction: Direction) -> str:
    """Empty for every version."""
    covered = version_range(bounds, direction)
    if covered is None:
        return "without versions, which under deny is ambiguous"
    low, high = covered
    if high == VERSION_MAX:
        return f"version {version_text(low)} and newer" if low else ""
    return f"version {version_text(low)} to {version_text(high)}" if low else f"version {version_text(high)} and older"


def rule_words(rule: FileRule, direction: Direction) -> str:
    """What a file rule matches."""
    if rule.hash is not None:
        return f"{HASH_LENGTHS.get(len(rule.hash), f'{len(rule.hash)}-octet')} hash {rule.hash.hex()}"
    named = (
        ("original file name", rule.file_name),
        ("internal name", rule.internal_name),
        ("description", rule.file_description),
        ("product", rule.product_name),
        ("package", rule.package_family_name),
        ("path", rule.file_path),
    )
    words = [
        "any original file name" if pair == ("original file name", "*") else f"{pair[0]} {quoted(pair[1])}"
        for pair in named
        if pair[1]
    ]
    if rule.package_version is not None:
        words.append(f"package version {version_text(rule.package_version)}")
    if versions := version_words(rule.versions, direction):
        words.append(versions)
    if rule.app_ids:
        words.append("for the processes " + ", ".join(map(quoted, rule.app_ids)))
    if rule.require_hotpatch_id is not None or rule.minimum_hotpatch_sequence is not None:
        words.append("with a hotpatch condition")
    return ", ".join(words)


def root_words(root: CertRoot) -> str:
    if root.kind is RootKind.TBS:
        return f"certificate with {TBS_ALGORITHMS.get(len(root.value), 'odd-length')} TBS hash {root.text}"
    number = root.value[0]
    if number == TRUST_LIST:
        return "any root of Microsoft's root programme (well-known 14)"
    return f"well-known root {number:02X}" + (f" ({ROOT_NAMES[number]})" if number in ROOT_NAMES else "")


def signer_words(signer: Signer) -> str:
    """What a signer matches, its file attributes left out."""
    words = [root_words(signer.root)]
    words += [("without EKU " if one.is_except else "with EKU ") + one.eku.oid for one in signer.ekus]
    named = (("issuer", signer.issuer), ("publisher", signer.publisher), ("OEM id", signer.oem_id))
    words += [f"{name} {quoted(value)}" for name, value in named if value is not None]
    if signer.sign_time_after is not None:
        words.append(f"signed after {signer.sign_time_after.isoformat()}")
    return ", ".join(words)


def artifact_words(rule: ArtifactRule) -> str:
    words = [f"{rule.artifact_type} artifact"]
    words += [f"{name} {quoted(value)}" for name, value in (("name", rule.name), ("description", rule.description)) if value]
    if rule.hash is not None:
        words.append(f"{rule.hash_algorithm} {rule.hash.hex()}")
    if rule.minimum_version or rule.maximum_version != VERSION_MAX:
        words.append(f"version {version_text(rule.minimum_version)} to {version_text(rule.maximum_version)}")
    return ", ".join(words)
