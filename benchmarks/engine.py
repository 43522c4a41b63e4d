"""What a verdict costs, with 100, 10,000 and 100,000 hash rules (and signers): it must not grow with their number.

    python benchmarks/engine.py

The artifact that is allowed by a signer is like the one before it, as most of a build are, and shares its verdict; the others are judged
for themselves. Prints microseconds per verdict, and milliseconds to compile, beside the time that SHA-256 takes over one megabyte in the
same run.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from csv_gate.engine import CompiledPolicySet, compile_policy_set, evaluate
from csv_gate.model.appcontrol import AppControlPolicySet
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from tests.builders import appcontrol as ac
from tests.builders import facts as f

SIZES = (100, 10_000, 100_000)
UNLISTED = f.digests(authenticode_sha256=f.hex_digest("x"), authenticode_sha1=f.hex_digest("x", "sha1"))
ARTIFACTS = {
    "allowed by signer": f.facts(f.signature(), taken=UNLISTED),
    "allowed by hash": f.facts(resource=None),
    "denied, signed by a stranger": f.facts(f.signature(f.certificate("Stranger", issuer_cn="Strange CA")), taken=UNLISTED),
    "denied, no signature": f.facts(taken=UNLISTED),
}


def policies(hash_rules: int, signers: int) -> AppControlPolicySet:
    rules = [ac.allow(f"ID_ALLOW_{i}", hash=f.hex_digest(f"rule {i}")) for i in range(hash_rules)]
    rules.append(ac.allow("ID_ALLOW_HIT", hash=f.hex_digest("image")))
    rules += [ac.deny(f"ID_DENY_{i}", hash=f.hex_digest(f"deny {i}")) for i in range(hash_rules // 10)]
    rules += [ac.deny(f"ID_DENY_NAME_{i}", file_name=f"driver{i}.sys", maximum=(1, 0, 0, 0)) for i in range(500)]
    known = [ac.signer(f"ID_SIGNER_{i}", tbs=f.hex_digest(f"ca {i % 50}"), publisher=f"Publisher {i}") for i in range(signers)]
    known.append(ac.signer(tbs=f.tbs("Contoso CA", "Contoso Root"), publisher="Contoso Ltd"))
    return ac.policy_set(ac.policy(*rules, signers=known))


def microseconds(action: Callable[[], object], seconds: float = 0.3) -> float:
    """The best of several rounds: what the code costs when nothing else runs."""
    rounds = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(20):
            action()
        rounds.append((time.perf_counter() - start) / 20)
    return min(rounds) * 1e6


def verdict(artifact: Facts, compiled: CompiledPolicySet) -> Callable[[], object]:
    context = AppControlContext(evaluated_at=f.NOW)
    return lambda: evaluate(artifact, compiled, context, target="t")


def main() -> None:
    megabyte = bytes(1 << 20)
    print(f"SHA-256 of 1 MB: {microseconds(lambda: hashlib.sha256(megabyte)):.0f} µs\n")
    print(f"{'hash rules':>10} {'signers':>8} {'compile ms':>11}  " + "  ".join(f"{name} µs" for name in ARTIFACTS))
    for hash_rules in SIZES:
        for signers in (100, 10_000):
            source = policies(hash_rules, signers)
            start = time.perf_counter()
            compiled = compile_policy_set(source)
            spent = (time.perf_counter() - start) * 1e3
            costs = [microseconds(verdict(artifact, compiled)) for artifact in ARTIFACTS.values()]
            row = "  ".join(f"{cost:>{len(name) + 3}.0f}" for name, cost in zip(ARTIFACTS, costs, strict=True))
            print(f"{hash_rules:>10} {signers:>8} {spent:>11.0f}  {row}")


if __name__ == "__main__":
    main()
