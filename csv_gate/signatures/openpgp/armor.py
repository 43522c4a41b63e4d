"""ASCII armor and the cleartext signature framework (RFC 9580, sections 6 and 7)."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.lazy import regex
from csv_gate.limits import Limits
from csv_gate.records import dataclass

SIGNATURE: Final = "SIGNATURE"
PUBLIC_KEY: Final = "PUBLIC KEY BLOCK"
CLEAR_SIGNED: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"
_BEGIN: Final = regex(rb"-----BEGIN PGP ([A-Z][A-Z ]*[A-Z])-----[ \t]*")
_HEADER: Final = regex(rb"[A-Za-z][A-Za-z0-9-]*:.*")
_BASE64: Final = regex(rb"[A-Za-z0-9+/]*={0,2}")
_CRC_INIT: Final = 0xB704CE
_CRC_POLYNOMIAL: Final = 0x1864CFB


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One armored block."""

    kind: str
    """`SIGNATURE`, `PUBLIC KEY BLOCK`, `MESSAGE`, …"""
    octets: bytes
    first_line: int
    """Zero-based, of its header line."""
    stop_line: int
    """Behind its last line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearSigned:
    """A text with its signature below. Only `text` is signed; what stands around the framework is not."""

    text: bytes
    """As it is hashed: dashes unescaped, blanks at line ends taken away, lines joined with CR LF and none at the end."""
    signature: bytes
    """The packets of the armored block."""
    has_other_text: bool
    """Something stands before or behind: readers that take the whole file read what nobody signed."""


def is_armored(octets: bytes) -> bool:
    """Whether these are characters. Of packets the first byte has its highest bit set."""
    return bool(octets) and octets[0] < 0x80


def read_blocks(octets: bytes, limits: Limits) -> tuple[Block, ...]:
    """Every armored block, in order; text between them is passed over. How long they are is the caller's to bound.

    Raises:
        FormatError: a block that is cut short, is no base64, or whose checksum is wrong.
        LimitError: more than `max_openpgp_armor_bytes`.
    """
    lines = _lines(octets, limits)
    blocks = []
    at = 0
    while at < len(lines):
        if lines[at].rstrip() == CLEAR_SIGNED or (begin := _BEGIN.fullmatch(lines[at])) is None:
            at += 1
            continue
        block = _block(lines, at, begin[1])
        blocks.append(block)
        at = block.stop_line
    return tuple(blocks)


def _lines(octets: bytes, limits: Limits) -> list[bytes]:
    if len(octets) > limits.max_openpgp_armor_bytes:
        raise LimitError(
            f"the armored text has {len(octets)} bytes, more than max_openpgp_armor_bytes ({limits.max_openpgp_armor_bytes})"
        )
    return [line.removesuffix(b"\r") for line in octets.split(b"\n")]


def _block(lines: Sequence[bytes], begin: int, kind: bytes) -> Block:
    at = begin + 1
    while at < len(lines) and _HEADER.fullmatch(lines[at]):
        at += 1
    if at < len(lines) and not lines[at].strip():
        at += 1
    elif at != begin + 1:
        raise FormatError("no empty line ends the headers of an armored block", got=f"line {at + 1}")
    end = b"-----END PGP " + kind + b"-----"
    body: list[bytes] = []
    while at < len(lines) and lines[at].rstrip() != end:
        body.append(lines[at].strip(b" \t"))
        at += 1
    if at == len(lines):
        raise FormatError("an armored block has no end line", got=f"begun in line {begin + 1}")
    return Block(kind=kind.decode("ascii"), octets=_decode(body), first_line=begin, stop_line=at + 1)


def _decode(body: list[bytes]) -> bytes:
    while body and not body[-1]:
        body.pop()
    checksum = body.pop() if body and len(body[-1]) == 5 and body[-1].startswith(b"=") else None
    text = b"".join(body)
    if not _BASE64.fullmatch(text):
        raise FormatError("an armored block holds something that is no base64")
    try:
        octets = binascii.a2b_base64(text, strict_mode=True) if text else b""
        if checksum is not None and int.from_bytes(binascii.a2b_base64(checksum[1:], strict_mode=True), "big") != _crc(octets):
            raise FormatError("the checksum of an armored block is wrong")
    except binascii.Error as error:
        raise FormatError(f"an armored block is no base64: {error}") from error
    return octets


def _table() -> tuple[int, ...]:
    table = []
    for first in range(256):
        value = first << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= _CRC_POLYNOMIAL
        table.append(value & 0xFFFFFF)
    return tuple(table)


_CRC_TABLE: Final = _table()


def _crc(octets: bytes) -> int:
    """CRC-24 (RFC 9580, section 6.1.1). A missing one is fine there; a wrong one is damage, and GnuPG refuses it."""
    value = _CRC_INIT
    for octet in octets:
        value = ((value << 8) & 0xFFFFFF) ^ _CRC_TABLE[(value >> 16) ^ octet]
    return value


def is_clear_signed(octets: bytes) -> bool:
    """Whether a text has the first line of the framework anywhere."""
    return octets.startswith(CLEAR_SIGNED) or b"\n" + CLEAR_SIGNED in octets


def read_clear_signed(octets: bytes, limits: Limits) -> ClearSigned:
    """The one clear-signed text of a file.

    Raises:
        FormatError: none, more than one, or one that breaks the framework.
        LimitError: more than `max_openpgp_armor_bytes`.
    """
    lines = _lines(octets, limits)
    begins = [at for at, line in enumerate(lines) if line.rstrip() == CLEAR_SIGNED]
    if len(begins) != 1:
        raise FormatError("one clear-signed text was expected", got=str(len(begins)))
    at = begins[0] + 1
    while at < len(lines) and lines[at].startswith(b"Hash:"):
        at += 1
    if at >= len(lines) or lines[at].strip():
        raise FormatError("no empty line stands before a clear-signed text", got=f"line {at + 1}")
    text: list[bytes] = []
    at += 1
    while at < len(lines) and not lines[at].startswith(b"-----"):
        line = lines[at]
        if line.startswith(b"-"):
            if not line.startswith(b"- "):
                raise FormatError("a line of a clear-signed text begins with a dash that is not escaped", got=f"line {at + 1}")
            line = line[2:]
        text.append(line.rstrip(b" \t\r"))
        at += 1
    begin = _BEGIN.fullmatch(lines[at]) if at < len(lines) else None
    if begin is None or begin[1] != SIGNATURE.encode():
        raise FormatError("no signature stands below a clear-signed text", got=f"line {at + 1}")
    if sum(map(len, lines[at:])) > limits.max_openpgp_signature_bytes:
        raise LimitError(
            f"more than max_openpgp_signature_bytes ({limits.max_openpgp_signature_bytes}) below a clear-signed text"
        )
    block = _block(lines, at, begin[1])
    others = (*lines[: begins[0]], *lines[block.stop_line :])
    return ClearSigned(text=b"\r\n".join(text), signature=block.octets, has_other_text=any(line.strip() for line in others))
