"""Values of SiPolicy XML: hexadecimal, GUIDs, versions, numbers, booleans, times, ids.

Each function takes the element for its place, the name of the attribute (or element) for the message, and the text. Blanks
around a value are dropped as the schema's types do; strings that are compared with files are never touched.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from csv_gate.lazy import regex
from csv_gate.model.appcontrol import version_number
from csv_gate.model.guid import Guid
from csv_gate.policies.notes import Notes
from csv_gate.policies.xml_tree import Element

BLANKS = " \t\r\n"
_TIME = regex(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d{0,20})?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def hex_value(element: Element, name: str, text: str) -> bytes:
    """`xs:hexBinary`, at least one octet."""
    stripped = text.strip(BLANKS)
    try:
        value = bytes.fromhex(stripped)
        if value and 2 * len(value) == len(stripped):  # `fromhex` reads over blanks
            return value
    except ValueError:
        pass
    raise element.error(
        f"{name} of <{element.shape.name}> is not hexadecimal",
        got=_shown(text),
        expected="an even number of hexadecimal digits",
        help="an empty or broken value makes Windows ignore the whole policy" if not stripped else None,
    )


def guid_value(element: Element, name: str, text: str, notes: Notes) -> Guid:
    """A GUID; the schema wants braces, files without them are read with a note."""
    stripped = text.strip(BLANKS)
    is_braced = stripped.startswith("{") and stripped.endswith("}")
    guid = _guid(stripped[1:-1] if is_braced else stripped)
    if guid is None:
        raise element.error(
            f"{name} is not a GUID",
            got=_shown(text),
            expected="{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}",
            help="write it in braces",
        )
    if not is_braced:
        notes.add("GUIDs are written without braces", f"{name} in line {element.line}")
    return guid


def _guid(digits: str) -> Guid | None:
    """Hex digits with a hyphen at each place where one belongs, and at no other."""
    try:
        guid = Guid.read(digits)
    except ValueError:
        return None
    return guid if guid.text == digits.lower() else None


def version_value(element: Element, name: str, text: str) -> int:
    """Four numbers up to 65535, packed."""
    number = packed_version(text)
    if number is not None:
        return number
    raise element.error(
        f"{name} of <{element.shape.name}> is not a version",
        got=_shown(text),
        expected="a.b.c.d, each from 0 to 65535",
        help="write all four parts" if text.count(".") < 3 else None,
    )


def packed_version(text: str) -> int | None:
    """As `version_value`; `None` where the text is no version."""
    parts = text.strip(BLANKS).split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) <= 8 for part in parts):
        a, b, c, d = map(int, parts)
        if max(a, b, c, d) <= 0xFFFF:
            return version_number((a, b, c, d))
    return None


def number_value(element: Element, name: str, text: str, maximum: int) -> int:
    """A decimal number from 0 to `maximum`."""
    stripped = text.strip(BLANKS)
    digits = stripped.removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) <= 20 and (number := int(digits)) <= maximum:
        return number
    raise element.error(
        f"{name} of <{element.shape.name}> is not a number", got=_shown(text), expected=f"a decimal number from 0 to {maximum}"
    )


def bool_value(element: Element, name: str, text: str, notes: Notes) -> bool:
    """`xs:boolean`; other letter case is read with a note."""
    stripped = text.strip(BLANKS)
    known = {"true": True, "1": True, "false": False, "0": False}
    value = known.get(stripped.lower())
    if value is None:
        raise element.error(
            f"{name} of <{element.shape.name}> is neither true nor false", got=_shown(text), expected="true or false"
        )
    if stripped not in known:
        notes.add("booleans are not in lower case", f"{stripped!r} in line {element.line}")
    return value


def time_value(element: Element, name: str, text: str, notes: Notes) -> datetime:
    """`xs:dateTime` with a zone, from 1601 on (the compiled form counts from there); digits below a microsecond are dropped."""
    match = _TIME.fullmatch(text.strip(BLANKS))
    if match is None or match[8] is None:
        raise element.error(
            f"{name} of <{element.shape.name}> is not a point in time",
            got=_shown(text),
            expected="YYYY-MM-DDThh:mm:ssZ",
            help="add the zone: without one its meaning depends on the machine that compiles the policy" if match else None,
        )
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    fraction = (match[7] or "").ljust(6, "0")
    if fraction[6:].strip("0"):
        notes.add("times are finer than a microsecond; the rest is dropped", f"line {element.line}")
    try:
        moment = datetime(year, month, day, hour, minute, second, int(fraction[:6]), tzinfo=_zone(match[8])).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = FILETIME_EPOCH
    if moment <= FILETIME_EPOCH:
        raise element.error(
            f"{name} of <{element.shape.name}> is no date after 1601", got=_shown(text), expected="a date that exists"
        )
    return moment


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def id_value(element: Element, name: str, notes: Notes, prefixes: tuple[str, ...] = ()) -> str:
    """An id or a reference to one. Broken patterns are noted: Windows compares ids only with one another."""
    text = element.attributes[name]
    identifier = text.strip(BLANKS)
    if not identifier:
        raise element.error(f"{name} of <{element.shape.name}> is empty", expected="an id")
    if identifier != text:
        notes.add("ids have blanks around them", f"{identifier!r} in line {element.line}")
    if prefixes and not (identifier.startswith(prefixes) and identifier.isupper()):
        notes.add(
            f"ids of <{element.shape.name}> do not follow the pattern {' or '.join(prefixes)}…",
            f"{identifier!r} in line {element.line}",
        )
    return identifier


def is_usual_id(text: str, prefixes: tuple[str, ...]) -> bool:
    """Whether `id_value` would have nothing to note."""
    return text.startswith(prefixes) and text.isupper() and text == text.strip(BLANKS)


def text_value(element: Element, name: str, notes: Notes) -> str | None:
    """A string that is compared with a file, as written. An empty one is stored like an absent one, so it is absent."""
    text = element.attributes.get(name)
    if text == "":
        notes.add("empty attributes count as absent", f"{name} in line {element.line}")
        return None
    if text is not None and text.isspace():
        notes.add("attributes consist of blanks", f"{name} in line {element.line}")
    return text


def one_of(element: Element, name: str, known: tuple[str, ...]) -> str:
    """A word of a closed list."""
    text = element.attributes[name].strip(BLANKS)
    if text not in known:
        raise element.error(
            f"{name} of <{element.shape.name}> is no known word",
            got=_shown(element.attributes[name]),
            expected=" or ".join(known),
        )
    return text
