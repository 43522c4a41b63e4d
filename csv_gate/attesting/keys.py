"""Keys that sign and verify attestations: Ed25519, and ECDSA over P-256 with SHA-256.

A private key is a PEM file, or, by its URI, a key that a token or a cloud service keeps and that never leaves it; for those the library
securesystemslib is asked (extra `signers`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from csv_gate.attesting.dsse import Signature
from csv_gate.errors import MissingExtraError, Place, UsageError
from csv_gate.limits import KIB
from csv_gate.records import dataclass

MAX_KEY_BYTES = 64 * KIB
SECRET_VARIABLE = "CSV_GATE_KEY_SECRET"
"""Passphrase of a key file, or PIN of a token. Never printed."""
KINDS = "an Ed25519 key, or an EC key over P-256"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key that the deployer trusts."""

    key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def key_id(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo."""
        der = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, signed)
            else:
                self.key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


class SigningKey(Protocol):
    """Signs, and says which public key verifies it."""

    @property
    def public(self) -> VerifyingKey: ...
    def sign(self, data: bytes) -> Signature: ...


@dataclass(frozen=True, slots=True)
class _KeyOfFile:
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

    @property
    def public(self) -> VerifyingKey:
        return VerifyingKey(self.key.public_key())

    def sign(self, data: bytes) -> Signature:
        ed = isinstance(self.key, ed25519.Ed25519PrivateKey)
        value = self.key.sign(data) if ed else self.key.sign(data, ec.ECDSA(hashes.SHA256()))  # type: ignore[call-arg]
        return Signature(key_id=self.public.key_id, value=value)


@dataclass(frozen=True, slots=True)
class _KeyElsewhere:
    """A key behind a URI of securesystemslib, such as `hsm:` or `awskms:`."""

    uri: str
    public: VerifyingKey
    environment: Mapping[str, str]

    def sign(self, data: bytes) -> Signature:
        try:
            from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]
        except ImportError as error:
            raise MissingExtraError(
                "signing with a key that is not a file needs securesystemslib",
                got=f"--key {self.uri.partition(':')[0]}:…",
                help="pip install csv-gate[signers], and the extra of securesystemslib for the service",
            ) from error
        public = SSlibKey.from_crypto(self.public.key, self.public.key_id)
        try:
            signer = Signer.from_priv_key_uri(self.uri, public, self._secret)
            signed = signer.sign(data)
        except Exception as error:  # each service has errors of its own, and their texts may quote what they were given
            raise UsageError(
                "the key cannot sign",
                got=type(error).__name__,
                help="`-v` shows the service's own words; is the extra of securesystemslib for it installed, and the public key its own?",
            ) from error
        return Signature(key_id=self.public.key_id, value=bytes.fromhex(signed.signature))

    def _secret(self, name: str) -> str:
        del name
        return self.environment.get(SECRET_VARIABLE, "")


def signing_key(named: str, *, public: Path | None, environment: Mapping[str, str]) -> SigningKey:
    """The key of a file or of a URI; for a URI its public key must be given.

    Raises:
        UsageError: not readable, or of another kind.
    """
    scheme, colon, _ = named.partition(":")
    if colon and len(scheme) > 1 and not Path(named).exists():  # one letter: a drive
        if public is None:
            raise UsageError(
                "a key that is not a file needs its public key", got=f"--key {scheme}:…", expected="--public-key FILE"
            )
        return _KeyElsewhere(named, verifying_key(public), environment)
    path = Path(named)
    secret = environment.get(SECRET_VARIABLE)
    try:
        key = load_pem_private_key(_read(path), secret.encode() if secret else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = f"an encrypted key needs its passphrase in {SECRET_VARIABLE}"
        raise UsageError(
            "the private key cannot be read", place=Place(path=named), expected=f"PEM with {KINDS}", help=hint
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return _KeyOfFile(key)
    raise UsageError("this kind of key is not used here", place=Place(path=named), got=type(key).__name__, expected=KINDS)


def verifying_key(path: Path) -> VerifyingKey:
    """A public key in PEM.

    Raises:
        UsageError: not readable, or of another kind.
    """
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("the public key cannot be read", place=Place(path=str(path)), expected=f"PEM with {KINDS}") from error
    if isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return VerifyingKey(key)
    raise UsageError("this kind of key is not used here", place=Place(path=str(path)), got=type(key).__name__, expected=KINDS)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_BYTES)
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise UsageError("the key cannot be read", place=Place(path=str(path)), got=reason, expected="a PEM file") from error
