"""Sigstore bundles (sigstore bundle format 0.1 to 0.3), verified offline by the `sigstore` library under a trusted root that the user gave.

The library is an optional extra and takes its time to import, so it is imported when the first bundle is met. A bundle is valid where the
library verifies it for the artifact: certificate chain, its place in the certificate log, time, transparency log entry with inclusion
proof, signature; of an attestation (in-toto statement in a DSSE envelope) also that the artifact is among its subjects. Who signed is
told and not judged: whoever asks for a signature must also ask for the identity and its issuer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from csv_gate.model.facts import KeyFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.certificate import read_certificate

if TYPE_CHECKING:
    from cryptography import x509
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

_STATEMENT: Final = "application/vnd.in-toto+json"
_ISSUER: Final = "1.3.6.1.4.1.57264.1.8"
_ISSUER_BARE: Final = "1.3.6.1.4.1.57264.1.1"
"""Fulcio's certificate extensions with the issuer of the identity: a DER UTF8String, and before that bare octets."""
_UTF8_STRING: Final = 0x0C
_MAX_DETAIL: Final = 300


class SigstoreRoot:
    """A trusted root, `trusted_root.json`, read by the library when the first bundle is verified."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verifier: Verifier | None = None

    def verifier(self) -> Verifier:
        """Raises ImportError without the library, and anything at all for a file that is no trusted root."""
        if self._verifier is None:
            from sigstore.models import TrustedRoot
            from sigstore.verify import Verifier

            logger = logging.getLogger("sigstore")
            if not logger.handlers:
                logger.addHandler(logging.NullHandler())  # what it says of bundles is in the facts
            self._verifier = Verifier(trusted_root=TrustedRoot.from_file(str(self.path)))
        return self._verifier


@dataclass(frozen=True, slots=True)
class _AnyIdentity:
    """Whoever signed: identities are judged elsewhere."""

    def verify(self, cert: x509.Certificate) -> None:
        del cert


class _OtherFileError(Exception):
    """The bundle is over another file."""


def read_sigstore(octets: bytes, content: memoryview, *, place: str, root: SigstoreRoot | None) -> SignatureFacts:
    """What a bundle says of `content`. Never raises for what the bundle holds; without root or library it is not valid."""
    digest = hashlib.sha256(content)
    if root is None:
        return _facts(place, None, ProblemCode.DETACHED_KEY_MISSING, "no trusted root was given (sigstore_root)")
    try:
        verifier = root.verifier()
    except ImportError:
        detail = "the library that verifies bundles is missing: install csv-gate[sigstore]"
        return _facts(place, None, ProblemCode.DETACHED_KEY_MISSING, detail)
    except Exception as error:
        return _facts(place, None, ProblemCode.DETACHED_KEY_MISSING, f"the trusted root cannot be used: {_words(error)}")
    bundle = None
    try:
        from sigstore.models import Bundle

        text = octets.decode("utf-8")
        if _names_a_key(text):
            detail = "key not given: the bundle was made with a key and not with a certificate"
            return _facts(place, None, ProblemCode.DETACHED_KEY_MISSING, detail)
        bundle = Bundle.from_json(text)
        _verify(verifier, bundle, digest.digest())
    except _OtherFileError as error:
        return _facts(place, bundle, ProblemCode.DIGEST_MISMATCH, str(error))
    except Exception as error:
        return _facts(place, bundle, ProblemCode.SIGSTORE_INVALID, f"the bundle does not hold: {_words(error)}")
    return _facts(place, bundle)


def _names_a_key(text: str) -> bool:
    """Whether the bundle hints at a public key, of which it brings nothing along."""
    try:
        material = json.loads(text)["verificationMaterial"]
        return "publicKey" in material and "certificate" not in material and "x509CertificateChain" not in material
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _verify(verifier: Verifier, bundle: Bundle, digest: bytes) -> None:
    """Raises whatever the library does, and _OtherFileError."""
    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    if bundle._dsse_envelope is None:
        stated = bundle._inner.message_signature
        if stated is not None and stated.message_digest is not None and stated.message_digest.digest != digest:
            raise _OtherFileError("the bundle states the digest of another file")
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest), bundle, _AnyIdentity())
        return
    kind, payload = verifier.verify_dsse(bundle, _AnyIdentity())
    if kind != _STATEMENT or digest.hex() not in _subjects(payload):
        raise _OtherFileError("the file is not among the subjects of the attestation")


def _subjects(payload: bytes) -> frozenset[str]:
    """SHA-256 of the subjects of an in-toto statement; none where it is something else."""
    try:
        statement = json.loads(payload)
        if not str(statement["_type"]).startswith("https://in-toto.io/Statement/"):
            return frozenset()
        return frozenset(str(subject["digest"].get("sha256")) for subject in statement["subject"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()


def _facts(place: str, bundle: Bundle | None, code: ProblemCode | None = None, detail: str = "") -> SignatureFacts:
    certificate = None if bundle is None else bundle.signing_certificate
    is_valid = code is None and certificate is not None
    signer = key = issuer = None
    if certificate is not None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        signer = read_certificate(certificate.public_bytes(Encoding.DER)).facts
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        # What a certificate says that was not verified is nobody's identity.
        identities = _identities(certificate) if is_valid else ()
        key = KeyFacts(key_id=hashlib.sha256(spki).hexdigest(), is_given=is_valid, user_ids=identities)
        issuer = _issuer(certificate) if is_valid else None
    return SignatureFacts(
        source=SignatureSource.DETACHED,
        place=place,
        digest_algorithm="sha256",
        signed_digest=None,
        digest_matches=True if is_valid else False if code is ProblemCode.DIGEST_MISMATCH else None,
        valid=is_valid,
        problems=() if code is None else (Problem(code=code, detail=detail),),
        more_info=issuer,
        signer=signer,
        scheme=SignatureScheme.SIGSTORE,
        key=key,
    )


def _identities(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return ()
    found = [
        str(name.value) for name in names if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name | x509.DNSName)
    ]
    return tuple(sorted(found))


def _issuer(certificate: x509.Certificate) -> str | None:
    """Who vouched for the identity, such as `https://token.actions.githubusercontent.com`."""
    from cryptography import x509

    for oid in (_ISSUER, _ISSUER_BARE):
        try:
            value = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value
        except (ValueError, x509.ExtensionNotFound):
            continue
        octets = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
        if oid == _ISSUER:
            octets = octets[2:] if len(octets) > 2 and octets[0] == _UTF8_STRING and octets[1] == len(octets) - 2 else b""
        if octets:
            return octets.decode("utf-8", "replace")
    return None


def _words(error: Exception) -> str:
    """The library's own words, one line of bounded length."""
    return " ".join(str(error).split())[:_MAX_DETAIL] or type(error).__name__
