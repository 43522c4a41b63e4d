"""A file's worth of content, a publisher and a time-stamping authority that most signature tests start from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import SignatureFacts, SignatureSource, TimestampFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.signatures import Roots, read_signatures
from tests.builders import ca

FILE = b"the octets that a format digests"


@dataclass(frozen=True)
class Content:
    """Signed content whose digests are those of `octets`."""

    octets: bytes = FILE
    page_tables: dict[str, bytes] = field(default_factory=dict)

    def digest(self, algorithm: str) -> bytes | None:
        return hashlib.new(algorithm, self.octets).digest()

    def page_hash_table(self, algorithm: str) -> bytes | None:
        return self.page_tables.get(algorithm)


def file_digest(algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, FILE).digest()


@cache
def authority() -> ca.Identity:
    return ca.root().issue_authority()


@cache
def publisher() -> ca.Identity:
    return authority().issue()


@cache
def time_authority() -> ca.Identity:
    return ca.root("Test TSA Root", key_label="tsa-root").issue(
        "Test TSA", eku=(ca.TIME_STAMPING,), key_label="tsa", serial=0x3001
    )


def read_all(
    block: bytes, *, content: Content | None = None, roots: Roots | None = None, limits: Limits = DEFAULT_LIMITS
) -> Sequence[SignatureFacts]:
    return read_signatures(
        block,
        content or Content(),
        source=SignatureSource.EMBEDDED,
        place="0",
        roots=roots or Roots.known(),
        limits=limits,
    )


def read_one(block: bytes, *, content: Content | None = None, roots: Roots | None = None) -> SignatureFacts:
    """The facts of a block that holds one signature."""
    (facts,) = read_all(block, content=content, roots=roots)
    return facts


def codes(facts: SignatureFacts | TimestampFacts | Sequence[Problem]) -> set[ProblemCode]:
    problems = facts.problems if isinstance(facts, SignatureFacts | TimestampFacts) else facts
    return {problem.code for problem in problems}
