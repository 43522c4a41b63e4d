"""Security catalogs: one signature over a list of file digests (a certificate trust list in CMS, [MS-CAESO] and the WDK's catalog pages).

A member has a tag by which Windows looks it up (version 1: the digest in upper-case hex, UTF-16; version 2: the digest itself) and an
SpcIndirectData attribute that says which digest of which algorithm it is. The digest here comes from the attribute, and a member whose
tag says something else is dropped with a problem: neither alone decides. Microsoft's own version 2 catalogs list each file twice, the
second time by a bare SHA-1 tag without the attribute; those second entries are passed over.

Not modelled: name-value attributes (operating systems, hardware ids), member page hashes, and whether a target has the catalog
installed: that is context.
"""

from __future__ import annotations

import hashlib
from typing import Final

from csv_gate.errors import FormatError, LimitError, Place
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.signatures import oids
from csv_gate.signatures.catalog import Catalog, CatalogMember
from csv_gate.signatures.cms import Check, read_signed_data
from csv_gate.signatures.der import GENERALIZED_TIME, INTEGER, OCTET_STRING, SEQUENCE, SET, UTC_TIME, Element, Source
from csv_gate.signatures.indirect import IndirectData, read_indirect_data
from csv_gate.signatures.judgement import judge, trailing_problems, unique
from csv_gate.signatures.roots import Roots

NODES_PER_MEMBER: Final = 64
"""Elements looked at for one member; real ones need about fifteen."""
MAX_TOLD_MEMBERS: Final = 8
"""Broken members that get a problem of their own."""
MAX_MEMBER_ATTRIBUTES: Final = 64


def read_catalog(
    data: bytes | memoryview, *, path: str, roots: Roots | None = None, limits: Limits = DEFAULT_LIMITS
) -> Catalog:
    """Read a catalog and judge its signature. A signature that is wrong is a fact; octets that are no catalog are an error.

    Raises:
        FormatError: this is not a catalog.
        LimitError: it is larger than `limits` allow.
    """
    octets = bytes(data)
    if len(octets) > limits.max_catalog_bytes:
        raise LimitError("a catalog is too large", place=Place(path=path), expected="limits.max_catalog_bytes")
    nodes = min(limits.max_catalog_members * NODES_PER_MEMBER, len(octets) + NODES_PER_MEMBER)
    source = Source(octets, limits=limits, max_nodes=nodes)
    try:
        signed = read_signed_data(source, limits)
        if signed.content_type != oids.CERT_TRUST_LIST or signed.content is None:
            raise FormatError("this is not a security catalog", got=f"content type {signed.content_type}")
        content = signed.content.expect(SEQUENCE)
        version, members, problems = _read_list(content, limits)
        judgement = judge(signed, content.contents, source, roots=roots or Roots.known(), limits=limits)
    except (FormatError, LimitError) as error:
        raise type(error)(
            error.title, place=Place(path=path), got=error.got, expected=error.expected, help=error.help
        ) from None
    check = judgement.check
    if source.not_der:
        check.add(ProblemCode.CMS_NOT_DER, "the catalog is encoded in BER, not in DER")
    check.problems.extend(trailing_problems(octets, signed.stop))
    sha256 = hashlib.sha256(octets).hexdigest()
    signature = SignatureFacts(
        source=SignatureSource.CATALOG,
        place=path,
        # Of the catalog itself; of what it lists each member has its own.
        digest_algorithm=judgement.signer_info.digest_algorithm if judgement.signer_info else None,
        signed_digest=None,
        digest_matches=None,
        valid=check.is_sound,
        problems=unique(check.problems),
        signer=judgement.signer,
        chain=judgement.chain_facts,
        timestamp=judgement.timestamp,
        catalog_sha256=sha256,
    )
    return Catalog(
        path=path,
        sha256=sha256,
        version=version,
        signature=signature,
        members=members,
        problems=unique(problems),
    )


def _read_list(content: Element, limits: Limits) -> tuple[int | None, dict[tuple[str, bytes], CatalogMember], list[Problem]]:
    """The CTL: usage, identifier, times, kind of members, members."""
    fields = content.fields()
    fields.optional(INTEGER)
    if [usage.oid() for usage in fields.take(SEQUENCE).children(most=8)] != [oids.CATALOG_LIST]:
        raise FormatError("this trust list is not a catalog")
    fields.optional(OCTET_STRING)
    fields.optional(INTEGER)
    fields.take(UTC_TIME, GENERALIZED_TIME)
    fields.optional(UTC_TIME, GENERALIZED_TIME)
    kind = fields.take(SEQUENCE).fields().take().oid()
    version = {oids.CATALOG_MEMBER_V1: 1, oids.CATALOG_MEMBER_V2: 2}.get(kind)
    entries = fields.optional(SEQUENCE)
    members: dict[tuple[str, bytes], CatalogMember] = {}
    check, broken = Check(), 0
    for entry in entries.children(most=limits.max_catalog_members) if entries is not None else ():
        try:
            member = _read_member(entry, version)
        except FormatError as error:
            broken += 1
            if broken <= MAX_TOLD_MEMBERS:
                check.add(ProblemCode.CATALOG_MEMBER_MALFORMED, str(error))
        else:
            if member is not None:
                members[member.algorithm, member.digest] = member
    if broken > MAX_TOLD_MEMBERS:
        check.add(ProblemCode.CATALOG_MEMBER_MALFORMED, f"{broken} members in all cannot be used")
    return version, members, check.problems


def _read_member(entry: Element, version: int | None) -> CatalogMember | None:
    """One member; None for an entry that is only a tag."""
    fields = entry.fields()
    tag, attributes = fields.take(OCTET_STRING).contents, fields.take(SET)
    fields.finish()
    indirect = _indirect_data(attributes)
    if indirect is None:
        return None
    digest, algorithm = indirect.digest, indirect.digest_algorithm
    if algorithm is None or len(digest) != hashlib.new(algorithm).digest_size:
        raise FormatError("a member's digest is of an unknown algorithm or of the wrong length", got=digest.hex()[:128])
    if tag != (_hex_tag(digest) if version == 1 else digest):
        raise FormatError("a member is listed under another name than its digest", got=tag.hex()[:256], expected=digest.hex())
    if indirect.data_type not in oids.USUAL_DATA_TYPES:
        raise FormatError("a member is of an unknown kind", got=indirect.data_type)
    return CatalogMember(algorithm=algorithm, digest=digest, is_flat=indirect.data_type == oids.SPC_LINK)


def _hex_tag(digest: bytes) -> bytes:
    """How version 1 writes a digest, with the NUL that ends it."""
    return (digest.hex().upper() + "\0").encode("utf-16-le")


def _indirect_data(attributes: Element) -> IndirectData | None:
    found: IndirectData | None = None
    for attribute in attributes.children(most=MAX_MEMBER_ATTRIBUTES):
        fields = attribute.fields()
        if fields.take().oid() == oids.SPC_INDIRECT_DATA:
            if found is not None:
                raise FormatError("a member has two digests")
            found = read_indirect_data(fields.take(SET).only(SEQUENCE))
    return found
