"""Publishers of packaged apps: distinguished names as manifests write them, compared with a certificate's subject.

A manifest writes the name as Windows prints it: the most specific part first, `S` for the state, quotation marks where a value needs them.
RFC 4514 text has the same order, `ST` and backslashes. Compared is what both mean, part by part and in order, letter case included.

Sources: Windows app docs, "Identity (Windows 10 and later)" (form of `Publisher` and `Name`) and "An overview of Package Identity"
(package family name, publisher id); RFC 4514.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from csv_gate.lazy import regex

Name = tuple[tuple[str, str], ...]
"""(dotted type, value), the most specific first."""

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CN": "2.5.4.3",
        "SN": "2.5.4.4",
        "SERIALNUMBER": "2.5.4.5",
        "C": "2.5.4.6",
        "L": "2.5.4.7",
        "S": "2.5.4.8",
        "ST": "2.5.4.8",
        "STREET": "2.5.4.9",
        "O": "2.5.4.10",
        "OU": "2.5.4.11",
        "T": "2.5.4.12",
        "DESCRIPTION": "2.5.4.13",
        "POSTALCODE": "2.5.4.17",
        "POBOX": "2.5.4.18",
        "PHONE": "2.5.4.20",
        "X21ADDRESS": "2.5.4.24",
        "G": "2.5.4.42",
        "I": "2.5.4.43",
        "DNQUALIFIER": "2.5.4.46",
        "DC": "0.9.2342.19200300.100.1.25",
        "UID": "0.9.2342.19200300.100.1.1",
        "E": "1.2.840.113549.1.9.1",
    }
)
_TYPE: Final = regex(r"\s*(?:OID\.)?([A-Za-z][A-Za-z0-9]*|[0-9]+(?:\.[0-9]+)+)\s*=\s*", re.I)
_QUOTED: Final = regex(r'"((?:[^"]|"")*)"\s*')
_PLAIN: Final = regex(r'[^,+="<>#;]*')
_ESCAPED: Final = regex(r"(?:[^\\,+]|\\.)*", re.S)
_ESCAPE: Final = regex(r"\\(00|.)", re.S)
_APP_NAME: Final = regex(r"[A-Za-z0-9.-]{3,50}")
MAX_PUBLISHER_CHARACTERS: Final = 8192
"""What the manifest's schema allows."""
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_BYTES: Final = 8
_ID_DIGITS: Final = 13


def read_publisher(text: str) -> Name | None:
    """The name that a manifest states; `None`: it has another form, such as parts of several values."""
    parts: list[tuple[str, str]] = []
    at = 0
    while True:
        kind = _TYPE.match(text, at)
        if kind is None or (dotted := _dotted(kind[1])) is None:
            return None
        if (quoted := _QUOTED.match(text, kind.end())) is not None:
            value, at = quoted[1].replace('""', '"'), quoted.end()
        else:
            plain = _PLAIN.match(text, kind.end())
            assert plain is not None  # it may be empty
            value, at = plain[0].strip(), plain.end()
        parts.append((dotted, value))
        if at == len(text):
            return tuple(parts)
        if text[at] != ",":
            return None
        at += 1


def read_subject(text: str) -> Name | None:
    """The name of a certificate from RFC 4514 text, as `CertificateFacts.subject` has it; `None` where a part has several values."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at <= len(text) and text:
        kind, equals, _ = text[at:].partition("=")
        value = _ESCAPED.match(text, at + len(kind) + 1)
        if not equals or value is None or (dotted := _dotted(kind)) is None:
            return None
        parts.append((dotted, _ESCAPE.sub(lambda found: "\0" if found[1] == "00" else found[1], value[0])))
        at = value.end()
        if at == len(text):
            break
        if text[at] != ",":
            return None
        at += 1
    return tuple(parts)


def _dotted(kind: str) -> str | None:
    return kind if kind[:1].isdigit() else _TYPES.get(kind.upper())


def family_name(name: str, publisher: str) -> str | None:
    """The package family name; `None` where a part of it is none that the schema allows."""
    if _APP_NAME.fullmatch(name) is None or not publisher or len(publisher) > MAX_PUBLISHER_CHARACTERS:
        return None
    return f"{name}_{publisher_id(publisher)}"


def publisher_id(publisher: str) -> str:
    """13 digits to the base 32 of the first 64 bits of the SHA-256 of the UTF-16 text, with one zero bit behind them."""
    digest = hashlib.sha256(publisher.encode("utf-16-le", "surrogatepass")).digest()
    number = int.from_bytes(digest[:_ID_BYTES], "big") << 1
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_ID_DIGITS)))
