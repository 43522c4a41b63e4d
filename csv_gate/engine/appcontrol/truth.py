"""Three-valued answers: yes, no, and unknown with what would settle it.

An unknown part never improves a verdict: conditions are joined by the least of their truths, alternatives by the greatest, and what
is missing travels along.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from csv_gate.records import dataclass
from csv_gate.records.rows import NamedTuple


class Truth(IntEnum):
    """Ordered, so that *all of* is the minimum and *any of* the maximum (Kleene's strong logic)."""

    NO = 0
    UNKNOWN = 1
    YES = 2


class Direction(IntEnum):
    """Whether a match allows or denies; versions and hashes are compared differently."""

    DENY = 0
    ALLOW = 1


TRUE, OPEN, FALSE = Truth.YES, Truth.UNKNOWN, Truth.NO
ALLOW, DENY = Direction.ALLOW, Direction.DENY
"""Bound once: up to Python 3.11 each reading of an enum's member by its dotted name costs as much as a small call, and a verdict has
hundreds."""

FACT = "CSV802"
CONTEXT = "CSV803"
NOT_SPECIFIED = "CSV804"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing that would have to be known."""

    check: str
    """CSV802 a fact of the artifact, CSV803 a state of the target, CSV804 what Windows does is not published."""
    what: str


class Answer(NamedTuple):
    """A truth, the sentence part that tells why, and the doubts where it is unknown."""

    truth: Truth
    why: str = ""
    doubts: tuple[Doubt, ...] = ()


YES = Answer(truth=TRUE)
NO = Answer(truth=FALSE)


def yes(why: str) -> Answer:
    return Answer(TRUE, why) if why else YES


def no(why: str) -> Answer:
    return Answer(FALSE, why)


def unknown(check: str, what: str) -> Answer:
    return Answer(truth=OPEN, why=what, doubts=(Doubt(check=check, what=what),))


def all_of(answers: Iterable[Answer]) -> Answer:
    """Yes when every answer is yes; stops at the first no, so lazy iterables are cheap."""
    whys: list[str] = []
    doubts: list[Doubt] = []
    for answer in answers:
        if answer is YES:
            continue
        if answer.truth is FALSE:
            return answer
        if answer.why:
            whys.append(answer.why)
        if answer.doubts:
            doubts.extend(answer.doubts)
    if not doubts:
        return Answer(TRUE, "; ".join(whys)) if whys else YES
    return Answer(truth=OPEN, why="; ".join(whys), doubts=tuple(dict.fromkeys(doubts)))


def any_of(answers: Iterable[Answer]) -> Answer:
    """Yes as soon as one answer is yes."""
    doubts: list[Doubt] = []
    first: Answer | None = None
    for answer in answers:
        if answer.truth is TRUE:
            return answer
        first = first or answer
        doubts.extend(answer.doubts)
    if doubts:
        return Answer(truth=OPEN, why=doubts[0].what, doubts=tuple(dict.fromkeys(doubts)))
    return first or NO


def negated(answer: Answer, why: str) -> Answer:
    """The opposite; an unknown stays one."""
    return Answer(truth=Truth(2 - answer.truth), why=why if answer.truth is not OPEN else answer.why, doubts=answer.doubts)
