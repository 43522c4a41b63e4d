"""Signed policies: a CMS SignedData around policy bytes, made with asn1crypto and a throw-away key."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache

from asn1crypto import cms, core, x509
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

POLICY_CONTENT_TYPE = "1.3.6.1.4.1.311.79.1"
SUBJECT = "Policy signer of the tests"


@cache
def _identity() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = certificates.Name([certificates.NameAttribute(certificates.NameOID.COMMON_NAME, SUBJECT)])
    builder = (
        certificates.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2044, 1, 1, tzinfo=UTC))
    )
    return key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def certificate() -> bytes:
    """DER of the certificate that signs."""
    return _identity()[1]


def signed_policy(
    policy: bytes,
    *,
    content_type: str = POLICY_CONTENT_TYPE,
    wrapped: bool = False,
    break_signature: bool = False,
    detached: bool = False,
) -> bytes:
    """An envelope around `policy`; `wrapped` puts one more OCTET STRING around it, as some tools do."""
    key, certificate_der = _identity()
    parsed = x509.Certificate.load(certificate_der)
    content = core.OctetString(policy).dump() if wrapped else policy
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": [content_type]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(content).digest()]}),
        ]
    )
    signature = key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
    if break_signature:
        signature = bytes(len(signature))
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": {"issuer": parsed.issuer, "serial_number": parsed.serial_number}}
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
            "signature": signature,
        }
    )
    encapsulated: dict[str, object] = {"content_type": content_type}
    if not detached:
        encapsulated["content"] = core.OctetString(content, explicit=0)
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": encapsulated,
            "certificates": [parsed],
            "signer_infos": [info],
        }
    )
    envelope: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return envelope
