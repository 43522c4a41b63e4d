"""What signatures of a run are verified with: the known roots, and the roots and OpenPGP keys given by hand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.errors import ArtifactError, ConfigError, FormatError, Place
from csv_gate.limits import KIB, MIB
from csv_gate.signatures import Roots

if TYPE_CHECKING:
    from csv_gate.formats.sigstore_bundle import SigstoreRoot

MAX_ROOTS_BYTES = 1024 * KIB
"""A file of root certificates."""
MAX_KEYS_BYTES = 64 * MIB
"""A file of OpenPGP keys. The keyring of a large distribution has 30 MB."""


@lru_cache(maxsize=4)
def roots_with(given: tuple[bytes, ...]) -> Roots:
    """The roots that chains may end in. One object for equal input, since chains are remembered per object.

    Raises:
        ConfigError: one of the given is not a certificate.
    """
    if not given:
        return Roots.known()
    try:
        return Roots.known().with_given(given)
    except FormatError as error:
        raise ConfigError(f"a given root certificate cannot be used: {error}", expected="an X.509 certificate") from error


def read_roots(path: Path) -> tuple[bytes, ...]:
    """The DER of each certificate of a file, PEM (any number) or DER (one).

    Raises:
        ConfigError: not readable, or no certificates.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    place = Place(path=str(path))
    data = _read(path, "root certificates", MAX_ROOTS_BYTES)
    try:
        if b"-----BEGIN" in data:
            return tuple(cert.public_bytes(Encoding.DER) for cert in x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data).public_bytes(Encoding.DER),)
    except ValueError as error:
        raise ConfigError("these are no certificates", place=place, expected="PEM or DER") from error


def read_openpgp_keys(path: Path) -> bytes:
    """A file of OpenPGP public keys, as it is, looked through once so that a fault is told with its path.

    Raises:
        ConfigError: not readable, or not a file of public keys.
    """
    from csv_gate.signatures.openpgp import KeyRing  # only who has keys pays for it

    octets = _read(path, "OpenPGP keys", MAX_KEYS_BYTES)
    try:
        KeyRing.read(octets)
    except ArtifactError as error:
        raise ConfigError(f"these are no OpenPGP public keys: {error}", place=Place(path=str(path))) from error
    return octets


def sigstore_root(path: Path | None) -> SigstoreRoot | None:
    """What bundles are verified with; read when the first is met.

    Raises:
        ConfigError: not readable, or not a trusted root by its looks.
    """
    if path is None:
        return None
    data = _read(path, "sigstore root", MAX_ROOTS_BYTES)
    if b"application/vnd.dev.sigstore.trustedroot" not in data:
        raise ConfigError("this is no sigstore trusted root", place=Place(path=str(path)), expected="a trusted_root.json")
    from csv_gate.formats.sigstore_bundle import SigstoreRoot  # only who has one pays for it

    return SigstoreRoot(path)


def _read(path: Path, what: str, limit: int) -> bytes:
    place = Place(path=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"the {what} cannot be read: {error.strerror or type(error).__name__}", place=place) from error
    if len(data) > limit:
        raise ConfigError(f"the file of {what} is too large", place=place, expected=f"at most {limit} bytes")
    return data
