"""The sections of facts that one kind of file has, in their JSON form."""

from __future__ import annotations

from csv_gate.model.facts import CabinetFacts, CompoundFacts, ElfFacts, KeyFacts, PackageFacts, ScriptFacts

Json = dict[str, object]


def script_json(script: ScriptFacts) -> Json:
    return {
        "encoding": script.encoding,
        "has_bom": script.has_bom,
        "line_ends": script.line_ends,
        "signature_line": script.signature_line,
    }


def compound_json(compound: CompoundFacts) -> Json:
    return {
        "streams": compound.streams,
        "has_metadata_digest": compound.has_metadata_digest,
        "appended_bytes": compound.appended_bytes,
        "unreachable_sectors": compound.unreachable_sectors,
    }


def cabinet_json(cabinet: CabinetFacts) -> Json:
    return {
        "files": cabinet.files,
        "folders": cabinet.folders,
        "reserve_bytes": cabinet.reserve_bytes,
        "is_part": cabinet.is_part,
    }


def elf_json(elf: ElfFacts) -> Json:
    module = elf.module_signature
    return {
        "type": elf.type,
        "machine": elf.machine,
        "bits": elf.bits,
        "build_id": elf.build_id,
        "interpreter": elf.interpreter,
        "module_signature": None
        if module is None
        else {
            "is_well_formed": module.is_well_formed,
            "size": module.size,
            "signer": module.signer,
            "digest_algorithm": module.digest_algorithm,
        },
    }


def package_json(package: PackageFacts) -> Json:
    return {
        "name": package.name,
        "version": package.version,
        "publisher": package.publisher,
        "architecture": package.architecture,
        "family_name": package.family_name,
        "digests_match": package.digests_match,
        "uncovered": list(package.uncovered),
        "uncovered_count": package.uncovered_count,
        "file_signatures": package.file_signatures,
    }


def key_json(key: KeyFacts) -> Json:
    return {
        "key_id": key.key_id,
        "is_given": key.is_given,
        "fingerprint": key.fingerprint,
        "algorithm": key.algorithm,
        "bits": key.bits,
        "user_ids": list(key.user_ids),
        "identity_issuer": key.identity_issuer,
    }
