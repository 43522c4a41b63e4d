"""EKU values of policies: an OBJECT IDENTIFIER whose tag octet 06 is replaced by 01 (App Control docs, EKU examples)."""

from __future__ import annotations

_TAG = 0x01
_LONGEST = 0x7F
"""Short-form length only; the longest EKU in use has 10 octets."""


def oid_from_value(value: bytes) -> str | None:
    """Dotted text of a stored EKU value (01, length, octets); `None` when it is not one."""
    if len(value) < 3 or value[0] != _TAG or value[1] > _LONGEST or value[1] != len(value) - 2 or value[-1] & 0x80:
        return None
    arcs: list[int] = []
    number = 0
    for octet in value[2:]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, (root, arcs[0] - 40 * root, *arcs[1:])))


def value_from_oid(text: str) -> bytes | None:
    """Stored value of a dotted identifier; `None` when the text is not one or is longer than any stored value."""
    parts = text.split(".")
    if not 2 <= len(parts) <= _LONGEST or not all(part.isascii() and part.isdigit() and len(part) < 40 for part in parts):
        return None
    first, second, *rest = map(int, parts)
    if first > 2 or (first < 2 and second > 39):
        return None
    body = b"".join(_base128(number) for number in (40 * first + second, *rest))
    return bytes((_TAG, len(body))) + body if len(body) <= _LONGEST else None


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))
