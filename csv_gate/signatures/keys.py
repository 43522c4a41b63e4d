"""Public keys and the signatures made with them: RSA (PKCS #1 v1.5, and PSS in certificates) and ECDSA over named curves.

Keys come from attacker-controlled certificates. A key that this module does not verify with gives a `PublicKey` that verifies nothing
and says why; it is never an exception. EC parameters written out instead of named are refused before any library sees them: that is
how a forged root once passed (CVE-2020-0601).
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from csv_gate.errors import ArtifactError
from csv_gate.records import dataclass
from csv_gate.signatures import oids
from csv_gate.signatures.der import INTEGER, OID, SEQUENCE, Element, Source, context

HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
MAX_RSA_BITS = 8192
"""Windows' code integrity takes up to 4096; verification time grows with the square."""
WEAK_RSA_BITS = 2048
WEAK_DIGESTS = frozenset({"md5", "sha1"})
MAX_KEY_NODES = 64
MAX_KEPT_BYTES = 64
"""Of an AlgorithmIdentifier, longer than any that is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureAlgorithm:
    """What an AlgorithmIdentifier says about how a signature was made."""

    oid: str
    digest: str | None
    """None: the identifier does not name it (rsaEncryption), or it is unknown."""
    scheme: str | None
    """`rsa`, `rsa_pss`, `ecdsa`; None: unknown."""
    salt_length: int = 0
    """Of PSS."""

    @property
    def name(self) -> str:
        """`sha256_rsa`, or the dotted number where it is unknown."""
        return f"{self.digest}_{self.scheme}" if self.digest and self.scheme else self.scheme or self.oid


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A SubjectPublicKeyInfo. `loaded` is None where nothing can be verified with it."""

    algorithm: str
    bits: int | None
    loaded: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None
    is_curve_unnamed: bool = False

    @property
    def is_weak(self) -> bool:
        return self.algorithm.startswith("rsa") and self.bits is not None and self.bits < WEAK_RSA_BITS

    def verifies(self, signature: bytes, digest: bytes, algorithm: SignatureAlgorithm, digest_name: str) -> bool:
        """Whether `signature` was made over `digest` (of `digest_name`) in the way that `algorithm` says."""
        hash_algorithm = HASHES.get(digest_name)
        if hash_algorithm is None or len(digest) != hash_algorithm.digest_size:
            return False
        prehashed = Prehashed(hash_algorithm)
        try:
            match self.loaded, algorithm.scheme:
                case rsa.RSAPublicKey() as key, "rsa":
                    key.verify(signature, digest, padding.PKCS1v15(), prehashed)
                case rsa.RSAPublicKey() as key, "rsa_pss":
                    pss = padding.PSS(padding.MGF1(hash_algorithm), algorithm.salt_length)
                    key.verify(signature, digest, pss, prehashed)
                case ec.EllipticCurvePublicKey() as key, "ecdsa":
                    key.verify(signature, digest, ec.ECDSA(prehashed))
                case _:
                    return False
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True

    def holds_raw_digest(self, signature: bytes, digest: bytes) -> bool:
        """Whether this is an RSA signature over the bare digest, without the DigestInfo that PKCS #1 v1.5 demands.

        Time-stamping services of VeriSign and Symantec made counter-signatures of this form for years.
        """
        if not isinstance(self.loaded, rsa.RSAPublicKey):
            return False
        try:
            return self.loaded.recover_data_from_signature(signature, padding.PKCS1v15(), None) == digest
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False


@lru_cache(maxsize=1024)
def read_key(spki: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo in DER. Never raises."""
    unusable = PublicKey(algorithm="unknown", bits=None, loaded=None)
    try:
        fields = Source(spki, max_nodes=MAX_KEY_NODES).root().fields()
        identifier, octets = fields.take().fields(), fields.take().bits()
        oid, parameters = identifier.take().oid(), identifier.optional()
        name = oids.KEY_NAMES.get(oid, oid)
        unusable = PublicKey(algorithm=name, bits=None, loaded=None)
        if name in ("rsa", "rsa_pss"):
            bits = Source(octets, max_nodes=MAX_KEY_NODES).root().fields().take(INTEGER).integer().bit_length()
            unusable = PublicKey(algorithm=name, bits=bits, loaded=None)
            if bits > MAX_RSA_BITS:
                return unusable
        elif name != "ec":
            return unusable
        elif parameters is None or parameters.tag != OID:
            return PublicKey(algorithm=name, bits=None, loaded=None, is_curve_unnamed=True)
        loaded = load_der_public_key(spki)
    except (ArtifactError, UnsupportedAlgorithm, ValueError):
        return unusable
    if isinstance(loaded, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return PublicKey(algorithm=name, bits=loaded.key_size, loaded=loaded)
    return unusable


def read_signature_algorithm(identifier: Element) -> SignatureAlgorithm:
    """An AlgorithmIdentifier of a signature.

    Raises:
        FormatError: it is no AlgorithmIdentifier.
    """
    known = _known_signature_algorithm(identifier.raw) if identifier.size <= MAX_KEPT_BYTES else None
    return known or _signature_algorithm(identifier)


def _signature_algorithm(identifier: Element) -> SignatureAlgorithm:
    fields = identifier.fields()
    oid, parameters = fields.take().oid(), fields.optional()
    if oid == oids.RSA_ENCRYPTION:
        return SignatureAlgorithm(oid=oid, digest=None, scheme="rsa")
    if oid == oids.EC_PUBLIC_KEY:  # some signers name the key instead of the way of signing
        return SignatureAlgorithm(oid=oid, digest=None, scheme="ecdsa")
    if oid == oids.RSA_PSS and parameters is not None:
        return _pss(parameters)
    digest, scheme = oids.SIGNATURES.get(oid, (None, None))
    return SignatureAlgorithm(oid=oid, digest=digest, scheme=scheme)


def _pss(parameters: Element) -> SignatureAlgorithm:
    """RSASSA-PSS-params (RFC 4055, 3.1); only with the mask made by the same digest, as everybody makes it."""
    fields = parameters.fields(SEQUENCE)
    digest: str | None = "sha1"
    mask_digest: str | None = "sha1"
    salt_length = 20
    if found := fields.optional(context(0)):
        digest = read_digest_algorithm(found.only(SEQUENCE))
    if found := fields.optional(context(1)):
        mask = found.only(SEQUENCE).fields()
        is_mgf1 = mask.take().oid() == oids.MGF1
        mask_digest = read_digest_algorithm(mask.take(SEQUENCE)) if is_mgf1 else None
    if found := fields.optional(context(2)):
        salt_length = found.only(INTEGER).integer()
    is_usual = digest is not None and digest == mask_digest and 0 <= salt_length <= MAX_RSA_BITS // 8
    if not is_usual:
        return SignatureAlgorithm(oid=oids.RSA_PSS, digest=digest, scheme=None)
    return SignatureAlgorithm(oid=oids.RSA_PSS, digest=digest, scheme="rsa_pss", salt_length=salt_length)


def read_digest_algorithm(identifier: Element) -> str | None:
    """The name of a digest AlgorithmIdentifier; None where it is unknown."""
    known = _known_digest_algorithm(identifier.raw) if identifier.size <= MAX_KEPT_BYTES else None
    return known or _digest_algorithm(identifier)


def _digest_algorithm(identifier: Element) -> str | None:
    return oids.DIGESTS.get(identifier.fields().take().oid())


# A signature names its algorithms a dozen times, always by the same few octets. What is kept follows from those octets alone; what is
# not plain DER is read where it stands, since that is noted there, and so is what is wrong.


@lru_cache(maxsize=256)
def _known_signature_algorithm(raw: bytes) -> SignatureAlgorithm | None:
    source = Source(raw)
    try:
        found = _signature_algorithm(source.root())
    except ArtifactError:
        return None
    return None if source.not_der else found


@lru_cache(maxsize=256)
def _known_digest_algorithm(raw: bytes) -> str | None:
    source = Source(raw)
    try:
        found = _digest_algorithm(source.root())
    except ArtifactError:
        return None
    return None if source.not_der else found
