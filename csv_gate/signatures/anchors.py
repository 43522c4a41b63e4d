"""The ends of chains: names with their keys, of the package's data file and of certificates that the user gave.

An `Anchor` is a name and a key. A certificate that merely carries a known root's name, or its thumbprint's look, is nobody: a chain ends
in an anchor only where the anchor's key made the signature of the chain's top. The data file is written by `microsoft_roots` and
holds public certificates' facts; well-known numbers are those of App Control's "Wellknown" values (event-tag-explanations page of
the App Control documentation).
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from csv_gate.records import dataclass
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.keys import PublicKey, read_key

DATA_FILE = "microsoft_roots.json"


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


@lru_cache(maxsize=16)
def anchors_by_subject(includes_known: bool, given: tuple[bytes, ...]) -> Mapping[bytes, tuple[Anchor, ...]]:
    """The anchors of one choice of roots. A known root stays known when it is given too.

    Raises:
        FormatError: one of the given is not a certificate.
    """
    known = _known_anchors() if includes_known else []
    keys = {(anchor.subject, anchor.spki) for anchor in known}
    added = [anchor for anchor in map(_given_anchor, map(read_certificate, given)) if (anchor.subject, anchor.spki) not in keys]
    found: dict[bytes, list[Anchor]] = {}
    for anchor in sorted([*known, *added], key=lambda anchor: (anchor.is_given, anchor.order)):
        found.setdefault(anchor.subject, []).append(anchor)
    return {subject: tuple(group) for subject, group in found.items()}


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
