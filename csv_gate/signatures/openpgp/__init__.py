"""OpenPGP (RFC 9580, and RFC 4880 before it): attacker-controlled signatures, verified with keys that the user gave.

    keys = KeyRing.read(Path("release-key.asc").read_bytes())
    facts = read_openpgp_signatures(octets, lambda sink: sink.update(content), keys=keys, scheme=SignatureScheme.OPENPGP, …)

Not modelled: keys and signatures of versions 2 and 5, certifications by others, trust, notations (a critical one voids a signature),
designated revokers (a certificate that names one and is revoked by anybody but itself counts as revoked), messages that hold their
content, encryption.
"""

from csv_gate.signatures.openpgp.armor import is_armored, is_clear_signed
from csv_gate.signatures.openpgp.hashing import Chunk, Feed, Sink
from csv_gate.signatures.openpgp.keys import KeyRing, key_ring
from csv_gate.signatures.openpgp.verify import read_clear_signed, read_openpgp_signatures

__all__ = [
    "Chunk",
    "Feed",
    "KeyRing",
    "Sink",
    "is_armored",
    "is_clear_signed",
    "key_ring",
    "read_clear_signed",
    "read_openpgp_signatures",
]
