"""Keys and signed attestations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from csv_gate.attesting import claims, statement
from csv_gate.attesting.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from csv_gate.attesting.keys import SigningKey, signing_key
from tests.builders.results import BuiltResult

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def ed25519_key() -> PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def p256_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def write_key(key: PrivateKey, folder: Path, name: str = "key") -> SigningKey:
    """`<name>.pem` and `<name>.pub` in the folder; returns the key as the product reads it."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pem").write_bytes(private)
    (folder / f"{name}.pub").write_bytes(public)
    return signing_key(str(folder / f"{name}.pem"), public=None, environment={})


def signed(payload: bytes, key: SigningKey, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    signature: Signature = key.sign(pae(payload_type, payload))
    return Envelope(payload_type=payload_type, payload=payload, signatures=(signature,))


def attested(result: BuiltResult, key: SigningKey, predicate: str = "svr") -> Sequence[Envelope]:
    return [signed(statement(claim, predicate, resource="pkg:generic/demo"), key) for claim in claims(result) if claim.subjects]
