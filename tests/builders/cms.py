"""Makes CMS SignedData: Authenticode signatures, time stamps, nested signatures, catalogs; one keyword per property and per defect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from csv_gate.signatures.der import OCTET_STRING, Source
from tests.builders import ca, der

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
FLAT_DATA = "1.3.6.1.4.1.311.2.1.25"
TRUST_LIST = "1.3.6.1.4.1.311.10.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTER_SIGNATURE = "1.2.840.113549.1.9.6"
RFC3161_TOKEN = "1.3.6.1.4.1.311.3.3.1"
NESTED = "1.3.6.1.4.1.311.2.4.1"
OPUS = "1.3.6.1.4.1.311.2.1.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
PAGE_HASH_CLASS = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
STAMPED = datetime(2024, 6, 1, 12, tzinfo=UTC)


def attribute(kind: str, *values: bytes) -> bytes:
    return der.seq(der.oid(kind), der.set_of(*values))


def signer_info(
    signer: ca.Identity,
    content: bytes,
    *,
    content_type: str | None,
    digest: str = "sha256",
    version: int = 1,
    attributes: Sequence[bytes] = (),
    no_attributes: bool = False,
    no_message_digest: bool = False,
    message_digest: bytes | None = None,
    algorithm: bytes | None = None,
    raw_digest: bool = False,
    by_key_id: bytes | None = None,
    signature: bytes | None = None,
    unsigned: Sequence[bytes] = (),
    reverse_attributes: bool = False,
) -> bytes:
    """A SignerInfo over `content`, the octets that are digested."""
    parts = [attribute(CONTENT_TYPE, der.oid(content_type))] if content_type else []
    if not no_message_digest:
        parts.append(attribute(MESSAGE_DIGEST, der.octets(message_digest or hashlib.new(digest, content).digest())))
    parts += attributes
    body = b"".join(reversed(parts) if reverse_attributes else parts)
    covered = content if no_attributes else der.tlv(0x31, body)
    if signature is None:
        signature = _raw_digest(signer, covered, digest) if raw_digest else ca.sign(signer.key, covered, digest)
    is_rsa = isinstance(signer.key, rsa.RSAPrivateKey)
    named = der.seq(signer.issuer, der.integer(signer.serial)) if by_key_id is None else der.tlv(0x80, by_key_id)
    return der.seq(
        der.integer(version),
        named,
        der.digest_algorithm(digest),
        *([] if no_attributes else [der.explicit(0, body)]),
        algorithm or (der.algorithm("1.2.840.113549.1.1.1") if is_rsa else ca.signature_algorithm(signer.key, digest)),
        der.octets(signature),
        *([der.explicit(1, *unsigned)] if unsigned else []),
    )


def _raw_digest(signer: ca.Identity, covered: bytes, digest: str) -> bytes:
    """RSA over a padded bare digest, as old time-stamping services made it: textbook RSA on the padded block."""
    assert isinstance(signer.key, rsa.RSAPrivateKey)
    numbers = signer.key.private_numbers()
    size = (signer.key.key_size + 7) // 8
    hashed = hashlib.new(digest, covered).digest()
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(hashed)) + b"\x00" + hashed
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


def signed_data(
    content: bytes | None,
    signers: Sequence[bytes],
    *,
    content_type: str,
    certificates: Sequence[bytes] = (),
    digests: Sequence[str] = ("sha256",),
    version: int = 1,
    outer_type: str = SIGNED_DATA,
) -> bytes:
    """ContentInfo{SignedData}; `content` is the whole element inside the explicit [0]."""
    wrapped = [] if content is None else [der.explicit(0, content)]
    return der.seq(
        der.oid(outer_type),
        der.explicit(
            0,
            der.seq(
                der.integer(version),
                der.set_of(*map(der.digest_algorithm, digests)),
                der.seq(der.oid(content_type), *wrapped),
                *([der.explicit(0, *certificates)] if certificates else []),
                der.set_of(*signers),
            ),
        ),
    )


def contents(element: bytes) -> bytes:
    """An element without tag and length."""
    if element[1] < 0x80:
        return element[2:]
    return element[2 + (element[1] & 0x7F) :]


def page_hashes(table: bytes, *, kind: str = "1.3.6.1.4.1.311.2.3.2", class_id: bytes = PAGE_HASH_CLASS) -> bytes:
    """SpcPeImageData that holds a page-hash table."""
    serialized = der.set_of(der.seq(der.oid(kind), der.set_of(der.octets(table))))
    return der.seq(der.bits(b""), der.explicit(0, der.explicit(1, der.octets(class_id), der.octets(serialized))))


def plain_image_data() -> bytes:
    return der.seq(der.bits(b""), der.explicit(0, der.explicit(2, der.tlv(0x80))))


def indirect_data(
    file_digest: bytes, *, digest: str = "sha256", data_type: str = PE_IMAGE_DATA, value: bytes | None = None
) -> bytes:
    data = der.seq(der.oid(data_type), value or plain_image_data())
    return der.seq(data, der.seq(der.digest_algorithm(digest), der.octets(file_digest)))


def opus(program_name: str | None = None, *, more_info: str | None = None, wide: bool = True) -> bytes:
    """The SpcSpOpusInfo attribute."""
    parts = []
    if program_name is not None:
        text = der.tlv(0x80, program_name.encode("utf-16-be")) if wide else der.tlv(0x81, program_name.encode("latin-1"))
        parts.append(der.explicit(0, text))
    if more_info is not None:
        parts.append(der.explicit(1, der.tlv(0x80, more_info.encode())))
    return attribute(OPUS, der.seq(*parts))


def authenticode(
    signer: ca.Identity,
    file_digest: bytes,
    *,
    digest: str = "sha256",
    file_digest_algorithm: str | None = None,
    message_digests: Sequence[str] | None = None,
    certificates: Sequence[bytes] | None = None,
    content_type: str = INDIRECT_DATA,
    signed_content_type: str | None = INDIRECT_DATA,
    value: bytes | None = None,
    data_type: str = PE_IMAGE_DATA,
    signers: int = 1,
    attributes: Sequence[bytes] = (),
    no_attributes: bool = False,
    no_message_digest: bool = False,
    message_digest: bytes | None = None,
    algorithm: bytes | None = None,
    version: int = 1,
    by_key_id: bytes | None = None,
    reverse_attributes: bool = False,
    stamps: Sequence[Stamp] = (),
    nested: Sequence[bytes] = (),
    unsigned: Sequence[bytes] = (),
    outer_type: str = SIGNED_DATA,
) -> bytes:
    """An Authenticode signature over a file with this digest; every keyword changes one thing."""
    content = indirect_data(file_digest, digest=file_digest_algorithm or digest, value=value, data_type=data_type)

    def info(extra: Sequence[bytes], signature: bytes | None = None) -> bytes:
        return signer_info(
            signer,
            contents(content),
            content_type=signed_content_type,
            digest=digest,
            version=version,
            attributes=attributes,
            no_attributes=no_attributes,
            no_message_digest=no_message_digest,
            message_digest=message_digest,
            algorithm=algorithm,
            by_key_id=by_key_id,
            reverse_attributes=reverse_attributes,
            signature=signature,
            unsigned=extra,
        )

    signature = signature_of(info(()))
    extra = [stamp.attribute_for(signature) for stamp in stamps]
    extra += [attribute(NESTED, *nested)] if nested else []
    others = [certificate for stamp in stamps for certificate in stamp.outer_certificates]
    return signed_data(
        content,
        [info((*extra, *unsigned), signature)] * signers,
        content_type=content_type,
        certificates=[*(signer.all_certificates if certificates is None else certificates), *others],
        digests=(digest,) if message_digests is None else message_digests,
        outer_type=outer_type,
    )


def signature_of(info: bytes) -> bytes:
    """The signature octets of a SignerInfo: its last OCTET STRING at the top level."""
    last = [part for part in Source(info).root().children() if part.tag == OCTET_STRING][-1]
    return last.contents


class Stamp:
    """A time stamp to come: it is made when the signature is known."""

    def __init__(
        self,
        authority: ca.Identity,
        *,
        legacy: bool = False,
        time: datetime = STAMPED,
        digest: str = "sha256",
        imprint_digest: str | None = None,
        over: bytes | None = None,
        bound_to: bytes | None = None,
        binding: bool = True,
        binding_v1: bool = False,
        raw_digest: bool = False,
        break_signature: bool = False,
        no_time: bool = False,
        content_type: str = TST_INFO,
        with_certificates: bool = True,
    ) -> None:
        """`over` is another signature's octets (a transplanted stamp); `bound_to` another certificate in the binding attribute."""
        self.authority, self.legacy, self.time, self.digest = authority, legacy, time, digest
        self.imprint_digest = imprint_digest or digest
        self.over, self.bound_to, self.binding, self.binding_v1 = over, bound_to, binding, binding_v1
        self.raw_digest, self.break_signature, self.no_time = raw_digest, break_signature, no_time
        self.content_type, self.with_certificates = content_type, with_certificates

    @property
    def outer_certificates(self) -> tuple[bytes, ...]:
        return self.authority.all_certificates if self.legacy and self.with_certificates else ()

    def attribute_for(self, signature: bytes) -> bytes:
        covered = self.over or signature
        return (
            attribute(COUNTER_SIGNATURE, self._counter(covered))
            if self.legacy
            else attribute(RFC3161_TOKEN, self.token(covered))
        )

    def _counter(self, covered: bytes) -> bytes:
        return signer_info(
            self.authority,
            covered,
            content_type=DATA,
            digest=self.digest,
            attributes=[] if self.no_time else [attribute(SIGNING_TIME, der.utc_time(self.time))],
            raw_digest=self.raw_digest,
            signature=bytes(256) if self.break_signature else None,
        )

    def token(self, covered: bytes) -> bytes:
        imprint = der.seq(
            der.digest_algorithm(self.imprint_digest), der.octets(hashlib.new(self.imprint_digest, covered).digest())
        )
        info = der.seq(der.integer(1), der.oid("1.2.3"), imprint, der.integer(7), der.generalized_time(self.time))
        bound = hashlib.sha256(self.bound_to or self.authority.certificate).digest()
        attributes = [attribute(SIGNING_CERTIFICATE_V2, der.seq(der.seq(der.seq(der.octets(bound)))))] if self.binding else []
        if self.binding_v1:
            bound = hashlib.sha1(self.bound_to or self.authority.certificate, usedforsecurity=False).digest()
            attributes = [attribute(SIGNING_CERTIFICATE, der.seq(der.seq(der.seq(der.octets(bound)))))]
        signer = signer_info(
            self.authority,
            info,
            content_type=self.content_type,
            digest=self.digest,
            attributes=attributes,
            signature=bytes(256) if self.break_signature else None,
        )
        return signed_data(
            der.octets(info),
            [signer],
            content_type=self.content_type,
            certificates=self.authority.all_certificates if self.with_certificates else (),
            digests=(self.digest,),
            version=3,
        )


def member(
    file_digest: bytes,
    *,
    digest: str = "sha256",
    version: int = 2,
    flat: bool = False,
    tag: bytes | None = None,
    only_tag: bool = False,
) -> bytes:
    """One entry of a catalog."""
    if tag is None:
        tag = (file_digest.hex().upper() + "\0").encode("utf-16-le") if version == 1 else file_digest
    data = indirect_data(
        file_digest,
        digest=digest,
        data_type=FLAT_DATA if flat else PE_IMAGE_DATA,
        value=der.explicit(2, der.tlv(0x80)) if flat else None,
    )
    info = attribute("1.3.6.1.4.1.311.12.2.3", der.tlv(0x80))
    return der.seq(der.octets(tag), der.set_of(*([info] if only_tag else [info, attribute(INDIRECT_DATA, data)])))


def catalog(
    signer: ca.Identity,
    members: Sequence[bytes],
    *,
    version: int = 2,
    usage: str = "1.3.6.1.4.1.311.12.1.1",
    content_type: str = TRUST_LIST,
    unsigned: bool = False,
    message_digest: bytes | None = None,
    digest: str = "sha256",
) -> bytes:
    kind = f"1.3.6.1.4.1.311.12.1.{2 if version == 1 else 3}"
    content = der.seq(
        der.seq(der.oid(usage)),
        der.octets(bytes(16)),
        der.utc_time(STAMPED),
        der.algorithm(kind),
        der.seq(*members),
    )
    info = signer_info(signer, contents(content), content_type=content_type, message_digest=message_digest, digest=digest)
    return signed_data(
        content,
        [] if unsigned else [info],
        content_type=content_type,
        digests=(digest,),
        certificates=() if unsigned else signer.all_certificates,
    )
