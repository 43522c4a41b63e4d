"""What it costs to load a policy: the largest one of the corpus, and generated ones of 100, 10,000 and 100,000 rules.

    python -m benchmarks.policies

Loading is reading the file, parsing it and compiling the set for the engine, as XML and in binary form. Prints milliseconds, the ratio to
SHA-256 over the same bytes, and returns non-zero if the largest policy of the corpus takes more than half a second.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from csv_gate.engine import compile_policy_set
from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import FileRuleKind
from csv_gate.policies import join_policies, load_policy, write_binary, write_xml
from tests.builders import policy as p

SIZES = (100, 10_000, 100_000)
BOUND_SECONDS = 0.5
"""For the largest policy of the corpus."""
ROUNDS = 5
LONG_SECONDS = 3.0
"""A round of that length is not repeated."""


def seconds(action: Callable[[], object]) -> float:
    """The median of some rounds."""
    rounds: list[float] = []
    while len(rounds) < ROUNDS and sum(rounds) < LONG_SECONDS:
        start = time.perf_counter()
        action()
        rounds.append(time.perf_counter() - start)
    return statistics.median(rounds)


def load(path: Path) -> None:
    compile_policy_set(join_policies([load_policy(path)]))


def report(name: str, path: Path) -> float:
    data = path.read_bytes()
    spent, baseline = seconds(lambda: load(path)), seconds(lambda: hashlib.sha256(data).digest())
    print(f"{name:<44} {len(data) / 1024:>9.0f} KB {spent * 1e3:>9.1f} ms {spent / baseline:>9.0f} × SHA-256")
    return spent


def generated(folder: Path) -> Iterator[tuple[str, Path]]:
    """Half hash rules, a quarter name rules, a quarter signers with a file attribute each."""
    for size in SIZES:
        hashes = [p.file_rule(f"ID_ALLOW_A_{n}", hash=hashlib.sha256(b"%d" % n).digest()) for n in range(size // 2)]
        names = [p.file_rule(f"ID_DENY_D_{n}", FileRuleKind.DENY, file_name=f"driver{n}.sys") for n in range(size // 4)]
        attributes = [
            p.file_rule(f"ID_FILEATTRIB_F_{n}", FileRuleKind.ATTRIBUTE, file_name=f"app{n}.dll") for n in range(size // 4)
        ]
        signers = [
            p.signer(f"ID_SIGNER_S_{n}", publisher=f"Publisher {n}", file_attributes=(f"ID_FILEATTRIB_F_{n}",))
            for n in range(size // 4)
        ]
        policy = p.policy(
            file_rules=[*hashes, *names, *attributes],
            signers=signers,
            scenarios=[
                p.scenario(
                    allowed=[p.signer_use(signer.id) for signer in signers],
                    file_rules=[rule.id for rule in (*hashes, *names)],
                )
            ],
        )
        for suffix, write in (("xml", write_xml), ("cip", write_binary)):
            path = folder / f"{size}.{suffix}"
            path.write_bytes(write(policy))
            yield f"generated, {size:,} rules, {suffix}", path


def largest(corpus: Path) -> Path | None:
    """The file of the corpus with the most rules and signers."""
    found: list[tuple[int, str]] = []
    for path in sorted((corpus / "appcontrol").rglob("*")):
        if path.suffix.lower() in (".xml", ".cip", ".p7b", ".bin"):
            try:
                policy = load_policy(path)
            except PolicyError:
                continue
            found.append((len(policy.file_rules) + len(policy.signers), str(path)))
    return Path(max(found)[1]) if found else None


def main() -> int:
    corpus = os.environ.get("CSV_GATE_CORPUS")
    path = largest(Path(corpus)) if corpus else None
    is_slow = path is not None and report(f"largest of the corpus, {path.name}", path) > BOUND_SECONDS
    with tempfile.TemporaryDirectory() as folder:
        for name, made in generated(Path(folder)):
            report(name, made)
    if is_slow:
        print(f"the largest policy of the corpus takes more than {BOUND_SECONDS} s")
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
