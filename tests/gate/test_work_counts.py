"""How much work a small tree is: counts stay where clocks do not, and growth here is growth everywhere."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csv_gate.formats import pe_digest
from csv_gate.gate import run
from csv_gate.signatures import certificate, chain
from csv_gate.signatures.keys import PublicKey
from tests.builders import ca, cms, pe, signing
from tests.builders.plans import plan, target
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import code, policy_for, tree

SIGNED, UNSIGNED, OTHER = 4, 3, 5


class _Hasher:
    """A hash that counts the bytes it is fed."""

    def __init__(self, inner: Any, counts: Counter[str]) -> None:
        self._inner, self._counts = inner, counts

    def update(self, data: Any) -> None:
        self._counts["bytes hashed"] += len(data)
        self._inner.update(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    found: Counter[str] = Counter()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            found[name] += 1
            return call(*arguments, **options)

        return counted

    for cached in (chain._build, chain._is_link, chain._is_anchored, certificate._read):
        cached.cache_clear()
    new = pe_digest._new
    monkeypatch.setattr(pe_digest, "_new", lambda algorithm, data=b"": _Hasher(new(algorithm, data), found))
    monkeypatch.setattr(os, "open", counting("files opened", os.open))
    monkeypatch.setattr(PublicKey, "verifies", counting("signatures verified", PublicKey.verifies))
    monkeypatch.setattr(chain._Search, "run", counting("chains built", chain._Search.run))
    return found


def test_each_byte_is_hashed_twice_and_each_chain_is_built_once(tmp_path: Path, counts: Counter[str]) -> None:
    publisher = ca.root().issue_authority().issue()
    files: dict[str, bytes] = {f"text{number}.txt": b"text" for number in range(OTHER)}
    for number in range(SIGNED):
        image = pe.pe(code=bytes([number]) * 9000)
        files[f"signed{number}.dll"] = signed_pe(image, publisher, stamps=[cms.Stamp(signing.time_authority())])
    for number in range(UNSIGNED):
        files[f"plain{number}.dll"] = code(str(number)) + bytes(-len(code(str(number))) % 8)
    tree(tmp_path / "build", files)
    of = plan(tmp_path / "build", targets=[target(policy_for(code("0")))], jobs=1)
    for cached in (chain._build, chain._is_link, chain._is_anchored):
        cached.cache_clear()
    counts.clear()
    with run(of) as result:
        assert result.summary.artifacts == SIGNED + UNSIGNED
    judged = sum(len(data) for name, data in files.items() if name.endswith(".dll"))
    # SHA-256, flat and Authenticode, which leaves out the certificate tables; no rule of the policy holds a SHA-1.
    assert judged < counts["bytes hashed"] <= 2 * judged
    # Each file once to see what it is, and each that is judged once more.
    assert counts["files opened"] == len(files) + SIGNED + UNSIGNED
    # The publisher's chain and the time-stamping authority's, for all files together.
    assert counts["chains built"] == 2
    # A signature and a time stamp for each signed file, and the links of the two chains.
    assert counts["signatures verified"] <= 2 * SIGNED + 6
