"""A certificate authority in memory: roots, intermediates and leaves, with one keyword per property and per defect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.builders import der

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2030, 1, 1, tzinfo=UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
RSA_OIDS = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
ECDSA_OIDS = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}


@cache
def key(kind: str = "rsa2048", label: str = "") -> PrivateKey:
    """One key per kind and label: making them is slow."""
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def spki(private: PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki_with_explicit_curve(private: PrivateKey) -> bytes:
    """The same point, with the parameters of P-256 spelled out instead of named (X9.62)."""
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    a = (prime - 3).to_bytes(32, "big")
    b = bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    field = der.seq(der.oid("1.2.840.10045.1.1"), der.integer(prime))
    curve = der.seq(der.octets(a), der.octets(b))
    parameters = der.seq(der.integer(1), field, curve, der.octets(point), der.integer(order))
    return der.seq(der.seq(der.oid("1.2.840.10045.2.1"), parameters), der.bits(point))


def sign(private: PrivateKey, data: bytes, digest: str = "sha256", *, pss: bool = False) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(HASHES[digest]))
    if pss:
        return private.sign(data, padding.PSS(padding.MGF1(HASHES[digest]), HASHES[digest].digest_size), HASHES[digest])
    return private.sign(data, padding.PKCS1v15(), HASHES[digest])


def signature_algorithm(private: PrivateKey, digest: str = "sha256", *, pss: bool = False) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return der.seq(der.oid(ECDSA_OIDS[digest]))
    if pss:
        hashed = der.digest_algorithm(digest)
        mask = der.seq(der.oid("1.2.840.113549.1.1.8"), hashed)
        salt = der.integer(HASHES[digest].digest_size)
        parameters = der.seq(der.explicit(0, hashed), der.explicit(1, mask), der.explicit(2, salt))
        return der.seq(der.oid("1.2.840.113549.1.1.10"), parameters)
    return der.algorithm(RSA_OIDS[digest])


def name(common_name: str, *, organization: str | None = None, tag: int = 0x0C, encoding: str = "utf-8") -> bytes:
    """A Name; `tag` and `encoding` choose the string type of the common name."""
    parts = [("2.5.4.10", der.tlv(0x0C, organization.encode()))] if organization else []
    parts.append(("2.5.4.3", der.tlv(tag, common_name.encode(encoding))))
    return der.seq(*(der.set_of(der.seq(der.oid(kind), value)) for kind, value in parts))


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: bytes
    key: PrivateKey
    subject: bytes
    issuer: bytes
    serial: int
    chain: tuple[bytes, ...] = ()
    """Certificates above, nearest first, as a signer would send them along."""

    @cached_property
    def all_certificates(self) -> tuple[bytes, ...]:
        return (self.certificate, *self.chain)

    def issue(
        self,
        common_name: str = "Test Publisher",
        *,
        eku: Sequence[str] | None = (CODE_SIGNING,),
        digital_signature: bool | None = True,
        is_ca: bool | None = None,
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
        key_kind: str = "rsa2048",
        key_label: str = "leaf",
        digest: str = "sha256",
        serial: int = 0x1001,
        subject: bytes | None = None,
        issuer: bytes | None = None,
        public_key: bytes | None = None,
        signed_by: PrivateKey | None = None,
        key_ids: tuple[bytes | None, bytes | None] = (None, None),
        pss: bool = False,
        extensions: Sequence[bytes] = (),
        in_chain: bool = True,
    ) -> Identity:
        """A certificate issued by this identity.

        `issuer` and `signed_by` lie about who issued it; `key_ids` are the subject's and the authority's key identifier; `in_chain` says
        whether this identity's own certificate goes along.
        """
        private = key(key_kind, key_label)
        issuer_name, subject_name = issuer or self.subject, subject or name(common_name)
        certificate = make_certificate(
            subject=subject_name,
            issuer=issuer_name,
            public_key=public_key or spki(private),
            signed_by=signed_by or self.key,
            serial=serial,
            not_before=not_before,
            not_after=not_after,
            digest=digest,
            pss=pss,
            extensions=[*standard_extensions(eku, digital_signature, is_ca, key_ids), *extensions],
        )
        chain = self.all_certificates if in_chain else self.chain
        return Identity(certificate, private, subject_name, issuer_name, serial, chain)

    def issue_authority(
        self, common_name: str = "Test Issuing CA", *, key_label: str = "issuing", serial: int = 0x2001
    ) -> Identity:
        return self.issue(common_name, eku=None, is_ca=True, key_label=key_label, serial=serial)


def root(
    common_name: str = "Test Root",
    *,
    key_kind: str = "rsa2048",
    key_label: str = "root",
    digest: str = "sha256",
    not_before: datetime = NOT_BEFORE,
) -> Identity:
    """A self-signed authority."""
    private, subject = key(key_kind, key_label), name(common_name)
    certificate = make_certificate(
        subject=subject,
        issuer=subject,
        public_key=spki(private),
        signed_by=private,
        serial=1,
        digest=digest,
        not_before=not_before,
        extensions=standard_extensions(None, None, True, (None, None)),
    )
    return Identity(certificate, private, subject, subject, 1)


def standard_extensions(
    eku: Sequence[str] | None,
    digital_signature: bool | None,
    is_ca: bool | None,
    key_ids: tuple[bytes | None, bytes | None],
) -> list[bytes]:
    found = []
    if eku is not None:
        found.append(extension("2.5.29.37", der.seq(*map(der.oid, eku))))
    if digital_signature is not None:
        usage = (0x80 if digital_signature else 0x04) | (0x06 if is_ca else 0)
        found.append(extension("2.5.29.15", der.bits(bytes([usage]), (usage & -usage).bit_length() - 1)))
    if is_ca is not None:
        found.append(extension("2.5.29.19", der.seq(*([der.boolean(True)] if is_ca else []))))
    own, authority = key_ids
    if own is not None:
        found.append(extension("2.5.29.14", der.octets(own)))
    if authority is not None:
        found.append(extension("2.5.29.35", der.seq(der.tlv(0x80, authority))))
    return found


def extension(dotted: str, value: bytes) -> bytes:
    return der.seq(der.oid(dotted), der.octets(value))


def make_certificate(
    *,
    subject: bytes,
    issuer: bytes,
    public_key: bytes,
    signed_by: PrivateKey,
    serial: int,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    digest: str = "sha256",
    pss: bool = False,
    extensions: Sequence[bytes] = (),
    validity: bytes | None = None,
) -> bytes:
    algorithm = signature_algorithm(signed_by, digest, pss=pss)
    times = validity or der.seq(der.time_of_validity(not_before), der.time_of_validity(not_after))
    tail = [der.explicit(3, der.seq(*extensions))] if extensions else []
    tbs = der.seq(der.explicit(0, der.integer(2)), der.integer(serial), algorithm, issuer, times, subject, public_key, *tail)
    return der.seq(tbs, algorithm, der.bits(sign(signed_by, tbs, digest, pss=pss)))
