"""Digital signatures of Open Packaging Conventions: an XML signature over a list of parts with their digests and content types.

Source: ECMA-376 part 2, clause 13. `_rels/.rels` leads to an origin part, that to signatures. A signature covers one object that holds the
list; each entry names a part by a URI whose query is its content type. Parts of relationships may be signed in part, by a transform that
keeps some of them. `[Content_Types].xml` is never signed: the content types in the list stand for it, and one that differs breaks the
signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.packages.opc import (
    CONTENT_TYPES,
    RELATIONSHIP_TRANSFORM,
    SIGNATURE_NAMESPACE,
    SIGNATURE_RELATIONSHIPS,
    Package,
    is_relationships,
    part_key,
    relationships_key,
    selected_relationships,
)
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource, TimestampFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, field
from csv_gate.signatures.certificate import Certificate, read_certificate
from csv_gate.signatures.cms import Check
from csv_gate.signatures.judgement import unique
from csv_gate.signatures.keys import WEAK_DIGESTS
from csv_gate.signatures.timestamp import Target, read_token
from csv_gate.signatures.xml_canonical import FORMS, canonical
from csv_gate.signatures.xml_signature import (
    NOT_HOLDING,
    XMLDSIG,
    Reference,
    XmlSignature,
    decoded,
    judge_xml_signature,
    note_weak,
    read_reference,
    read_xml_signature,
)
from csv_gate.signatures.xml_tree import Element, read_document

SIGNATURE_ENDING: Final = ".psdsxs"
_ORIGIN: Final = SIGNATURE_RELATIONSHIPS + "origin"
_SIGNATURE: Final = SIGNATURE_RELATIONSHIPS + "signature"
_CERTIFICATE: Final = SIGNATURE_RELATIONSHIPS + "certificate"
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class OpcSignature:
    """One signature, and the parts that it covers."""

    facts: SignatureFacts
    covered: frozenset[str] = frozenset()


@dataclass(slots=True)
class OpcSignatures:
    """All signatures of a package."""

    found: list[OpcSignature] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    """Parts that belong to signatures and need none themselves."""

    def uncovered(self, package: Package) -> list[str]:
        """Names of the parts that no signature reaches. Where one is valid, only valid ones count."""
        counting = [one for one in self.found if one.facts.valid] or self.found
        covered = frozenset[str]().union(*(one.covered for one in counting))
        return [package.parts[key].name for key in payload(package, self.own) if key not in covered]


def payload(package: Package, own: set[str]) -> Iterator[str]:
    """The parts that a signature should cover."""
    return (key for key in package.parts if key != CONTENT_TYPES and key not in own)


def read_opc_signatures(package: Package, settings: ExtractionSettings) -> OpcSignatures:
    """All signatures that the package leads to, and those that lie in it without a way to them.

    Raises:
        FormatError: the way to them is damaged.
        LimitError: a part is too large, or all together unpack to too much.
    """
    result = OpcSignatures()
    signatures: list[str] = []
    for origin in package.targets("", _ORIGIN):
        result.own |= {origin, relationships_key(origin)}
        signatures.extend(package.targets(origin, _SIGNATURE))
    signatures = list(dict.fromkeys(signatures))
    certificates = {key: package.targets(key, _CERTIFICATE) for key in signatures}
    for key in signatures:
        result.own |= {key, relationships_key(key), *certificates[key]}
    for key in signatures:
        if key in package.parts:
            result.found.append(_Reader(package, settings, result.own, key, certificates[key]).read())
        else:
            result.found.append(_unreadable(key, _rule("the package leads to a signature that is not there")))
    for key, entry in package.parts.items():
        if key.endswith(SIGNATURE_ENDING) and key not in signatures:
            result.found.append(_unreadable(entry.name, _rule("nothing in the package leads to this signature")))
    return result


@dataclass(slots=True)
class _Reader:
    """Judges one signature."""

    package: Package
    settings: ExtractionSettings
    own: set[str]
    key: str
    certificate_parts: tuple[str, ...]
    check: Check = field(default_factory=Check)
    covered: set[str] = field(default_factory=set)
    partly: list[str] = field(default_factory=list)
    """Parts of relationships of which some are not signed."""
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def read(self) -> OpcSignature:
        place = self.package.parts[self.key].name
        limits, roots = self.settings.limits, self.settings.roots
        try:
            signature = read_xml_signature(self.package.read(self.key), limits)
            judgement = judge_xml_signature(signature, self._certificates(), roots=roots, limits=limits)
        except FormatError as error:
            return _unreadable(place, Problem(code=ProblemCode.XML_SIGNATURE_MALFORMED, detail=str(error)))
        judgement.check.problems.extend(self.check.problems)
        self.check = judgement.check
        signed = signature.references[0]
        try:
            self._compare_parts([one for found in judgement.objects for one in found.elements("Manifest", XMLDSIG)])
        except FormatError as error:
            self._note(str(error))
        self._tell()
        stamp = self._timestamp(signature)
        is_right = not any(one.code in NOT_HOLDING for one in self.check.problems)
        is_other = any(
            one.code in (ProblemCode.DIGEST_MISMATCH, ProblemCode.PACKAGE_MEMBER_MISSING) for one in self.check.problems
        )
        facts = SignatureFacts(
            scheme=SignatureScheme.OPC,
            source=SignatureSource.EMBEDDED,
            place=place,
            digest_algorithm=signed.algorithm,
            signed_digest=signed.digest.hex(),
            digest_matches=not is_other if self.covered or is_other else None,
            valid=is_right and bool(self.covered) and not self.package.problems,
            problems=unique([*self.package.problems, *self.check.problems]),
            signer=self.check.certificate.facts if self.check.certificate is not None else None,
            chain=judgement.chain.facts if judgement.chain is not None else None,
            timestamp=stamp,
        )
        return OpcSignature(facts, frozenset(self.covered))

    def _certificates(self) -> Iterator[Certificate]:
        """Those in parts of their own."""
        for key in self.certificate_parts[: self.settings.limits.max_certificates]:
            if key in self.package.parts:
                try:
                    yield read_certificate(self.package.read(key))
                except ArtifactError as error:
                    detail = f"{key[:200]!r}: {error}"
                    self.check.add(ProblemCode.CMS_CERTIFICATE_MALFORMED, detail)

    def _compare_parts(self, manifests: list[Element]) -> None:
        """Compare every part that the list names.

        Raises:
            FormatError: the list does not add up.
            LimitError: the parts unpack to too much.
        """
        if len(manifests) != 1:
            raise FormatError("the signature does not cover exactly one list of parts", got=str(len(manifests)))
        seen: set[str] = set()
        for element in manifests[0].elements("Reference"):
            reference = read_reference(element)
            name, _, query = reference.uri.partition("?")
            if not name.startswith("/"):
                raise FormatError("the list of parts refers to something else than a part", got=name[:100])
            key = part_key(name)
            if key in seen:
                raise FormatError("the list of parts names a part twice", got=name[:100])
            seen.add(key)
            self._compare(key, query, reference)
        if not seen:
            raise FormatError("the list of parts is empty")

    def _compare(self, key: str, query: str, reference: Reference) -> None:
        label, _, stated = query.partition("=")
        if key not in self.package.parts:
            self.missing.append(key)
            return
        told = self.package.content_type(key)
        if label != "ContentType" or told is None or unquote(stated).lower() != told.lower():
            self._note(f"the content type of {key[:200]!r} is not the one that was signed")
        if reference.algorithm is None:
            self._note(f"the digest of {key[:200]!r} is by an algorithm that is not computed")
            return
        if reference.algorithm in WEAK_DIGESTS:
            note_weak(self.check, reference.algorithm)
        try:
            digest = self._digest(key, reference)
        except FormatError as error:
            self.wrong.append(key)
            self._note(str(error))
            return
        self.covered.add(key)
        if digest != reference.digest:
            self.wrong.append(key)

    def _digest(self, key: str, reference: Reference) -> bytes:
        """The digest of a part after its transforms."""
        assert reference.algorithm is not None
        hasher = hashlib.new(reference.algorithm, usedforsecurity=False)
        if not reference.transforms:
            for chunk in self.package.listing.chunks(self.package.parts[key]):
                hasher.update(chunk)
            return hasher.digest()
        first, last = reference.transforms[0], reference.transforms[-1]
        form = last.get("Algorithm") or ""
        if first.get("Algorithm") == RELATIONSHIP_TRANSFORM and len(reference.transforms) <= 2 and is_relationships(key):
            if len(reference.transforms) == 2 and form not in FORMS:
                raise FormatError("a part has a transform that is not taken", got=form[:100])
            octets, left_out = selected_relationships(self.package.read(key), first)
            if any(not one.type.startswith(SIGNATURE_RELATIONSHIPS) for one in left_out):
                self.partly.append(key)
        elif len(reference.transforms) == 1 and form in FORMS and not any(first.elements()):
            document = read_document(self.package.read(key))
            if document.has_outside:
                raise FormatError(
                    f"{key[:200]!r} has comments or instructions around its root, which is not read in canonical form"
                )
            octets = canonical(document.root, form)
        else:
            raise FormatError("a part has transforms that are not taken", got=(first.get("Algorithm") or "")[:100])
        hasher.update(octets)
        return hasher.digest()

    def _tell(self) -> None:
        self.covered.difference_update(self.partly)
        if self.wrong:
            self.check.add(ProblemCode.DIGEST_MISMATCH, f"parts are not what was signed: {self._names(self.wrong)}")
        if self.missing:
            self.check.add(
                ProblemCode.PACKAGE_MEMBER_MISSING, f"parts that were signed are not there: {self._names(self.missing)}"
            )
        if self.partly:
            detail = f"relationships that this signature does not cover stand in {self._names(self.partly)}"
            self.check.add(ProblemCode.PACKAGE_MEMBER_UNSIGNED, detail)
        known = {*self.covered, *self.partly}
        left_out = [key for key in payload(self.package, self.own) if key not in known]
        if left_out:
            self.check.add(
                ProblemCode.PACKAGE_MEMBER_UNSIGNED, f"parts that this signature does not cover: {self._names(left_out)}"
            )

    def _timestamp(self, signature: XmlSignature) -> TimestampFacts | None:
        """Visual Studio's: a token over the signature's value in an object that is not signed."""
        tokens = [
            encoded.text
            for found in signature.root.elements("Object")
            for stamp in found.elements("TimeStamp", SIGNATURE_NAMESPACE)
            for encoded in stamp.elements("EncodedTime")
        ]
        if not tokens:
            return None
        if len(tokens) > 1:
            self.check.add(ProblemCode.TIMESTAMPS_SEVERAL, f"{len(tokens)} time stamps; the first one counts")
        try:
            octets = decoded(tokens[0])
        except FormatError:
            octets = b""
        target = Target(
            signature=signature.value,
            signer=self.check.certificate,
            certificates=signature.certificates,
            roots=self.settings.roots,
            limits=self.settings.limits,
        )
        return read_token(octets, target)

    def _names(self, keys: list[str]) -> str:
        names = [self.package.parts[key].name if key in self.package.parts else key for key in keys]
        shown = ", ".join(repr(name[:200]) for name in names[:_SHOWN])
        return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"

    def _note(self, detail: str) -> None:
        self.check.problems.append(_rule(detail))


def _unreadable(place: str, problem: Problem) -> OpcSignature:
    facts = SignatureFacts(
        scheme=SignatureScheme.OPC,
        source=SignatureSource.EMBEDDED,
        place=place,
        digest_algorithm=None,
        signed_digest=None,
        digest_matches=None,
        valid=False,
        problems=(problem,),
    )
    return OpcSignature(facts)


def _rule(detail: str) -> Problem:
    return Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=detail)
