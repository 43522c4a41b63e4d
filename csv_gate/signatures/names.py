"""Distinguished names as text: RFC 4514 order and escapes, from whatever string type the certificate chose."""

from __future__ import annotations

from csv_gate.errors import FormatError
from csv_gate.limits import Limits
from csv_gate.signatures.der import Element

COMMON_NAME = "2.5.4.3"
SHORT_NAMES = {
    COMMON_NAME: "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
"""RFC 4514, section 3; any other type is written as its dotted number."""
ENCODINGS = {
    0x0C: "utf-8",
    0x12: "latin-1",  # NumericString
    0x13: "latin-1",  # PrintableString: real certificates put more into it than it allows
    0x14: "latin-1",  # T61String, which nobody fills with T.61
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
MAX_ATTRIBUTES = 64
ESCAPED = str.maketrans({character: f"\\{character}" for character in '"+,;<>\\'} | {"\0": "\\00"})


def read_name(name: Element, limits: Limits) -> tuple[str, str | None]:
    """A Name as (RFC 4514 text, first common name or None). Untrusted text, unescaped in the common name.

    Raises:
        FormatError: not a Name.
        LimitError: too many attributes.
    """
    parts: list[str] = []
    common_name: str | None = None
    for rdn in name.children(most=MAX_ATTRIBUTES):
        attributes: list[str] = []
        for attribute in rdn.children(most=MAX_ATTRIBUTES):
            fields = attribute.fields()
            kind, value = fields.take().oid(), fields.take()
            fields.finish()
            text = string(value, limits)
            if kind == COMMON_NAME and common_name is None:
                common_name = text
            shown = f"#{value.raw.hex()}" if text is None else escape(text)
            attributes.append(f"{SHORT_NAMES.get(kind, kind)}={shown}")
        parts.append("+".join(attributes))
    return ",".join(reversed(parts)), common_name


def string(value: Element, limits: Limits) -> str | None:
    """The text of a string element; None for an element that is no string. What cannot be decoded becomes U+FFFD.

    Raises:
        FormatError: longer than any name may be.
    """
    encoding = ENCODINGS.get(value.tag)
    if encoding is None:
        return None
    if value.end - value.body > 4 * limits.max_text_characters:
        raise FormatError("a string in a certificate is too long", expected="limits.max_text_characters")
    return value.contents.decode(encoding, "replace")


def escape(text: str) -> str:
    """RFC 4514, section 2.4."""
    escaped = text.translate(ESCAPED)
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    if len(text) > 1 and text.endswith(" "):
        escaped = escaped[:-1] + "\\ "
    return escaped
