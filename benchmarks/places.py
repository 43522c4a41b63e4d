"""Where the trees of the benchmarks lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trees:
    root: Path
    ordinary: Path
    large: Path
    many: Path
    nocode: Path
    policy: Path
    authority: Path
    """The root certificate of the signers, PEM, for verifiers that want one."""
    stamper: Path
    """The root certificate of the time-stamping authority, PEM."""

    @staticmethod
    def below(root: Path) -> Trees:
        return Trees(
            root=root,
            ordinary=root / "ordinary",
            large=root / "large",
            many=root / "many",
            nocode=root / "nocode",
            policy=root / "policy.xml",
            authority=root / "root.pem",
            stamper=root / "tsa.pem",
        )
