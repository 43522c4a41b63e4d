"""ELF files to facts: type, machine, build id, interpreter, and the signature that stands behind a Linux kernel module.

A module's signature is verified by the kernel with keys of its own; here its structure is read and nothing is verified. It is laid out as
module || PKCS #7 || {u8 algorithm, u8 hash, u8 kind, u8 name length, u8 key length, 3 zeros, u32 big-endian size} || marker line.

Sources: System V ABI (ELF header, notes); Linux kernel documentation, "Kernel module signing facility"; include/linux/module_signature.h.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from csv_gate.errors import ArtifactError
from csv_gate.formats.pe_digest import feed
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.limits import Limits
from csv_gate.model.facts import Digests, ElfFacts, Facts, ModuleSignatureFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.cms import read_signed_data
from csv_gate.signatures.content import ListedDigests
from csv_gate.signatures.der import SEQUENCE, Source
from csv_gate.signatures.names import read_name

ELF: Final = "elf"
MARKER: Final = b"~Module signature appended~\n"
_TRAILER: Final = struct.Struct(">BBBBB3sI")
_PKCS7: Final = 2
_NOTES_PROGRAM, _INTERPRETER = 4, 3
_NOTES_SECTION: Final = 7
_BUILD_ID: Final = 3
_LOOK_BACK: Final = 64 * 1024
"""How far before the end of the file a marker that is not last is looked for."""
_TYPES: Final = MappingProxyType({1: "relocatable", 2: "executable", 3: "shared_object", 4: "core"})
_MACHINES: Final = MappingProxyType(
    {
        3: "x86",
        8: "mips",
        20: "ppc",
        21: "ppc64",
        22: "s390",
        40: "arm",
        62: "x64",
        183: "arm64",
        243: "riscv",
        258: "loongarch",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """Where the tables are. `order` is a struct prefix."""

    order: str
    bits: int
    type: int
    machine: int
    programs: tuple[int, int, int]
    """(offset, entry size, count)."""
    sections: tuple[int, int, int]


def extract_elf(view: memoryview, settings: ExtractionSettings) -> Facts:
    """Facts of an ELF file. Bad bytes become problems, never an exception."""
    flat = hashlib.sha256()
    feed(view, (flat,))
    module, problems = read_module_signature(view, settings.limits)
    header = _read_header(view)
    elf = None
    if header is None:
        problems.append(Problem(code=ProblemCode.ELF_MALFORMED, detail="the ELF header is cut short or not one"))
    else:
        elf = ElfFacts(
            type=_TYPES.get(header.type, f"0x{header.type:04x}"),
            machine=_MACHINES.get(header.machine, f"0x{header.machine:04x}"),
            bits=header.bits,
            build_id=next(_build_ids(view, header, settings.limits), None),
            interpreter=_interpreter(view, header, settings.limits),
            module_signature=module,
        )
    return Facts(
        format=ELF,
        size=len(view),
        digests=Digests(sha256=flat.hexdigest()),
        elf=elf,
        signatures=settings.catalogs.signatures_for(ListedDigests(view, sha256=flat.digest())),
        problems=tuple(problems),
    )


def _read_header(view: memoryview) -> _Header | None:
    if len(view) < 52 or view[4] not in (1, 2) or view[5] not in (1, 2):
        return None
    order = "<" if view[5] == 1 else ">"
    is_wide = view[4] == 2
    if is_wide and len(view) < 64:
        return None
    type, machine = struct.unpack_from(f"{order}HH", view, 16)
    programs, sections = struct.unpack_from(f"{order}QQ" if is_wide else f"{order}II", view, 32 if is_wide else 28)
    entry, count, section_entry, section_count = struct.unpack_from(f"{order}HHHH", view, 54 if is_wide else 42)
    return _Header(
        order=order,
        bits=64 if is_wide else 32,
        type=type,
        machine=machine,
        programs=(programs, entry, count),
        sections=(sections, section_entry, section_count),
    )


def _segments(view: memoryview, header: _Header, kind: int) -> Iterator[tuple[int, int]]:
    """(offset, size) of the program segments of a kind that lie in the file."""
    at, entry, count = header.programs
    wide = header.bits == 64
    if entry < (56 if wide else 32):
        return
    for number in range(count):
        place = at + number * entry
        if place + entry > len(view):
            return
        if struct.unpack_from(f"{header.order}I", view, place)[0] != kind:
            continue
        if wide:
            offset, size = struct.unpack_from(f"{header.order}Q16xQ", view, place + 8)
        else:
            offset, size = struct.unpack_from(f"{header.order}I8xI", view, place + 4)
        if offset + size <= len(view):
            yield offset, size


def _note_sections(view: memoryview, header: _Header) -> Iterator[tuple[int, int]]:
    at, entry, count = header.sections
    wide = header.bits == 64
    if entry < (64 if wide else 40):
        return
    for number in range(count):
        place = at + number * entry
        if place + entry > len(view):
            return
        if struct.unpack_from(f"{header.order}I", view, place + 4)[0] == _NOTES_SECTION:
            offset, size = struct.unpack_from(
                f"{header.order}QQ" if wide else f"{header.order}II", view, place + (24 if wide else 16)
            )
            if offset + size <= len(view):
                yield offset, size


def _build_ids(view: memoryview, header: _Header, limits: Limits) -> Iterator[str]:
    left = limits.max_elf_notes
    for places in (_segments(view, header, _NOTES_PROGRAM), _note_sections(view, header)):
        for offset, size in places:
            at, end = offset, offset + size
            while at + 12 <= end and left:
                left -= 1
                name, length, kind = struct.unpack_from(f"{header.order}III", view, at)
                body = at + 12 + (name + 3 & ~3)
                if body + length > end:
                    break
                if kind == _BUILD_ID and bytes(view[at + 12 : at + 16]) == b"GNU\0" and 0 < length <= 64:
                    yield bytes(view[body : body + length]).hex()
                at = body + (length + 3 & ~3)


def _interpreter(view: memoryview, header: _Header, limits: Limits) -> str | None:
    for offset, size in _segments(view, header, _INTERPRETER):
        text = bytes(view[offset : offset + min(size, limits.max_text_characters)])
        return text.partition(b"\0")[0].decode("utf-8", "replace")
    return None


def read_module_signature(view: memoryview, limits: Limits) -> tuple[ModuleSignatureFacts | None, list[Problem]]:
    """The appended signature, if the marker is the last thing in the file, and what is wrong with it."""
    end = len(view) - len(MARKER)
    if end < 0 or bytes(view[end:]) != MARKER:
        start = max(0, len(view) - _LOOK_BACK)
        found = bytes(view[start:]).rfind(MARKER)
        if found < 0:
            return None, []
        detail = f"{len(view) - start - found - len(MARKER)} bytes behind the module signature: the kernel sees none"
        return None, [Problem(code=ProblemCode.MODULE_SIGNATURE_NOT_LAST, detail=detail, offset=start + found)]
    trailer = end - _TRAILER.size
    if trailer < 0:
        return _bad("the file is shorter than the trailer of its module signature", 0, end)
    algorithm, digest, kind, name, key, padding, size = _TRAILER.unpack_from(view, trailer)
    if size == 0 or size > trailer:
        return _bad(f"the module signature says that it has {size} bytes, where {trailer} are left", size, trailer)
    if kind != _PKCS7 or (algorithm, digest, name, key) != (0, 0, 0, 0) or any(padding):
        return _bad(f"the module signature is of kind {kind}, or fields that must be zero are not", size, trailer)
    start = trailer - size
    problems: list[Problem] = []
    if start >= len(MARKER) and bytes(view[start - len(MARKER) : start]) == MARKER:
        detail = "the module carries one signature behind another; the kernel reads the last"
        problems.append(Problem(code=ProblemCode.MODULE_SIGNATURES_SEVERAL, detail=detail, offset=start))
    facts, problem = _read_message(bytes(view[start:trailer]), size, limits)
    return facts, [*problems, *([problem] if problem else [])]


def _read_message(der: bytes, size: int, limits: Limits) -> tuple[ModuleSignatureFacts, Problem | None]:
    if size > limits.max_certificate_table_bytes:
        why = "the module signature is larger than max_certificate_table_bytes"
        return ModuleSignatureFacts(is_well_formed=False, size=size), Problem(
            code=ProblemCode.MODULE_SIGNATURE_MALFORMED, detail=why
        )
    try:
        data = read_signed_data(Source(der, limits=limits), limits)
        signer = data.signers[0] if data.signers else None
        name = None
        if signer is not None and signer.issuer is not None:
            name = f"{read_name(Source(signer.issuer, limits=limits).root().expect(SEQUENCE), limits)[0]}, serial {signer.serial or 0:x}"
        elif signer is not None and signer.key_id is not None:
            name = f"key {signer.key_id.hex()}"
    except ArtifactError as error:
        return ModuleSignatureFacts(is_well_formed=False, size=size), Problem(
            code=ProblemCode.MODULE_SIGNATURE_MALFORMED, detail=str(error)
        )
    digest = signer.digest_algorithm if signer is not None else None
    if signer is None or data.stop != len(der):
        detail = "the message of the module signature has no signer" if signer is None else "bytes behind the message"
        problem = Problem(code=ProblemCode.MODULE_SIGNATURE_MALFORMED, detail=detail)
        return ModuleSignatureFacts(is_well_formed=False, size=size, signer=name, digest_algorithm=digest), problem
    return ModuleSignatureFacts(is_well_formed=True, size=size, signer=name, digest_algorithm=digest), None


def _bad(why: str, size: int, at: int) -> tuple[ModuleSignatureFacts, list[Problem]]:
    problem = Problem(code=ProblemCode.MODULE_SIGNATURE_MALFORMED, detail=why, offset=at)
    return ModuleSignatureFacts(is_well_formed=False, size=size), [problem]
