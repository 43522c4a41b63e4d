"""Where the trees of the benchmarks lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trees:
    root: Path
    ordinary: Path
    product: Path
    large: Path
    many: Path
    nocode: Path
    policy: Path
    """For all trees but `product`."""
    product_policy: Path
    authority: Path
    """The root certificate of the signers, PEM, for verifiers that want one."""
    stamper: Path
    """The root certificate of the time-stamping authority, PEM."""

    @staticmethod
    def below(root: Path) -> Trees:
        return Trees(
            root=root,
            ordinary=root / "ordinary",
            product=root / "product",
            large=root / "large",
            many=root / "many",
            nocode=root / "nocode",
            policy=root / "policy.xml",
            product_policy=root / "product-policy.xml",
            authority=root / "root.pem",
            stamper=root / "tsa.pem",
        )
