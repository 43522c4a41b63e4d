"""File rule levels: from the facts of one artifact to the rules that trust it at that level.

The names and what they are made of are those of New-CIPolicy: App Control docs, "Understand App Control policy rules and file rules",
table of file rule levels. Where the documentation speaks of the leaf's name for the WHQL levels, real policies hold the programme name
of the signature (CertOemID), since the leaf of every such signature is Microsoft's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from types import MappingProxyType

from csv_gate.errors import Place
from csv_gate.lazy import regex
from csv_gate.model.appcontrol import (
    CertRoot,
    Eku,
    EkuCondition,
    FileRule,
    FileRuleKind,
    RootKind,
    Signer,
    VersionBounds,
    version_number,
)
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainFacts, Facts, SignatureFacts
from csv_gate.policies.object_identifier import value_from_oid
from csv_gate.records import dataclass
from csv_gate.suggesting.names import content_id, is_writable, shown

WHQL_OID = "1.3.6.1.4.1.311.10.3.5"
PLACE = Place(path="suggested policy")
ANY_FILE = "*"
_WILDCARDS = regex(r"[*?]")


class Level(StrEnum):
    """How much a suggested rule trusts, by the names of New-CIPolicy."""

    HASH = "Hash"
    FILE_NAME = "FileName"
    FILE_PATH = "FilePath"
    SIGNED_VERSION = "SignedVersion"
    PUBLISHER = "Publisher"
    FILE_PUBLISHER = "FilePublisher"
    LEAF_CERTIFICATE = "LeafCertificate"
    PCA_CERTIFICATE = "PcaCertificate"
    WHQL = "WHQL"
    WHQL_PUBLISHER = "WHQLPublisher"
    WHQL_FILE_PUBLISHER = "WHQLFilePublisher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Rules that belong together: allow rules, or a signer with its file attribute."""

    rules: tuple[FileRule, ...] = ()
    signer: Signer | None = None
    attribute: FileRule | None = None


class Unavailable(Exception):  # noqa: N818, an answer
    """The facts do not carry a rule of this level; the message says why. Never leaves this room."""


def proposals(level: Level, facts: Facts, context: AppControlContext, path: str) -> Iterator[Proposal]:
    """The rules of a level for one artifact, one proposal for each of its signatures where the level trusts a signer.

    Raises:
        Unavailable: there can be no such rule for this artifact, or for one of its signatures (after those that there are).
    """
    if level in _BY_FILE:
        yield _BY_FILE[level](facts, context, path)
        return
    make = _BY_SIGNER[level]
    holding = _holding(facts)
    attribute = _ATTRIBUTES[level](facts) if level in _ATTRIBUTES else None
    refused: Unavailable | None = None
    for signature in holding:
        try:
            signer = make(signature, attribute)
        except Unavailable as unavailable:
            refused = refused or unavailable
            continue
        yield Proposal(signer=signer, attribute=attribute)
    if refused is not None:
        raise refused


def _holding(facts: Facts) -> tuple[SignatureFacts, ...]:
    if not facts.signatures:
        raise Unavailable("it carries no signature")
    holding = tuple(one for one in facts.signatures if one.valid and one.chain is not None and one.signer is not None)
    if not holding:
        problem = next((problem.detail for one in facts.signatures for problem in one.problems), "it is not valid")
        raise Unavailable(f"its signature does not hold ({shown(problem)})")
    return holding


# --- rules by the file itself -----------------------------------------------------------------------------------------


def _hashes(facts: Facts, context: AppControlContext, path: str) -> Proposal:
    """Every digest that App Control may compare: of the image and of its first page, each by SHA-1 and SHA-256."""
    del context
    digests = facts.digests
    if digests is None:
        raise Unavailable("its digests are not known")
    values = [
        ("Hash Sha1", digests.authenticode_sha1),
        ("Hash Sha256", digests.authenticode_sha256),
        ("Hash Page Sha1", digests.page_sha1),
        ("Hash Page Sha256", digests.page_sha256),
        ("Hash Padded Sha1", digests.padded_authenticode_sha1),
        ("Hash Padded Sha256", digests.padded_authenticode_sha256),
    ]
    if digests.authenticode_sha256 is None:
        values = [("Hash Flat Sha1", digests.sha1), ("Hash Flat Sha256", digests.sha256)]
    return Proposal(
        rules=tuple(
            _rule(FileRuleKind.ALLOW, hash=bytes.fromhex(value), friendly_name=f"{shown(path)} {label}")
            for label, value in values
            if value is not None
        )
    )


def _file_name(facts: Facts, context: AppControlContext, path: str) -> Proposal:
    del context
    name, version = _original_name(facts), _version(facts)
    friendly = f"{shown(path)} FileName"
    return Proposal(rules=(_rule(FileRuleKind.ALLOW, file_name=name, minimum=version or 0, friendly_name=friendly),))


def _file_path(facts: Facts, context: AppControlContext, path: str) -> Proposal:
    del facts
    place = context.install_path
    if place is None:
        raise Unavailable("where it lies on the target was not told (`install_paths` of the target)")
    if _WILDCARDS.search(place) or not is_writable(place):
        raise Unavailable(f"its path on the target cannot stand in a rule: {shown(place)}")
    return Proposal(rules=(_rule(FileRuleKind.ALLOW, file_path=place, friendly_name=f"{shown(path)} FilePath"),))


_BY_FILE: MappingProxyType[Level, Callable[[Facts, AppControlContext, str], Proposal]] = MappingProxyType(
    {Level.HASH: _hashes, Level.FILE_NAME: _file_name, Level.FILE_PATH: _file_path}
)


# --- rules by signer --------------------------------------------------------------------------------------------------


def _publisher(signature: SignatureFacts, attribute: FileRule | None) -> Signer:
    assert signature.signer is not None
    return _signer(_pca(signature), attribute, publisher=_needed(signature.signer.subject_cn, "its signer has no common name"))


def _leaf(signature: SignatureFacts, attribute: FileRule | None) -> Signer:
    assert signature.signer is not None
    return _signer(signature.signer, attribute)


def _pca_alone(signature: SignatureFacts, attribute: FileRule | None) -> Signer:
    return _signer(_pca(signature), attribute)


def _whql(signature: SignatureFacts, attribute: FileRule | None) -> Signer:
    return _signer(_pca(signature), attribute, eku=_whql_eku(signature))


def _whql_publisher(signature: SignatureFacts, attribute: FileRule | None) -> Signer:
    eku = _whql_eku(signature)
    oem = _needed(signature.program_name, "its signature has no programme name")
    return _signer(_pca(signature), attribute, eku=eku, oem_id=oem)


_BY_SIGNER: MappingProxyType[Level, Callable[[SignatureFacts, FileRule | None], Signer]] = MappingProxyType(
    {
        Level.SIGNED_VERSION: _publisher,
        Level.PUBLISHER: _publisher,
        Level.FILE_PUBLISHER: _publisher,
        Level.LEAF_CERTIFICATE: _leaf,
        Level.PCA_CERTIFICATE: _pca_alone,
        Level.WHQL: _whql,
        Level.WHQL_PUBLISHER: _whql_publisher,
        Level.WHQL_FILE_PUBLISHER: _whql_publisher,
    }
)


def _named_attribute(facts: Facts) -> FileRule:
    return _rule(FileRuleKind.ATTRIBUTE, file_name=_original_name(facts), minimum=_version(facts) or 0)


def _versioned_attribute(facts: Facts) -> FileRule:
    version = _version(facts)
    if version is None:
        raise Unavailable("it has no file version")
    return _rule(FileRuleKind.ATTRIBUTE, file_name=ANY_FILE, minimum=version)


_ATTRIBUTES: MappingProxyType[Level, Callable[[Facts], FileRule]] = MappingProxyType(
    {
        Level.FILE_PUBLISHER: _named_attribute,
        Level.WHQL_FILE_PUBLISHER: _named_attribute,
        Level.SIGNED_VERSION: _versioned_attribute,
    }
)


def _pca(signature: SignatureFacts) -> CertificateFacts:
    """The highest certificate that came along below the root, as a scan finds it that looks into no root store."""
    assert signature.chain is not None
    return _below_root(signature.chain)


def _below_root(chain: ChainFacts) -> CertificateFacts:
    top = chain.certificates[-1]
    return chain.certificates[-2] if top.is_self_issued and len(chain.certificates) > 1 else top


def _whql_eku(signature: SignatureFacts) -> Eku:
    if signature.signer is None or WHQL_OID not in (signature.signer.eku or ()):
        raise Unavailable("it carries no WHQL signature")
    value = value_from_oid(WHQL_OID)
    assert value is not None
    return Eku(id="ID_EKU_WHQL", place=PLACE, oid=WHQL_OID, value=value, friendly_name="Windows Hardware Driver Verification")


def _signer(
    root: CertificateFacts,
    attribute: FileRule | None,
    *,
    publisher: str | None = None,
    oem_id: str | None = None,
    eku: Eku | None = None,
) -> Signer:
    digest = root.tbs.get(root.tbs_algorithm or "")
    if digest is None:
        raise Unavailable(f"the certificate {shown(root.subject_cn or root.subject)} is signed in an unknown way")
    identity = content_id("ID_SIGNER_S_", digest, publisher, oem_id, eku and eku.oid, attribute is not None)
    return Signer(
        id=identity,
        place=PLACE,
        name=shown(root.subject_cn or root.subject),
        root=CertRoot(kind=RootKind.TBS, value=bytes.fromhex(digest)),
        ekus=() if eku is None else (EkuCondition(eku=eku),),
        publisher=publisher,
        oem_id=oem_id,
        file_attributes=() if attribute is None else (attribute.id,),
    )


# --- parts ------------------------------------------------------------------------------------------------------------


def _original_name(facts: Facts) -> str:
    name = _needed(facts.version.original_filename if facts.version else None, "it has no OriginalFilename")
    if _WILDCARDS.search(name):
        raise Unavailable(f"its OriginalFilename holds a wildcard, which would allow other files: {shown(name)}")
    return name


def _version(facts: Facts) -> int | None:
    if facts.version is None or facts.version.file_version is None:
        return None
    return version_number(facts.version.file_version)


def _needed(text: str | None, why: str) -> str:
    if not text:
        raise Unavailable(why)
    if not is_writable(text):
        raise Unavailable(f"a name has characters that XML cannot hold: {shown(text)}")
    return text


def _rule(
    kind: FileRuleKind,
    *,
    hash: bytes | None = None,
    file_name: str | None = None,
    file_path: str | None = None,
    minimum: int = 0,
    friendly_name: str | None = None,
) -> FileRule:
    prefix = "ID_ALLOW_A_" if kind is FileRuleKind.ALLOW else "ID_FILEATTRIB_F_"
    return FileRule(
        id=content_id(prefix, hash and hash.hex(), file_name, file_path, minimum),
        kind=kind,
        place=PLACE,
        friendly_name=friendly_name,
        hash=hash,
        file_name=file_name,
        file_path=file_path,
        versions=VersionBounds(minimum=minimum, maximum=0),
    )
