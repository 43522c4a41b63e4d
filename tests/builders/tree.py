"""Build outputs on disk, and policies that say something about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from csv_gate.formats import ExtractionSettings, extract
from tests.builders.pe import pe
from tests.builders.policy import element, policy_xml, scenario_xml

ENFORCED = ("Enabled:UMCI",)
AUDIT = ("Enabled:UMCI", "Enabled:Audit Mode")


def code(seed: str = "") -> bytes:
    """An unsigned program; other seeds give other digests."""
    return pe(code=(b"\xc3" + seed.encode()).ljust(600, b"\x90"))


def tree(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder; returns the folder."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def authenticode_sha256(data: bytes) -> str:
    facts = extract(data, ExtractionSettings())
    assert facts.digests is not None
    assert facts.digests.authenticode_sha256 is not None
    return facts.digests.authenticode_sha256


def policy_for(
    *allowed: bytes, denied: Iterable[bytes] = (), options: Iterable[str] = ENFORCED, scenarios: tuple[str, ...] = ("12", "131")
) -> bytes:
    """A policy with a hash rule for each of the given files."""
    rules = {f"ID_ALLOW_A_{n}": ("Allow", data) for n, data in enumerate(allowed)}
    rules |= {f"ID_DENY_D_{n}": ("Deny", data) for n, data in enumerate(denied)}
    return policy_xml(
        options=options,
        file_rules=[element(kind, ID=id, Hash=authenticode_sha256(data).upper()) for id, (kind, data) in rules.items()],
        scenarios=[scenario_xml(value=value, rules=rules) for value in scenarios],
    )
