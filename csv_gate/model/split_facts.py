"""Facts in two parts: what files of a build have in common, and what each of them has for itself.

A file's own values are its size, its digests, its names and version, what each of its signatures is over, and when that was stamped.
All else is its *shape*: of thousands of files there are a few dozen shapes, one for each kind of header and way of being signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, Protocol

from csv_gate.model.facts import Digests, Facts, SignatureFacts, TimestampFacts, VersionFacts
from csv_gate.model.result_json import time_text
from csv_gate.records import fields, replace
from csv_gate.records.rows import NamedTuple

OwnTexts = tuple[str, ...]
"""The own values beside the size, as far as they are there: digests and names in the order of their fields, the SHA-256 first, the version
as `1.2.3.4`, and of each signature what it is over and its time in RFC 3339. It is the order in which an artifact's JSON has them."""
_NO_VERSION: Final = (0, 0, 0, 0)
_NO_TIME: Final = datetime.fromtimestamp(0, UTC)
_DIGESTS: Final = tuple(one.name for one in fields(Digests) if one.name != "sha256")
_NAMES: Final = tuple(one.name for one in fields(VersionFacts) if one.name != "file_version")
_other_digests: Final[Callable[[Digests], tuple[str | None, ...]]] = attrgetter(*_DIGESTS)


class SplitFacts(NamedTuple):
    """The facts of one file that has digests."""

    shape: Facts
    """Blanks stand where own values were; what is absent is absent here too."""
    size: int
    own: OwnTexts

    def whole(self) -> Facts:
        """The facts.

        Raises:
            ValueError: the own values are too few, too many, or not what their places ask for.
        """
        filling = _Filling(self.own)
        facts = _with_own(self.shape, self.size, filling)
        filling.end()
        return facts

    def version(self) -> VersionFacts | None:
        """Of the facts; raises as `whole`."""
        blank, digests = self.shape.version, self.shape.digests
        if blank is None or digests is None:
            return None
        taken = [digest for digest in _other_digests(digests) if digest is not None]
        return _version(blank, _Filling(self.own[1 + len(taken) :]))


def split(facts: Facts) -> SplitFacts:
    """Take the own values out of facts. Two files have equal shapes if their facts are equal in all else."""
    taking = _Taking()
    shape = _with_own(facts, 0, taking)
    return SplitFacts(shape, facts.size, tuple(taking.texts))


class _Own(Protocol):
    """Takes the own values of facts one after the other, and gives what shall stand in their places."""

    def text(self, value: str, /) -> str: ...
    def version(self, value: tuple[int, int, int, int], /) -> tuple[int, int, int, int]: ...
    def time(self, value: datetime, /) -> datetime: ...


class _Taking:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def text(self, value: str) -> str:
        self.texts.append(value)
        return ""

    def version(self, value: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        self.texts.append(".".join(map(str, value)))
        return _NO_VERSION

    def time(self, value: datetime) -> datetime:
        self.texts.append(time_text(value))
        return _NO_TIME


class _Filling:
    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)

    def text(self, _: str) -> str:
        text = next(self._texts, None)
        if text is None:
            raise ValueError("there are fewer own values than places for them")
        return text

    def version(self, _: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        first, second, third, fourth = map(int, self.text("").split("."))
        return first, second, third, fourth

    def time(self, _: datetime) -> datetime:
        return datetime.fromisoformat(self.text(""))

    def end(self) -> None:
        if next(self._texts, None) is not None:
            raise ValueError("there are more own values than places for them")


def _with_own(facts: Facts, size: int, own: _Own) -> Facts:
    return Facts(
        size=size,
        digests=None if facts.digests is None else _digests(facts.digests, own),
        version=None if facts.version is None else _version(facts.version, own),
        signatures=tuple([_signature(one, own) for one in facts.signatures]) if facts.signatures else (),
        format=facts.format,
        pe=facts.pe,
        script=facts.script,
        compound=facts.compound,
        cabinet=facts.cabinet,
        elf=facts.elf,
        package=facts.package,
        catalog_members=facts.catalog_members,
        problems=facts.problems,
        gaps=facts.gaps,
    )


def _digests(digests: Digests, own: _Own) -> Digests:
    sha256 = own.text(digests.sha256)
    others = [None if digest is None else own.text(digest) for digest in _other_digests(digests)]
    return Digests(sha256=sha256, **dict(zip(_DIGESTS, others, strict=True)))


def _version(version: VersionFacts, own: _Own) -> VersionFacts:
    names = {name: None if (value := getattr(version, name)) is None else own.text(value) for name in _NAMES}
    return VersionFacts(**names, file_version=None if version.file_version is None else own.version(version.file_version))


def _signature(signature: SignatureFacts, own: _Own) -> SignatureFacts:
    signed, stamp = signature.signed_digest, signature.timestamp
    return replace(
        signature,
        signed_digest=None if signed is None else own.text(signed),
        timestamp=None if stamp is None else _timestamp(stamp, own),
    )


def _timestamp(stamp: TimestampFacts, own: _Own) -> TimestampFacts:
    return stamp if stamp.time is None else replace(stamp, time=own.time(stamp.time))
