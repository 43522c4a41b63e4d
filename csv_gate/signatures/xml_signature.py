"""XML signatures (XML-DSig) as packages use them: one enveloping signature, references to objects in it, certificates beside it.

Source: XML Signature Syntax and Processing (W3C, 12 February 2002); RFC 4050 and RFC 6931 for further algorithms. What is taken is what
packages need and no more: references to an object of the same signature by its id, canonical forms as the one transform, RSA (PKCS #1 v1.5)
and ECDSA. XPath, XSLT, keys without certificate and references to anywhere else are refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from csv_gate.errors import FormatError
from csv_gate.limits import Limits
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.chain import Chain, build_chain
from csv_gate.signatures.cms import FATAL, Check
from csv_gate.signatures.judgement import note_usage
from csv_gate.signatures.keys import WEAK_DIGESTS, WEAK_RSA_BITS, SignatureAlgorithm
from csv_gate.signatures.roots import Roots
from csv_gate.signatures.xml_canonical import FORMS, INCLUSIVE, canonical
from csv_gate.signatures.xml_tree import Element, read_document

XMLDSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
DIGESTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        XMLDSIG + "sha1": "sha1",
        "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
        _MORE + "sha384": "sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    }
)
_METHODS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        XMLDSIG + "rsa-sha1": ("rsa", "sha1"),
        **{
            _MORE + f"{kind}-{digest}": (kind, digest) for kind in ("rsa", "ecdsa") for digest in ("sha256", "sha384", "sha512")
        },
    }
)
NOT_HOLDING: Final = FATAL | {
    ProblemCode.XML_SIGNATURE_MALFORMED,
    ProblemCode.XML_SIGNATURE_WRONG,
    ProblemCode.XML_SIGNER_MISSING,
    ProblemCode.PACKAGE_SIGNATURE_RULE,
    ProblemCode.PACKAGE_MEMBER_MISSING,
}
"""Problems that make a signature by XML invalid."""
_MAX_REFERENCES: Final = 32
"""In SignedInfo; packages have one or two."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a signature or manifest refers to, and its digest."""

    uri: str
    transforms: tuple[Element, ...]
    algorithm: str | None
    """Of the digest; `None`: not one that is computed."""
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlSignature:
    """A signature as written. Nothing is verified."""

    root: Element
    signed_info: Element
    canonical_form: str
    method: str
    value: bytes
    references: tuple[Reference, ...]
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlJudgement:
    """What checking a signature came to."""

    check: Check
    chain: Chain | None
    objects: tuple[Element, ...]
    """The elements that the signature refers to. They are what was signed only where no problem is among `NOT_HOLDING`."""


def read_xml_signature(data: bytes, limits: Limits) -> XmlSignature:
    """Read a document whose root is a signature.

    Raises:
        FormatError: it is something else, or asks for what no package needs.
        LimitError: a bound was reached.
    """
    root = read_document(data).root
    if (root.namespace, root.local) != (XMLDSIG, "Signature"):
        raise FormatError("the document is no XML signature", got=f"<{root.name[:60]}>")
    info = root.only("SignedInfo")
    form = info.only("CanonicalizationMethod").get("Algorithm") or ""
    if form not in FORMS:
        raise FormatError("the signature uses a canonical form that is not taken", got=form[:100])
    method = info.only("SignatureMethod")
    if any(method.elements()):
        raise FormatError("the signature method has parameters")
    references = tuple(read_reference(one) for one in info.elements("Reference"))
    if not 0 < len(references) <= _MAX_REFERENCES:
        raise FormatError("the signature has no references, or too many", got=str(len(references)))
    if len({one.uri for one in references}) != len(references):
        raise FormatError("the signature refers twice to one object")
    return XmlSignature(
        root=root,
        signed_info=info,
        canonical_form=form,
        method=method.get("Algorithm") or "",
        value=decoded(root.only("SignatureValue").text),
        references=references,
        certificates=_certificates(root, limits),
    )


def read_reference(element: Element) -> Reference:
    """Read one reference of a signature or a manifest.

    Raises:
        FormatError: it does not add up.
    """
    wrappers = list(element.elements("Transforms"))
    if len(wrappers) > 1:
        raise FormatError("a reference has its transforms twice")
    transforms = tuple(wrappers[0].elements("Transform")) if wrappers else ()
    uri = element.get("URI")
    if uri is None:
        raise FormatError("a reference does not say to what")
    algorithm = DIGESTS.get(element.only("DigestMethod").get("Algorithm") or "")
    return Reference(uri, transforms, algorithm, decoded(element.only("DigestValue").text))


def decoded(text: str) -> bytes:
    """Base64 with white space in it. Raises FormatError."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise FormatError("a value of the signature is not base64") from None


def _certificates(root: Element, limits: Limits) -> tuple[Certificate, ...]:
    """Those in KeyInfo/X509Data; what else KeyInfo says is passed over."""
    found: list[Certificate] = []
    for info in root.elements("KeyInfo"):
        for data in info.elements("X509Data"):
            for one in data.elements("X509Certificate"):
                if len(found) >= limits.max_certificates:
                    raise FormatError("the signature has too many certificates (max_certificates)")
                found.append(read_certificate(decoded(one.text)))
    return tuple(dict.fromkeys(found))


def judge_xml_signature(signature: XmlSignature, more: Iterable[Certificate], *, roots: Roots, limits: Limits) -> XmlJudgement:
    """Verify the signature and the digests of the objects that it refers to. `more` are certificates from beside it. Never raises for what
    they hold."""
    certificates = tuple(dict.fromkeys((*signature.certificates, *more)))
    check = Check()
    objects: list[Element] = []
    named = _by_id(signature.root)
    for reference in signature.references:
        try:
            objects.append(_referred(signature, named, reference, check))
        except FormatError as error:
            check.add(ProblemCode.XML_SIGNATURE_MALFORMED, str(error))
    _check_value(signature, certificates, check)
    chain = None
    if check.certificate is not None:
        chain = build_chain(check.certificate, certificates, roots, limits)
        check.problems.extend(chain.problems)
        note_usage(check, check.certificate)
    return XmlJudgement(check=check, chain=chain, objects=tuple(objects))


def _by_id(root: Element) -> Mapping[str, list[Element]]:
    """Elements by what any attribute called id, in whatever case and namespace, says: readers differ in which of them they look at."""
    found: dict[str, list[Element]] = {}
    for element in root.walk():
        for one in element.attributes:
            if one.local.lower() == "id":
                found.setdefault(one.value, []).append(element)
    return found


def _referred(signature: XmlSignature, named: Mapping[str, list[Element]], reference: Reference, check: Check) -> Element:
    """The object of a reference, compared with its digest."""
    if not reference.uri.startswith("#") or len(reference.uri) < 2:
        raise FormatError("the signature refers to something outside of itself", got=reference.uri[:100])
    name = reference.uri[1:]
    found = named.get(name, [])
    if len(found) != 1 or found[0].parent is not signature.root or (found[0].namespace, found[0].local) != (XMLDSIG, "Object"):
        raise FormatError("a reference does not lead to exactly one object of the signature", got=reference.uri[:100])
    octets = canonical(found[0], _form(reference.transforms), prefixes=frozenset())
    compare_digest(reference, octets, check, f"the object {name[:60]!r}")
    return found[0]


def _form(transforms: tuple[Element, ...]) -> str:
    """The canonical form that transforms ask for. Comments are never in what a reference by id selects (XML-DSig, 4.3.3.3)."""
    if len(transforms) > 1:
        raise FormatError("a reference has more transforms than one")
    if not transforms:
        return INCLUSIVE
    algorithm = transforms[0].get("Algorithm") or ""
    if algorithm not in FORMS or any(transforms[0].elements()):
        raise FormatError("a reference has a transform that is not taken", got=algorithm[:100])
    is_exclusive, _ = FORMS[algorithm]
    return next(name for name, kind in FORMS.items() if kind == (is_exclusive, False))


def compare_digest(reference: Reference, octets: bytes, check: Check, what: str) -> None:
    """Compare some octets with the digest of a reference; what is wrong goes to `check`."""
    if reference.algorithm is None:
        check.add(ProblemCode.XML_SIGNATURE_MALFORMED, f"the digest of {what} is by an algorithm that is not computed")
        return
    if reference.algorithm in WEAK_DIGESTS:
        note_weak(check, reference.algorithm)
    if hashlib.new(reference.algorithm, octets, usedforsecurity=False).digest() != reference.digest:
        check.add(ProblemCode.DIGEST_MISMATCH, f"{what} is not what was signed")


def note_weak(check: Check, algorithm: str) -> None:
    """Tell of a weak digest, once."""
    problem = Problem(code=ProblemCode.WEAK_DIGEST, detail=f"digests are by {algorithm}")
    if problem not in check.problems:
        check.problems.append(problem)


def _check_value(signature: XmlSignature, certificates: tuple[Certificate, ...], check: Check) -> None:
    kind, digest = _METHODS.get(signature.method, (None, ""))
    if kind is None:
        check.add(
            ProblemCode.XML_SIGNATURE_MALFORMED, f"signature method {signature.method[:100]!r} is not one that is verified"
        )
        return
    if not certificates:
        check.add(ProblemCode.XML_SIGNER_MISSING, "no certificate came along: the key is unknown")
        return
    if digest in WEAK_DIGESTS:
        check.add(ProblemCode.WEAK_DIGEST, f"signed with {digest}")
    hashed = hashlib.new(digest, canonical(signature.signed_info, signature.canonical_form), usedforsecurity=False).digest()
    value = signature.value if kind == "rsa" else _ecdsa(signature.value)
    algorithm = SignatureAlgorithm(oid=signature.method, digest=digest, scheme=kind)
    signers = [one for one in certificates if one.key.verifies(value, hashed, algorithm, digest)]
    if not signers:
        check.certificate = certificates[0] if len(certificates) == 1 else None
        check.add(ProblemCode.XML_SIGNATURE_WRONG, "the signature was made by the key of none of its certificates")
        return
    check.certificate = signers[0]
    if len(signers) > 1:
        check.add(ProblemCode.XML_SIGNER_MISSING, "several different certificates have the key that signed")
    if signers[0].key.is_weak:
        check.add(ProblemCode.WEAK_KEY, f"{signers[0].key.bits} bits, less than {WEAK_RSA_BITS}")
    if signers[0].key.is_curve_unnamed:
        check.add(ProblemCode.CURVE_NOT_NAMED, "the signer's key spells out its curve")


def _ecdsa(value: bytes) -> bytes:
    """XML has r and s one behind the other, keys verify them in DER."""
    half = len(value) // 2
    if len(value) % 2 or not half:
        return b""
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
