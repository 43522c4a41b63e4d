"""NuGet packages: the author's or repository's signature over the whole archive, and a repository's counter-signature.

The signature is the member `.signature.p7s`. It signs a small text that holds the digest of the package as it was without it: all local
records but its own, the central directory without its record and with the offsets that then hold, and the end record likewise.

Sources: NuGet docs, "Signed packages" and "Package signature technical details" (NuGet/Home wiki); APPNOTE.TXT 6.3.10; RFC 5652, RFC 5126
(commitment types), RFC 5035 (signing certificate). Not modelled: revocation, and trust in roots, which is the requirement's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from csv_gate.errors import ArtifactError, FormatError, LimitError
from csv_gate.formats.packages import PackageReading
from csv_gate.formats.packages.nuget_digest import ALGORITHMS, END, package_digest, signed_digest
from csv_gate.formats.packages.xml_elements import elements
from csv_gate.formats.packages.zip_members import STORED, Listing, read_listing
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.formats.zip_directory import Entry
from csv_gate.model.facts import PackageFacts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures import oids
from csv_gate.signatures.cms import SignedData, SignerInfo, read_signed_data, read_signer
from csv_gate.signatures.der import Source
from csv_gate.signatures.judgement import Judgement, judge_signer, trailing_problems, unique
from csv_gate.signatures.timestamp import CADES_STAMPS, names_certificate

SIGNATURE_NAME: Final = ".signature.p7s"
MAX_SIGNATURE_BYTES: Final = 1024 * 1024
_MIN_RSA_BITS: Final = 2048
_SERVICE_INDEX: Final = "1.3.6.1.4.1.311.84.2.1.1.1"
"""nuget-v3-service-index-url, which a repository must state."""
_IA5_STRING: Final = 0x16
_ROLES: Final = {oids.PROOF_OF_ORIGIN: "author", oids.PROOF_OF_RECEIPT: "repository"}
_FATAL_IN_ARCHIVE: Final = "the archive is not laid out as a signed package must be"


@dataclass(slots=True)
class _Verdict:
    """Problems that make a signature invalid, beside those of CMS."""

    problems: list[Problem]

    def refuse(self, detail: str, code: ProblemCode = ProblemCode.PACKAGE_SIGNATURE_RULE) -> None:
        self.problems.append(Problem(code=code, detail=detail))


@dataclass(frozen=True, slots=True)
class _Compared:
    """The digest that the text states, and whether the package has it."""

    algorithm: str | None = None
    digest: str | None = None
    holds: bool = False


_NOTHING: Final = _Compared()


def read_nuget(data: memoryview, settings: ExtractionSettings) -> PackageReading:
    """Facts of a package. See `PackageReader`."""
    listing = read_listing(data, settings.limits)
    try:
        package = _read_nuspec(listing)
    except ArtifactError:
        package = PackageFacts()  # a package without a readable manifest may be signed all the same
    signatures: tuple[SignatureFacts, ...] = ()
    found = listing.named(SIGNATURE_NAME)
    if found:
        signatures = tuple(_read_signatures(listing, found, settings))
    return PackageReading(package=package, signatures=signatures)


def _read_nuspec(listing: Listing) -> PackageFacts:
    manifests = [one for one in listing.entries if one.name.lower().endswith(".nuspec") and "/" not in one.name]
    if len(manifests) != 1:
        return PackageFacts()
    limit = listing.limits.max_text_characters
    told: dict[str, str] = {}
    for tag in elements(listing.read(manifests[0], max_bytes=listing.limits.max_package_text_bytes)):
        if len(tag.path) == 3 and tag.path[:2] == ("package", "metadata"):
            told.setdefault(tag.path[2], tag.text.strip()[:limit])
    return PackageFacts(name=told.get("id"), version=told.get("version"), publisher=told.get("authors"))


def _read_signatures(listing: Listing, found: tuple[Entry, ...], settings: ExtractionSettings) -> Iterator[SignatureFacts]:
    verdict = _Verdict([])
    entry = found[0]
    for problem in listing.problems:
        verdict.refuse(f"{_FATAL_IN_ARCHIVE}: {problem.detail}", problem.code)
    if len(found) > 1:
        verdict.refuse("there are several signature files")
    if entry.method != STORED or entry.size != entry.packed:
        verdict.refuse("the signature file is compressed, which NuGet refuses")
    if listing.directory.end != len(listing.data) - END.size - _comment_bytes(listing):
        verdict.refuse("the archive is in ZIP64 form, which NuGet does not sign")
    try:
        der = listing.read(entry, max_bytes=MAX_SIGNATURE_BYTES)
        source = Source(der, limits=settings.limits)
        message = read_signed_data(source, settings.limits)
        if message.content_type != oids.DATA or message.content is None or len(message.signers) != 1:
            raise FormatError("it is no signature of NuGet: one signer over embedded data is what it must have")
        text = message.content.octets()
    except ArtifactError as error:
        verdict.problems.insert(0, Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error)))
        yield _facts(None, None, verdict, _NOTHING, place=SIGNATURE_NAME, role=None)
        return
    verdict.problems.extend(trailing_problems(der, message.stop))
    compared = _compare(listing, entry, text, verdict)
    signer = message.signers[0]
    judgement = judge_signer(
        signer,
        message.certificates,
        text,
        source,
        content_type=oids.DATA,
        roots=settings.roots,
        limits=settings.limits,
        stamps=CADES_STAMPS,
        known_unsigned=frozenset({oids.COUNTER_SIGNATURE}),
    )
    judgement.check.problems[:0] = message.problems
    role = _role(signer, verdict)
    _check_rules(signer, judgement, role, verdict)
    facts = _facts(judgement, signer, verdict, compared, place=SIGNATURE_NAME, role=role)
    yield facts
    yield from _counter_signatures(message, signer, source, settings, facts)


def _comment_bytes(listing: Listing) -> int:
    at = listing.directory.end
    return int.from_bytes(listing.data[at + 20 : at + 22], "little") if bytes(listing.data[at : at + 4]) == b"PK\x05\x06" else 0


def _compare(listing: Listing, entry: Entry, text: bytes, verdict: _Verdict) -> _Compared:
    try:
        algorithm, signed = signed_digest(text)
        actual = package_digest(listing, entry, algorithm)
    except (FormatError, LimitError) as error:
        verdict.problems.append(Problem(code=ProblemCode.PACKAGE_SIGNATURE_RULE, detail=str(error)))
        return _NOTHING
    if actual != signed:
        verdict.problems.append(Problem(code=ProblemCode.DIGEST_MISMATCH, detail="the package is not the one that was signed"))
    return _Compared(algorithm, signed.hex(), actual == signed)


def _role(signer: SignerInfo, verdict: _Verdict) -> str | None:
    """Author or repository, by the commitment that the signer states."""
    attribute = signer.attribute(oids.COMMITMENT_TYPE)
    stated = None
    if attribute is not None:
        try:
            stated = attribute.fields().take().oid()
        except ArtifactError:
            verdict.refuse("the commitment of the signer cannot be read")
            return None
    role = _ROLES.get(stated or "")
    if role is None:
        verdict.refuse("the signature does not say whether author or repository made it")
    if role == "repository" and not _has_service_index(signer):
        verdict.refuse("the repository does not say where it is (the https address of its service index)")
    return role


def _has_service_index(signer: SignerInfo) -> bool:
    address = signer.attribute(_SERVICE_INDEX)
    return address is not None and address.tag == _IA5_STRING and address.contents.lower().startswith(b"https://")


def _check_rules(signer: SignerInfo, judgement: Judgement, role: str | None, verdict: _Verdict) -> None:
    """What NuGet asks of a signer beyond CMS."""
    certificate = judgement.certificate
    binding = signer.attribute(oids.SIGNING_CERTIFICATE_V2)
    if binding is None:
        verdict.refuse("the signature does not name its certificate (signing-certificate-v2)")
    elif certificate is not None and not names_certificate(binding, "sha256", certificate):
        verdict.refuse("the signature names another certificate than the one that made it")
    if signer.digest_algorithm not in ALGORITHMS.values():
        verdict.refuse(f"NuGet does not take the digest {signer.digest_algorithm or 'of the signature'}")
    if certificate is None:
        return
    facts = certificate.facts
    if facts.key_algorithm != "rsa" or (facts.key_bits or 0) < _MIN_RSA_BITS:
        verdict.refuse(f"NuGet takes RSA keys of at least {_MIN_RSA_BITS} bits, not {facts.key_algorithm} of {facts.key_bits}")
    if facts.tbs_algorithm not in ALGORITHMS.values():
        verdict.refuse(f"NuGet does not take certificates that are signed with {facts.signature_algorithm}")
    if facts.eku is None or oids.EKU_CODE_SIGNING not in facts.eku:
        verdict.refuse("the signing certificate is not meant for code")
    elif oids.EKU_LIFETIME_SIGNING in facts.eku:
        verdict.refuse("the signing certificate is for lifetime signing, which NuGet refuses")
    stamp = judgement.timestamp
    if stamp is not None and not stamp.valid:
        verdict.refuse(f"the {role or ''} signature has a time stamp that does not hold")


def _counter_signatures(
    message: SignedData, primary: SignerInfo, source: Source, settings: ExtractionSettings, author: SignatureFacts
) -> Iterator[SignatureFacts]:
    """A repository's signature over the author's: it covers the octets of that signature, and the package only by that signature. With
    one that does not hold it says nothing: the octets may have been taken from another package."""
    values = [value for one in primary.unsigned if one.oid == oids.COUNTER_SIGNATURE for value in one.values]
    for number, value in enumerate(values[: settings.limits.max_nested_signatures]):
        verdict, place = _Verdict([]), f"{SIGNATURE_NAME}.{number}"
        if len(values) > 1:
            verdict.refuse("there are several counter-signatures")
        if not author.valid:
            verdict.refuse("the signature that it counter-signs does not hold")
        if author.role == "repository":
            verdict.refuse("the signature of a repository cannot be counter-signed")
        try:
            signer = read_signer(value)
        except ArtifactError as error:
            verdict.problems.append(Problem(code=ProblemCode.CMS_MALFORMED, detail=str(error)))
            yield _facts(None, None, verdict, _NOTHING, place=place, role="repository")
            continue
        judgement = judge_signer(
            signer,
            message.certificates,
            primary.signature,
            source,
            content_type=oids.DATA,
            roots=settings.roots,
            limits=settings.limits,
            stamps=CADES_STAMPS,
            is_countersignature=True,
        )
        role = _role(signer, verdict)
        if role == "author":
            verdict.refuse("an author cannot counter-sign")
        _check_rules(signer, judgement, role, verdict)
        yield _facts(judgement, signer, verdict, _Compared(holds=author.digest_matches is True), place=place, role=role)


def _facts(
    judgement: Judgement | None,
    signer: SignerInfo | None,
    verdict: _Verdict,
    compared: _Compared,
    *,
    place: str,
    role: str | None,
) -> SignatureFacts:
    check = judgement.check if judgement is not None else None
    # A signer that is named by its key has version 3 (RFC 5652, 5.3), as NuGet's have; only Authenticode wants 1.
    told = [one for one in check.problems if one.code is not ProblemCode.CMS_SIGNER_VERSION] if check is not None else []
    return SignatureFacts(
        scheme=SignatureScheme.NUGET,
        source=SignatureSource.EMBEDDED,
        place=place,
        role=role,
        digest_algorithm=compared.algorithm or (signer.digest_algorithm if signer is not None else None),
        signed_digest=compared.digest,
        digest_matches=compared.holds if judgement is not None else None,
        valid=check is not None and check.is_sound and compared.holds and not verdict.problems,
        problems=unique([*verdict.problems, *told]),
        signer=judgement.signer if judgement is not None else None,
        chain=judgement.chain_facts if judgement is not None else None,
        timestamp=judgement.timestamp if judgement is not None else None,
    )
