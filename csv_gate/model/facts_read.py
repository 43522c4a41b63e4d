"""Facts out of their JSON form, strictly: the way back of `result_json.facts_json`."""

from __future__ import annotations

from csv_gate.model.facts import (
    CabinetFacts,
    CertificateFacts,
    ChainEnd,
    ChainFacts,
    CompoundFacts,
    Digests,
    ElfFacts,
    FactName,
    Facts,
    Gap,
    KeyFacts,
    ModuleSignatureFacts,
    PackageFacts,
    PageHashFacts,
    PeFacts,
    ScriptFacts,
    SignatureFacts,
    SignatureScheme,
    SignatureSource,
    TimestampFacts,
    TimestampKind,
    VersionFacts,
)
from csv_gate.model.json_node import Node
from csv_gate.model.problems import Problem, ProblemCode


def read_facts(node: Node) -> Facts:
    """The facts of one row of `artifacts`, which stand partly in the row itself.

    Raises:
        UsageError: a value of the wrong kind.
    """
    inner = node.at("facts")
    return Facts(
        format=node.at("format").text(),
        size=node.at("size").number(),
        digests=inner.at("digests").maybe(_digests),
        pe=inner.at("pe").maybe(_pe),
        script=inner.find("script").maybe(_script),
        compound=inner.find("compound").maybe(_compound),
        cabinet=inner.find("cabinet").maybe(_cabinet),
        elf=inner.find("elf").maybe(_elf),
        package=inner.find("package").maybe(_package),
        version=inner.at("version").maybe(_version),
        signatures=inner.at("signatures").each(_signature),
        problems=inner.at("problems").each(_problem),
        gaps=node.at("gaps").each(lambda gap: Gap(what=gap.at("what").one_of(FactName), why=gap.at("why").text())),
    )


def _digests(node: Node) -> Digests:
    return Digests(
        sha256=node.at("sha256").text(),
        sha1=node.find("sha1").maybe(Node.text),
        authenticode_sha1=node.at("authenticode_sha1").maybe(Node.text),
        authenticode_sha256=node.at("authenticode_sha256").maybe(Node.text),
        page_sha1=node.at("page_sha1").maybe(Node.text),
        page_sha256=node.at("page_sha256").maybe(Node.text),
        padded_authenticode_sha1=node.find("padded_authenticode_sha1").maybe(Node.text),
        padded_authenticode_sha256=node.find("padded_authenticode_sha256").maybe(Node.text),
    )


def _pe(node: Node) -> PeFacts:
    return PeFacts(
        machine=node.at("machine").text(),
        is_dll=node.at("is_dll").flag(),
        is_driver=node.at("is_driver").flag(),
        is_dotnet=node.at("is_dotnet").flag(),
        is_efi=node.at("is_efi").flag(),
        subsystem=node.at("subsystem").text(),
        imports_kernel=node.at("imports_kernel").maybe(Node.flag),
        force_integrity=node.at("force_integrity").flag(),
        overlay_bytes=node.at("overlay_bytes").number(),
    )


def _script(node: Node) -> ScriptFacts:
    return ScriptFacts(
        encoding=node.at("encoding").text(),
        has_bom=node.at("has_bom").flag(),
        line_ends=node.at("line_ends").text(),
        signature_line=node.at("signature_line").maybe(Node.number),
    )


def _compound(node: Node) -> CompoundFacts:
    return CompoundFacts(
        streams=node.at("streams").number(),
        has_metadata_digest=node.at("has_metadata_digest").flag(),
        appended_bytes=node.at("appended_bytes").number(),
        unreachable_sectors=node.at("unreachable_sectors").number(),
    )


def _cabinet(node: Node) -> CabinetFacts:
    return CabinetFacts(
        files=node.at("files").number(),
        folders=node.at("folders").number(),
        reserve_bytes=node.at("reserve_bytes").number(),
        is_part=node.at("is_part").flag(),
    )


def _elf(node: Node) -> ElfFacts:
    return ElfFacts(
        type=node.at("type").text(),
        machine=node.at("machine").text(),
        bits=node.at("bits").number(),
        build_id=node.at("build_id").maybe(Node.text),
        interpreter=node.at("interpreter").maybe(Node.text),
        module_signature=node.at("module_signature").maybe(_module_signature),
    )


def _module_signature(node: Node) -> ModuleSignatureFacts:
    return ModuleSignatureFacts(
        is_well_formed=node.at("is_well_formed").flag(),
        size=node.at("size").number(),
        signer=node.at("signer").maybe(Node.text),
        digest_algorithm=node.at("digest_algorithm").maybe(Node.text),
    )


def _package(node: Node) -> PackageFacts:
    return PackageFacts(
        name=node.at("name").maybe(Node.text),
        version=node.at("version").maybe(Node.text),
        publisher=node.at("publisher").maybe(Node.text),
        architecture=node.at("architecture").maybe(Node.text),
        family_name=node.at("family_name").maybe(Node.text),
        digests_match=node.at("digests_match").maybe(Node.flag),
        uncovered=node.at("uncovered").each(Node.text),
        uncovered_count=node.at("uncovered_count").number(),
        file_signatures=node.at("file_signatures").number(),
    )


def _version(node: Node) -> VersionFacts:
    return VersionFacts(
        original_filename=node.at("original_filename").maybe(Node.text),
        internal_name=node.at("internal_name").maybe(Node.text),
        file_description=node.at("file_description").maybe(Node.text),
        product_name=node.at("product_name").maybe(Node.text),
        file_version=node.at("file_version").maybe(_four_numbers),
    )


def _four_numbers(node: Node) -> tuple[int, int, int, int]:
    parts = node.text().split(".")
    if len(parts) != 4 or not all(
        part.isascii() and part.isdigit() and len(part) <= 5 and int(part) <= 0xFFFF for part in parts
    ):
        node.refuse("four numbers up to 65535 with dots between them")
    a, b, c, d = map(int, parts)
    return a, b, c, d


def _problem(node: Node) -> Problem:
    return Problem(
        code=node.at("code").one_of(ProblemCode), detail=node.at("detail").text(), offset=node.at("offset").maybe(Node.number)
    )


def _signature(node: Node) -> SignatureFacts:
    return SignatureFacts(
        source=node.at("source").one_of(SignatureSource),
        place=node.at("place").text(),
        digest_algorithm=node.at("digest_algorithm").maybe(Node.text),
        signed_digest=node.at("signed_digest").maybe(Node.text),
        digest_matches=node.at("digest_matches").maybe(Node.flag),
        valid=node.at("valid").flag(),
        problems=node.at("problems").each(_problem),
        program_name=node.at("program_name").maybe(Node.text),
        more_info=node.at("more_info").maybe(Node.text),
        signer=node.at("signer").maybe(_certificate),
        chain=_chain(node),
        timestamp=node.at("timestamp").maybe(_timestamp),
        page_hashes=node.at("page_hashes").maybe(_page_hashes),
        catalog_sha256=node.at("catalog_sha256").maybe(Node.text),
        scheme=_scheme(node.find("scheme")),
        role=node.find("role").maybe(Node.text),
        key=node.find("key").maybe(_key),
    )


def _scheme(node: Node) -> SignatureScheme:
    return SignatureScheme.AUTHENTICODE if node.value is None else node.one_of(SignatureScheme)


def _key(node: Node) -> KeyFacts:
    return KeyFacts(
        key_id=node.at("key_id").text(),
        is_given=node.at("is_given").flag(),
        fingerprint=node.at("fingerprint").maybe(Node.text),
        algorithm=node.at("algorithm").maybe(Node.text),
        bits=node.at("bits").maybe(Node.number),
        user_ids=node.at("user_ids").each(Node.text),
        identity_issuer=node.find("identity_issuer").maybe(Node.text),
    )


def _page_hashes(node: Node) -> PageHashFacts:
    return PageHashFacts(algorithm=node.at("algorithm").text(), matches=node.at("matches").flag())


def _chain(node: Node) -> ChainFacts | None:
    """`chain` and `chain_end` of a signature or a time stamp are one value."""
    certificates = node.at("chain").each(_certificate)
    end = node.at("chain_end")
    if end.value is None:
        return None if not certificates else end.refuse("an object, because the chain has certificates")
    return ChainFacts(
        certificates=certificates,
        end=end.at("kind").one_of(ChainEnd),
        well_known_root=end.at("well_known_root").maybe(Node.text),
        root_tbs=end.at("root_tbs").texts(),
        root_sha256=end.find("root_sha256").maybe(Node.text),
    )


def _timestamp(node: Node) -> TimestampFacts:
    return TimestampFacts(
        kind=node.at("kind").one_of(TimestampKind),
        time=node.at("time").maybe(Node.time),
        valid=node.at("valid").flag(),
        signer=node.at("signer").maybe(_certificate),
        chain=_chain(node),
        digest_algorithm=node.at("digest_algorithm").maybe(Node.text),
        problems=node.at("problems").each(_problem),
    )


def _certificate(node: Node) -> CertificateFacts:
    return CertificateFacts(
        subject=node.at("subject").text(),
        subject_cn=node.at("subject_cn").maybe(Node.text),
        issuer=node.at("issuer").text(),
        issuer_cn=node.at("issuer_cn").maybe(Node.text),
        serial=node.at("serial").text(),
        thumbprint_sha1=node.at("thumbprint_sha1").text(),
        thumbprint_sha256=node.at("thumbprint_sha256").text(),
        not_before=node.at("not_before").time(),
        not_after=node.at("not_after").time(),
        eku=node.at("eku").maybe(lambda eku: eku.each(Node.text)),
        tbs=node.at("tbs").texts(),
        tbs_algorithm=node.at("tbs_algorithm").maybe(Node.text),
        signature_algorithm=node.at("signature_algorithm").text(),
        key_algorithm=node.at("key_algorithm").text(),
        key_bits=node.at("key_bits").maybe(Node.number),
        key_usage_digital_signature=node.at("key_usage_digital_signature").maybe(Node.flag),
        is_ca=node.at("is_ca").maybe(Node.flag),
        is_self_issued=node.at("is_self_issued").flag(),
    )
