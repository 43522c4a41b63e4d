"""Certificates at hand, so that a lint can tell what stands behind the TBS hashes of a policy, which holds no certificate itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from csv_gate.errors import ArtifactError, ConfigError, FormatError, LimitError, Place
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import MIB
from csv_gate.model.facts import CertificateFacts
from csv_gate.signatures.certificate import read_certificate

MAX_BYTES = 256 * MIB
"""Of a signed file that is looked at for its certificates."""


def read_certificates(path: Path) -> tuple[CertificateFacts, ...]:
    """The certificates of a file: PEM (any number), DER (one), or those of the signatures that a signed file carries.

    Raises:
        ConfigError: it cannot be read, or there is no certificate in it.
    """
    place = Place(path=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the certificates cannot be read: {error.strerror or type(error).__name__}", place=place) from error
    if len(data) > MAX_BYTES:
        raise ConfigError("the file is too large to look for certificates", place=place, expected=f"at most {MAX_BYTES} bytes")
    try:
        found = _unique(_certificates(data, path.name))
    except (ArtifactError, FormatError, LimitError, ValueError) as error:
        raise ConfigError(f"the certificates cannot be read: {error}", place=place) from error
    if not found:
        raise ConfigError("there is no certificate in it", place=place, expected="PEM, DER, or a signed file")
    return found


def _certificates(data: bytes, name: str) -> Iterator[CertificateFacts]:
    if b"-----BEGIN CERTIFICATE-----" in data:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        for pem in x509.load_pem_x509_certificates(data):
            yield read_certificate(pem.public_bytes(Encoding.DER)).facts
        return
    try:
        yield read_certificate(data).facts
        return
    except (FormatError, LimitError):
        pass  # no certificate by itself: perhaps a file that carries some
    for signature in extract(data, ExtractionSettings(), name=name).signatures:
        if signature.chain is not None:
            yield from signature.chain.certificates
        elif signature.signer is not None:
            yield signature.signer


def _unique(certificates: Iterator[CertificateFacts]) -> tuple[CertificateFacts, ...]:
    return tuple({one.thumbprint_sha256: one for one in certificates}.values())
