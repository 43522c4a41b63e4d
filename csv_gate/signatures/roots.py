"""The roots that a chain may end in: Microsoft's own, known by key, and those that the user gave.

An `Anchor` is a name and a key. A certificate that merely carries a known root's name, or its thumbprint's look, is nobody: a chain ends
in an anchor only where the anchor's key made the signature of the chain's top. The data file is written by `microsoft_roots` and
holds public certificates' facts; well-known numbers are those of App Control's "Wellknown" values (event-tag-explanations page of
the App Control documentation).
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from csv_gate.records import dataclass
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.keys import PublicKey, read_key

DATA_FILE = "microsoft_roots.json"

WELL_KNOWN_COMMON_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "03": "Microsoft Authenticode(tm) Root Authority",
        "04": "Microsoft Root Authority",
        "05": "Microsoft Root Certificate Authority",
        "06": "Microsoft Root Certificate Authority 2010",
        "07": "Microsoft Root Certificate Authority 2011",
        "08": "Microsoft Code Verification Root",
        "0A": "Microsoft Testing Root Certificate Authority 2010",
        "0E": "Microsoft Development Root Certificate Authority 2014",
        "12": "Microsoft ECC Product Root Certificate Authority 2018",
        "16": "Microsoft Identity Verification Root Certificate Authority 2020",
    }
)
"""Common names of well-known roots, where they are certain. Roots whose key is not known here can still be ruled out by the issuer
name of a chain's top; a name alone never makes a chain end in a root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One root: a subject and the key that speaks for it."""

    subject: bytes
    """Name as encoded."""
    spki: bytes
    key: PublicKey
    tbs: Mapping[str, str]
    well_known: str | None = None
    """Two upper-case hex digits."""
    is_given: bool = False
    thumbprint_sha256: str | None = None
    """Of a given certificate; of a known key the certificate may not be at hand."""
    order: str = ""
    """SHA-256 of the certificate's TBS: where several would do, the smallest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roots:
    """A set of anchors, found by subject. Compared by identity: the same choice gives the same object, and chains are cached per object.

    Crosses process borders as the choice it was made by.
    """

    by_subject: Mapping[bytes, tuple[Anchor, ...]]
    includes_known: bool
    given: tuple[bytes, ...]
    """DER certificates, sorted."""

    @staticmethod
    def known() -> Roots:
        """The Microsoft roots of the data file."""
        return _choose(True, ())

    @staticmethod
    def none() -> Roots:
        """No root at all: every chain ends incomplete or self-signed."""
        return _choose(False, ())

    def with_given(self, certificates: Iterable[bytes]) -> Roots:
        """These roots and the given ones, DER certificates. A known root stays known when it is given too.

        Raises:
            FormatError: one of them is not a certificate.
        """
        return _choose(self.includes_known, tuple(sorted({*self.given, *certificates})))

    def named(self, subject: bytes) -> tuple[Anchor, ...]:
        return self.by_subject.get(subject, ())

    def __reduce__(self) -> tuple[object, ...]:
        return _choose, (self.includes_known, self.given)


@lru_cache(maxsize=16)
def _choose(includes_known: bool, given: tuple[bytes, ...]) -> Roots:
    known = _known_anchors() if includes_known else []
    keys = {(anchor.subject, anchor.spki) for anchor in known}
    added = [anchor for anchor in map(_given_anchor, map(read_certificate, given)) if (anchor.subject, anchor.spki) not in keys]
    found: dict[bytes, list[Anchor]] = {}
    for anchor in sorted([*known, *added], key=lambda anchor: (anchor.is_given, anchor.order)):
        found.setdefault(anchor.subject, []).append(anchor)
    by_subject = {subject: tuple(group) for subject, group in found.items()}
    return Roots(by_subject=by_subject, includes_known=includes_known, given=given)


def _given_anchor(certificate: Certificate) -> Anchor:
    return Anchor(
        subject=certificate.subject,
        spki=certificate.spki,
        key=certificate.key,
        tbs=certificate.facts.tbs,
        is_given=True,
        thumbprint_sha256=certificate.facts.thumbprint_sha256,
        order=certificate.facts.tbs["sha256"],
    )


def _known_anchors() -> list[Anchor]:
    octets = pkgutil.get_data("csv_gate.signatures", f"data/{DATA_FILE}")
    assert octets is not None, "the package lacks its data"
    data = json.loads(octets)
    anchors = []
    for root in data["roots"]:
        spki = bytes.fromhex(root["spki"])
        anchors.append(
            Anchor(
                subject=bytes.fromhex(root["subject"]),
                spki=spki,
                key=read_key(spki),
                tbs=dict(root["tbs"]),
                well_known=root["well_known"],
                order=root["tbs"]["sha256"],
            )
        )
    return anchors
