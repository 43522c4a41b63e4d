"""Object identifiers that signatures use, by the names of their documents (RFC 5652, 3161, 5280, PKCS #9, Authenticode)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MICROSOFT: Final = "1.3.6.1.4.1.311."

# Content types
DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
SPC_INDIRECT_DATA: Final = MICROSOFT + "2.1.4"
CERT_TRUST_LIST: Final = MICROSOFT + "10.1"

# SpcIndirectData.data.type
SPC_PE_IMAGE_DATA: Final = MICROSOFT + "2.1.15"
SPC_LINK: Final = MICROSOFT + "2.1.25"
SPC_CAB_LINK: Final = MICROSOFT + "2.1.28"
"""Of a cabinet in a catalog: a serialized object with the cabinet's page hashes."""
SPC_SIP_INFO: Final = MICROSOFT + "2.1.30"
USUAL_DATA_TYPES: Final = frozenset({SPC_PE_IMAGE_DATA, SPC_LINK, SPC_CAB_LINK, SPC_SIP_INFO})
PAGE_HASHES: Final[Mapping[str, str]] = MappingProxyType({MICROSOFT + "2.3.1": "sha1", MICROSOFT + "2.3.2": "sha256"})

# Attributes
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
COUNTER_SIGNATURE: Final = "1.2.840.113549.1.9.6"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIMESTAMP: Final = "1.2.840.113549.1.9.16.2.14"
COMMITMENT_TYPE: Final = "1.2.840.113549.1.9.16.2.16"
PROOF_OF_ORIGIN: Final = "1.2.840.113549.1.9.16.6.1"
PROOF_OF_RECEIPT: Final = "1.2.840.113549.1.9.16.6.2"
SPC_OPUS_INFO: Final = MICROSOFT + "2.1.12"
NESTED_SIGNATURE: Final = MICROSOFT + "2.4.1"
RFC3161_TOKEN: Final = MICROSOFT + "3.3.1"

# Catalogs
CATALOG_LIST: Final = MICROSOFT + "12.1.1"
CATALOG_MEMBER_V1: Final = MICROSOFT + "12.1.2"
CATALOG_MEMBER_V2: Final = MICROSOFT + "12.1.3"

# Extended key usages
EKU_ANY: Final = "2.5.29.37.0"
EKU_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
EKU_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
EKU_LIFETIME_SIGNING: Final = MICROSOFT + "10.3.13"

# Certificate extensions
EXT_SUBJECT_KEY: Final = "2.5.29.14"
EXT_KEY_USAGE: Final = "2.5.29.15"
EXT_BASIC_CONSTRAINTS: Final = "2.5.29.19"
EXT_AUTHORITY_KEY: Final = "2.5.29.35"
EXT_EXTENDED_KEY_USAGE: Final = "2.5.29.37"

# Keys
RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
RSA_PSS: Final = "1.2.840.113549.1.1.10"
MGF1: Final = "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
KEY_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        RSA_ENCRYPTION: "rsa",
        RSA_PSS: "rsa_pss",
        EC_PUBLIC_KEY: "ec",
        "1.2.840.10040.4.1": "dsa",
        "1.3.101.112": "ed25519",
        "1.3.101.113": "ed448",
    }
)

DIGESTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1.2.840.113549.2.5": "md5",
        "1.3.14.3.2.26": "sha1",
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.2": "sha384",
        "2.16.840.1.101.3.4.2.3": "sha512",
    }
)
"""The digests that are computed; any other is unknown. MD2 and MD4 are left out on purpose: nothing computes them any more."""

SIGNATURES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "1.2.840.113549.1.1.4": ("md5", "rsa"),
        "1.2.840.113549.1.1.5": ("sha1", "rsa"),
        "1.3.14.3.2.29": ("sha1", "rsa"),
        "1.2.840.113549.1.1.11": ("sha256", "rsa"),
        "1.2.840.113549.1.1.12": ("sha384", "rsa"),
        "1.2.840.113549.1.1.13": ("sha512", "rsa"),
        "1.2.840.10045.4.1": ("sha1", "ecdsa"),
        "1.2.840.10045.4.3.2": ("sha256", "ecdsa"),
        "1.2.840.10045.4.3.3": ("sha384", "ecdsa"),
        "1.2.840.10045.4.3.4": ("sha512", "ecdsa"),
    }
)
"""Signature algorithms that name their digest: (digest, kind of key)."""
