"""A script to facts: where its signature block stands, whether it holds, and what stands in its way.

PowerShell signs the text before the line break before the block. Windows Script Host signs the text on both sides of the block, followed
by the position of the block in UTF-16 units as four octets; published tools write the length of the whole text in that place, which is the
same wherever the block stands last. Where both differ, which of them Windows takes is not known, and the facts have a gap.

Not modelled: encoded scripts (`.vbe`, `.jse`), several packages in one `.wsf`, code pages other than Windows-1252.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from csv_gate.formats.file_names import format_of_name
from csv_gate.formats.script_kinds import BY_FORMAT, KINDS, WSF, ScriptKind
from csv_gate.formats.script_text import BOM, Block, ScriptText, decode, digest_text, find_blocks, utf16
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.limits import Limits
from csv_gate.model.facts import Digests, FactName, Facts, Gap, ScriptFacts, SignatureFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace
from csv_gate.signatures import read_signatures
from csv_gate.signatures.content import ListedDigests

_PLACE: Final = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptContent:
    """A script as its signatures see it (`csv_gate.signatures.SignedContent`)."""

    covered: bytes
    """What is hashed."""
    is_exact: bool

    def digest(self, algorithm: str) -> bytes | None:
        return digest_text(algorithm, self.covered) if self.is_exact else None

    def page_hash_table(self, algorithm: str) -> bytes | None:
        return None


def script_kind(data: memoryview, name: str | None, limits: Limits) -> ScriptKind | None:
    """The kind of a text file: by its name, and where the name says nothing by the block in it."""
    format = format_of_name(name)
    if format is not None:
        return BY_FORMAT.get(format)
    if len(data) > limits.max_script_bytes:
        return None
    octets = bytes(data)
    if b"SIG" not in octets:
        return None
    text = decode(octets, is_utf8=False).text
    found = [kind for kind in KINDS if find_blocks(text, kind.style, limits).found]
    return found[0] if len(found) == 1 and (found[0] is not WSF or "** SIG ** " in text) else None


def extract_script(view: memoryview, kind: ScriptKind, settings: ExtractionSettings) -> Facts:
    """Facts of a script. Bad bytes become problems and gaps, never an exception."""
    octets = bytes(view)
    sha256 = hashlib.sha256(octets).hexdigest()
    sha1 = hashlib.sha1(octets, usedforsecurity=False).hexdigest()
    if len(octets) > settings.limits.max_script_bytes:
        why = f"the script has {len(octets)} bytes, more than max_script_bytes ({settings.limits.max_script_bytes})"
        gaps = tuple(Gap(what=what, why=why) for what in (FactName.AUTHENTICODE, FactName.SIGNATURES))
        return Facts(format=kind.format, size=len(octets), digests=Digests(sha256=sha256, sha1=sha1), gaps=gaps)
    script = decode(octets, is_utf8=kind.is_utf8)
    return _Reading(octets, script, kind, settings).facts(sha256, sha1)


class _Reading:
    """One script in hand."""

    def __init__(self, octets: bytes, script: ScriptText, kind: ScriptKind, settings: ExtractionSettings) -> None:
        self._octets = octets
        self._script = script
        self._kind = kind
        self._settings = settings
        self._blocks = find_blocks(script.text, kind.style, settings.limits)

    def facts(self, sha256: str, sha1: str) -> Facts:
        blocks = self._blocks.found
        block = blocks[0] if blocks else None
        content = self.content(self._script.text, block)
        problems, gaps = list(self.problems(block)), list(self.gaps(block))
        script_sha1, script_sha256 = content.digest("sha1"), content.digest("sha256")
        if any(gap.what is FactName.AUTHENTICODE for gap in gaps):
            script_sha1 = script_sha256 = None
        digests = Digests(
            sha256=sha256,
            sha1=sha1,
            authenticode_sha1=script_sha1.hex() if script_sha1 else None,
            authenticode_sha256=script_sha256.hex() if script_sha256 else None,
        )
        signatures: tuple[SignatureFacts, ...] = ()
        if block is not None:
            signatures, more = self.embedded(block, content, problems)
            gaps += more
        return Facts(
            format=self._kind.format,
            size=len(self._octets),
            digests=digests,
            script=ScriptFacts(
                encoding=self._script.encoding,
                has_bom=self._script.has_bom,
                line_ends=self._script.line_ends,
                signature_line=block.line if block else None,
            ),
            signatures=(*signatures, *self.from_catalogs(content)),
            problems=tuple(problems),
            gaps=tuple(gaps),
        )

    def content(self, text: str, block: Block | None, *, by_length: bool = False) -> ScriptContent:
        """What is hashed of a text with this block."""
        covered = text if block is None else text[: block.start]
        tail = b""
        if self._kind.has_position:
            covered, behind = covered.removeprefix(BOM), text[block.stop :] if block else ""
            before, after = utf16(covered), utf16(behind)
            position = (len(before) + (len(after) if by_length else 0)) // 2
            tail = after + (position & 0xFFFF_FFFF).to_bytes(4, "little")
        return ScriptContent(covered=utf16(covered) + tail, is_exact=self._script.is_exact)

    def embedded(
        self, block: Block, content: ScriptContent, problems: Sequence[Problem]
    ) -> tuple[tuple[SignatureFacts, ...], list[Gap]]:
        """The signatures of the block, which hold only where the block itself is beyond doubt."""
        signatures = self.read(block, content)
        gaps: list[Gap] = []
        behind = self._script.text[block.stop :]
        if self._kind.has_position and behind and block.fault is None:
            other = self.read(block, self.content(self._script.text, block, by_length=True))
            if signatures[0].valid or other[0].valid:
                signatures = signatures if signatures[0].valid else other
                why = "whether Windows hashes the position of the block or the length of the text, which differ here"
                gaps.append(Gap(what=FactName.SIGNATURES, why=why))
        spoilt = [problem for problem in problems if problem.code in _SPOILING]
        if not block.has_crlf and block.fault is None:
            spoilt.append(self.line_end_problem(block, signatures))
        elif block.fault is None and self._script.line_ends in ("lf", "mixed") and not signatures[0].valid:
            told = self.line_end_problem(block, signatures)
            if _RESTORABLE in told.detail:
                spoilt.append(told)
        if spoilt:
            signatures = tuple(replace(one, valid=False, problems=(*one.problems, *spoilt)) for one in signatures)
        return signatures, gaps

    def read(self, block: Block, content: ScriptContent) -> tuple[SignatureFacts, ...]:
        return read_signatures(
            block.der,
            content,
            source=SignatureSource.EMBEDDED,
            place=_PLACE,
            roots=self._settings.roots,
            limits=self._settings.limits,
            subject=self._kind.subject,
        )

    def line_end_problem(self, block: Block, signatures: Sequence[SignatureFacts]) -> Problem:
        text = self._script.with_crlf()
        restored = find_blocks(text, self._kind.style, self._settings.limits).found
        if restored and restored[0].fault is None and self.read(restored[0], self.content(text, restored[0]))[0].valid:
            detail = f"its line ends were changed after signing: {_RESTORABLE}"
        else:
            detail = "the signature block has LF line ends where there must be CRLF"
        return Problem(code=ProblemCode.SCRIPT_LINE_ENDS, detail=detail)

    def problems(self, block: Block | None) -> Iterator[Problem]:
        """Anomalies of the text."""
        text, limits = self._script.text, self._settings.limits
        blocks = self._blocks
        if len(blocks.found) > 1:
            lines = ", ".join(str(one.line) for one in blocks.found[:8])
            detail = f"{len(blocks.found)} signature blocks, at lines {lines}; only one can be meant"
            yield Problem(code=ProblemCode.SCRIPT_BLOCKS_SEVERAL, detail=detail)
        if block is not None and block.fault is not None:
            yield Problem(code=ProblemCode.SCRIPT_BLOCK_MALFORMED, detail=f"line {block.line}: {block.fault}")
        if block is not None and block.fault is None and not self._kind.has_position and text[block.stop :].strip("\r\n"):
            detail = f"{len(text) - block.stop} characters behind the signature block, which it does not cover"
            yield Problem(code=ProblemCode.SCRIPT_TEXT_AFTER_BLOCK, detail=detail)
        if self._kind is not WSF:
            for at in blocks.inner[:8]:
                detail = f"line {text.count(chr(10), 0, at) + 1}: marker words that are no line of their own"
                yield Problem(code=ProblemCode.SCRIPT_MARKER_INNER, detail=detail)
        for other in KINDS:
            if other is self._kind or (other is WSF and "** SIG ** " not in text):
                continue
            if any(one.fault is None for one in find_blocks(text, other.style, limits).found):
                detail = f"a signature block in the form of {other.subject.name}, which nobody looks for in {self._kind.subject.name}"
                yield Problem(code=ProblemCode.SCRIPT_BLOCK_FOREIGN, detail=detail)
        if not self._script.is_exact:
            detail = f"bytes that are no {self._script.encoding}"
            yield Problem(code=ProblemCode.SCRIPT_ENCODING, detail=detail)
        elif self._script.needs_code_page:
            detail = "characters outside ASCII without a byte order mark: the target's code page says which they are"
            yield Problem(code=ProblemCode.SCRIPT_ENCODING, detail=detail)

    def gaps(self, block: Block | None) -> Iterator[Gap]:
        """What the target may see otherwise than it is read here."""
        if block is not None and self._blocks.inner and self._kind is not WSF:
            why = "whether Windows takes the marker words that are no line of their own for the beginning of the block"
            yield Gap(what=FactName.SIGNATURES, why=why)
        if not self._script.is_exact:
            why = f"the text is no {self._script.encoding}; what Windows makes of such bytes is not specified"
            yield Gap(what=FactName.AUTHENTICODE, why=why)
        elif self._script.needs_code_page:
            why = "the text is read by the target's code page, which is not known (taken here: Windows-1252)"
            yield Gap(what=FactName.AUTHENTICODE, why=why)
            if block is not None:
                yield Gap(what=FactName.SIGNATURES, why=why)
        elif block is None and self._kind.has_position:
            why = "how Windows hashes a script of this kind that has no signature block is not specified"
            yield Gap(what=FactName.AUTHENTICODE, why=why)

    def from_catalogs(self, content: ScriptContent) -> tuple[SignatureFacts, ...]:
        """Catalogs list a script by its text digest, or by its flat digest as any file."""
        return self._settings.catalogs.signatures_for(ListedDigests(memoryview(self._octets), content))


_RESTORABLE: Final = "the signature is valid if CRLF is restored"
_SPOILING: Final = frozenset(
    {
        ProblemCode.SCRIPT_BLOCKS_SEVERAL,
        ProblemCode.SCRIPT_BLOCK_MALFORMED,
        ProblemCode.SCRIPT_TEXT_AFTER_BLOCK,
        ProblemCode.SCRIPT_BLOCK_FOREIGN,
    }
)
"""Problems that leave open which text the signature vouches for; it then counts as none."""
