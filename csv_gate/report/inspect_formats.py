"""What `inspect` says of scripts, installer packages, cabinets and ELF files, one line a subject. Text is raw."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.model.facts import CabinetFacts, CompoundFacts, ElfFacts, Facts, PackageFacts, ScriptFacts

_LINE_ENDS = {"crlf": "CRLF line ends", "lf": "LF line ends", "mixed": "mixed line ends", "none": "one line"}


def format_lines(facts: Facts) -> Iterator[str]:
    """The lines of a file's own format; none for PE files, which have theirs elsewhere."""
    if facts.script is not None:
        yield _script(facts.script)
    if facts.compound is not None:
        yield _compound(facts.compound)
    if facts.cabinet is not None:
        yield _cabinet(facts.cabinet)
    if facts.elf is not None:
        yield from _elf(facts.elf)
    if facts.package is not None:
        yield from _package(facts.package)


def _script(script: ScriptFacts) -> str:
    mark = "with byte order mark" if script.has_bom else "without byte order mark"
    block = "no signature block" if script.signature_line is None else f"signature block at line {script.signature_line}"
    return f"text {script.encoding} {mark}, {_LINE_ENDS.get(script.line_ends, script.line_ends)}, {block}"


def _compound(compound: CompoundFacts) -> str:
    parts = [f"{compound.streams} streams"]
    if compound.has_metadata_digest:
        parts.append("names and times are signed too")
    if compound.appended_bytes:
        parts.append(f"{compound.appended_bytes:,} bytes appended")
    if compound.unreachable_sectors:
        parts.append(f"unreachable sectors: {compound.unreachable_sectors}")
    return ", ".join(parts)


def _cabinet(cabinet: CabinetFacts) -> str:
    parts = [f"{cabinet.files} files in {cabinet.folders} folders"]
    if cabinet.reserve_bytes:
        parts.append(f"{cabinet.reserve_bytes:,} bytes reserved in the header")
    if cabinet.is_part:
        parts.append("one volume of several")
    return ", ".join(parts)


def _package(package: PackageFacts) -> Iterator[str]:
    named = (
        ("name", package.name),
        ("version", package.version),
        ("publisher", package.publisher),
        ("architecture", package.architecture),
        ("family", package.family_name),
    )
    text = " · ".join(f"{word} {value}" for word, value in named if value)
    if text:
        yield f"package {text}"
    if package.digests_match is not None:
        yield "its own digests match" if package.digests_match else "ITS OWN DIGESTS DO NOT MATCH"
    if package.uncovered_count:
        names = ", ".join(package.uncovered[:5])
        yield f"not covered by its signature: {package.uncovered_count} members, such as {names}"


def _elf(elf: ElfFacts) -> Iterator[str]:
    yield f"{elf.type.replace('_', ' ')}, {elf.machine}, {elf.bits} bits"
    if elf.build_id is not None:
        yield f"build id {elf.build_id}"
    if elf.interpreter is not None:
        yield f"interpreter {elf.interpreter}"
    module = elf.module_signature
    if module is not None:
        state = "well-formed" if module.is_well_formed else "MALFORMED"
        signer = f" by {module.signer}" if module.signer else ""
        digest = f", {module.digest_algorithm}" if module.digest_algorithm else ""
        yield f"module signature {state}, {module.size:,} bytes{digest}{signer}; the kernel's keys decide, nothing was verified"
