"""The text of a script: encoding, byte order mark, line ends, and the lines of a signature block in it.

Signatures of scripts are over text, as UTF-16, and not over bytes, so the encoding decides the digest. A byte order mark names it. Without
one, PowerShell's own files are read as UTF-8; Windows Script Host and PowerShell's XML files are read in the code page of the machine,
which is taken to be Windows-1252.

Source: "about_Signing" (PowerShell docs); the digest rules were checked against scripts that Microsoft has signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from csv_gate.limits import Limits
from csv_gate.records import dataclass

BOM: Final = "\ufeff"
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
CODE_PAGE: Final = "windows-1252"
_CODE_PAGE: Final = {
    byte: ord(bytes([byte]).decode("cp1252")) for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""What differs from Latin-1. Windows takes the five bytes without a character for the control character of the same number."""
ALGORITHMS: Final = frozenset({"md5", "sha1", "sha256", "sha384", "sha512"})
_CRLF, _LF = "\r\n", "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptText:
    """The decoded text, attacker-controlled."""

    text: str
    """A byte order mark is its first character."""
    encoding: str
    has_bom: bool
    is_exact: bool
    """Every byte stands for a character. Else what Windows makes of it is not specified."""
    needs_code_page: bool
    """It depends on the code page of the machine, which characters these are."""

    @property
    def line_ends(self) -> str:
        crlf, lf = self.text.count(_CRLF), self.text.count(_LF)
        return "none" if not lf else "crlf" if crlf == lf else "mixed" if crlf else "lf"

    def with_crlf(self) -> str:
        """The text with every lone line feed turned to CRLF."""
        return self.text.replace(_CRLF, _LF).replace(_LF, _CRLF)


def decode(data: bytes, *, is_utf8: bool) -> ScriptText:
    """Decode a script. `is_utf8`: what a file without byte order mark is read as, else the code page."""
    encoding, has_bom = next(((name, True) for mark, name in _BOMS if data.startswith(mark)), ("utf-8", False))
    if not has_bom and not is_utf8:
        text = data.decode("latin-1").translate(_CODE_PAGE)
        return ScriptText(text=text, encoding=CODE_PAGE, has_bom=False, is_exact=True, needs_code_page=not data.isascii())
    try:
        text, is_exact = data.decode(encoding), True
    except UnicodeDecodeError:
        text, is_exact = data.decode(encoding, "replace"), False
    return ScriptText(text=text, encoding=encoding, has_bom=has_bom, is_exact=is_exact, needs_code_page=False)


def utf16(text: str) -> bytes:
    """As it is hashed. Lone surrogates, which UTF-16 files can hold, stay what they are."""
    return text.encode("utf-16-le", "surrogatepass")


def digest_text(algorithm: str, *parts: bytes) -> bytes | None:
    if algorithm not in ALGORITHMS:
        return None
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    for part in parts:
        hasher.update(part)
    return hasher.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStyle:
    """How a file type writes a signature block: lines of comments, whole lines at column 0."""

    begin: str
    """The first line."""
    end: str
    """The last line."""
    prefix: str
    """Before the base64 of each line."""
    suffix: str = ""
    ignored: tuple[str, ...] = ()
    """Lines that may stand in the block and hold nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A signature block, by positions in the text."""

    start: int
    """The line break before the begin line, which is part of the block; 0 where the begin line is the first line."""
    line_start: int
    stop: int
    """After the end line and its line break."""
    der: bytes
    """Empty where `fault` is set, and of every block but the first."""
    line: int
    fault: str | None
    has_crlf: bool
    """Every line of it ends in CRLF, the line before it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """What was found of one style."""

    found: tuple[Block, ...]
    inner: tuple[int, ...]
    """Positions of marker words that are no line of their own."""


def find_blocks(text: str, style: BlockStyle, limits: Limits) -> Blocks:
    """All blocks of one style, first to last; only of the first are the octets read."""
    starts: list[int] = []
    inner: list[int] = []
    at = text.find(style.begin)
    while at >= 0 and len(starts) + len(inner) < limits.max_script_markers:
        (starts if _is_line(text, at, len(style.begin)) else inner).append(at)
        at = text.find(style.begin, at + len(style.begin))
    found: list[Block] = []
    for number, start in enumerate(starts):
        if found and start < found[-1].stop:
            continue
        limit = starts[number + 1] if number + 1 < len(starts) else len(text)
        limit = min(limit, start + limits.max_script_block_characters)
        found.append(_read_block(text, style, start, limit, is_first=not found))
    return Blocks(found=tuple(found), inner=tuple(inner))


def _is_line(text: str, at: int, size: int) -> bool:
    stop = at + size
    starts = at == 0 or text[at - 1] == _LF or (at == 1 and text[0] == BOM)
    return starts and (stop == len(text) or text[stop] == _LF or text.startswith(_CRLF, stop))


def _read_block(text: str, style: BlockStyle, at: int, limit: int, *, is_first: bool) -> Block:
    end = at
    while True:
        end = text.find(style.end, end + 1, limit)
        if end < 0 or _is_line(text, end, len(style.end)):
            break
    line = text.count(_LF, 0, at) + 1
    start = at - 2 if text.startswith(_CRLF, at - 2) and at >= 2 else max(at - 1, 0) if text[at - 1 : at] == _LF else at
    if end < 0:
        missing = f"the line that ends the block is missing within {limit - at} characters"
        return Block(start=start, line_start=at, stop=limit, der=b"", line=line, fault=missing, has_crlf=False)
    stop = end + len(style.end)
    stop += 2 if text.startswith(_CRLF, stop) else 1 if text.startswith(_LF, stop) else 0
    whole = text[start:stop]
    der, fault = _decode_lines(text[at + len(style.begin) : end], style) if is_first else (b"", None)
    has_crlf = whole.count(_CRLF) == whole.count(_LF)
    return Block(start=start, line_start=at, stop=stop, der=der, line=line, fault=fault, has_crlf=has_crlf)


def _decode_lines(inside: str, style: BlockStyle) -> tuple[bytes, str | None]:
    encoded: list[str] = []
    for raw in inside.split(_LF):
        line = raw.removesuffix("\r")
        if not line or line in style.ignored:
            continue
        if not line.startswith(style.prefix) or not line.endswith(style.suffix) or len(line) < len(style.prefix + style.suffix):
            return b"", f"a line of the block does not have the form of one: {line[:80]!r}"
        encoded.append(line[len(style.prefix) : len(line) - len(style.suffix)])
    try:
        return base64.b64decode("".join(encoded).encode("ascii"), validate=True), None
    except (binascii.Error, UnicodeEncodeError):
        return b"", "the block is no base64"
