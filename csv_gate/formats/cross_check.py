"""A second opinion on a PE image by lief, pefile and asn1crypto: its Authenticode digest and who signed it.

The libraries read the same bytes by themselves. Where one of them says something else than the facts, that is a finding with both
answers: either this project or the library is wrong, and a person should look.

Known faults of the libraries, which are no findings:
- lief hashes its own re-serialisation of the headers and not the file's bytes, so it is not asked where the headers overlap other parts;
- lief leaves out signatures whose structure it does not accept (an SpcIndirectData of an unusual type, for one), so that it lists fewer
  signatures than there are is not a difference; that it lists another one is;
- lief reads table entries of any type, revision and length, so its signers are not asked where such an entry was found;
- none of them has an opinion where Authenticode cannot lay the file out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from mmap import mmap
from typing import Final, Protocol, TypeVar

from csv_gate.errors import MissingExtraError
from csv_gate.formats import detect
from csv_gate.model.facts import Facts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode

T = TypeVar("T")

_LIEF_MISREADS: Final = frozenset(
    {ProblemCode.PE_SECTIONS_OVERLAP_HEADERS, ProblemCode.PE_DOS_HEADER_OVERLAP, ProblemCode.PE_SECTIONS_OVERLAP}
)
_LIEF_READS_ANYWAY: Final = frozenset(
    {ProblemCode.ENTRY_TYPE_UNKNOWN, ProblemCode.ENTRY_REVISION_UNKNOWN, ProblemCode.ENTRY_LENGTH_INVALID}
)


class _SecondOpinion(Protocol):
    """What one library says; `None` where it has no answer."""

    name: str

    def authenticode_sha256(self) -> str | None: ...
    def signer_serials(self) -> list[str] | None: ...


def cross_check(data: bytes | mmap | memoryview, facts: Facts) -> tuple[Problem, ...]:
    """Disagreements of lief and of pefile (with asn1crypto) with `facts`; empty: they agree, or the artifact is no PE.

    Costs a full parse by either library.

    Raises:
        MissingExtraError: a library is not installed.
    """
    if facts.format != detect.PE or facts.digests is None or facts.digests.authenticode_sha256 is None:
        return ()
    octets = bytes(data)
    known_codes = {problem.code for problem in facts.problems}
    problems: list[Problem] = []
    for opinion in (_Pefile(octets), _Lief(octets)):
        if not (opinion.name == "lief" and known_codes & _LIEF_MISREADS):
            problems += _compare_digest(opinion, facts.digests.authenticode_sha256)
        if not (opinion.name == "lief" and known_codes & _LIEF_READS_ANYWAY):
            problems += _compare_signers(opinion, facts)
    return tuple(problems)


def _compare_digest(opinion: _SecondOpinion, ours: str) -> list[Problem]:
    theirs = _ask(opinion.authenticode_sha256)
    if theirs == ours:
        return []
    said = "cannot read the image" if theirs is None else f"says {theirs}"
    return [_differs(f"Authenticode SHA-256: csv-gate says {ours}, {opinion.name} {said}")]


def _compare_signers(opinion: _SecondOpinion, facts: Facts) -> list[Problem]:
    embedded = [signature for signature in facts.signatures if signature.source is SignatureSource.EMBEDDED]
    if any(signature.signer is None for signature in embedded):
        return []  # The facts themselves say that a signature names no certificate that is there.
    ours = sorted(signature.signer.serial for signature in embedded if signature.signer is not None)
    theirs = _ask(opinion.signer_serials)
    if theirs is None:
        return []
    theirs = sorted(theirs)
    left_out = list(ours)
    for serial in theirs:
        if serial in left_out:
            left_out.remove(serial)
    is_known_lief_gap = opinion.name == "lief" and len(theirs) + len(left_out) == len(ours)
    if theirs == ours or is_known_lief_gap:
        return []
    shown = [", ".join(serials) or "none" for serials in (ours, theirs)]
    return [_differs(f"signer serials: csv-gate says {shown[0]}; {opinion.name} says {shown[1]}")]


def _differs(detail: str) -> Problem:
    return Problem(code=ProblemCode.CROSS_CHECK_DIFFERS, detail=detail)


def _ask(question: Callable[[], T]) -> T | None:
    """These libraries promise no exception types on hostile bytes, so whatever they raise means that they have no answer."""
    try:
        return question()
    except Exception:
        return None


class _Pefile:
    """pefile finds the ranges, hashlib hashes them, asn1crypto reads the signatures."""

    name = "pefile"

    def __init__(self, data: bytes) -> None:
        try:
            import pefile
            from asn1crypto import cms
        except ImportError as error:
            raise _missing(error) from error
        self._data = data
        self._cms = cms
        self._pe = _ask(lambda: pefile.PE(data=data, fast_load=True))

    def _table(self) -> tuple[int, int, int]:
        assert self._pe is not None
        directory = self._pe.OPTIONAL_HEADER.DATA_DIRECTORY[4]
        return directory.get_file_offset(), directory.VirtualAddress, directory.Size

    def authenticode_sha256(self) -> str | None:
        if self._pe is None:
            return None
        checksum = self._pe.OPTIONAL_HEADER.get_field_absolute_offset("CheckSum")
        entry, offset, size = self._table()
        covered = [self._data[:checksum], self._data[checksum + 4 : entry]]
        rest = self._data[entry + 8 : offset] + self._data[offset + size :] if offset else self._data[entry + 8 :]
        return hashlib.sha256(b"".join([*covered, rest])).hexdigest()

    def signer_serials(self) -> list[str] | None:
        if self._pe is None:
            return None
        _, at, size = self._table()
        end = at + size
        serials = []
        while at + 8 <= end and size:
            length = int.from_bytes(self._data[at : at + 4], "little")
            if length < 8 or at + length > end:
                break
            if self._data[at + 4 : at + 8] == b"\x00\x02\x02\x00":
                content = self._cms.ContentInfo.load(self._data[at + 8 : at + length])["content"]
                identifier = content["signer_infos"][0]["sid"].chosen
                serials.append(f"{identifier['serial_number'].native:x}")
            at += length + -length % 8
        return serials


class _Lief:
    name = "lief"

    def __init__(self, data: bytes) -> None:
        try:
            import lief
        except ImportError as error:
            raise _missing(error) from error
        lief.logging.disable()
        self._sha256 = lief.PE.ALGORITHMS.SHA_256
        self._pe = _ask(lambda: lief.PE.parse(data))

    def authenticode_sha256(self) -> str | None:
        return None if self._pe is None else bytes(self._pe.authentihash(self._sha256)).hex()

    def signer_serials(self) -> list[str] | None:
        if self._pe is None:
            return None
        return [
            bytes(signer.serial_number).hex().lstrip("0") or "0"
            for signature in self._pe.signatures
            for signer in signature.signers
        ]


def _missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError(
        f"the cross-check needs {error.name}, which is not installed", help="pip install 'csv-gate[cross-check]'"
    )
