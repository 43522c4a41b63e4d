"""Version bounds of file rules: from what XML says to the pair of numbers in the compiled policy, and back.

The compiled policy always stores two numbers per rule. Which numbers the native compiler writes for an attribute that is absent
depends on the kind of rule; the pairs below were read out of policy binaries that Windows' own ConfigCI wrote (format 7):

| XML | Deny | Allow, FileAttrib |
|---|---|---|
| neither | maximum version, 0 | 0, 0 |
| minimum X only | X, 0 | X, 0 |
| maximum X only | 0, X | 0, X |
| both | as given | as given |

A Deny with only a maximum has no native sample; other compilers write the same pair. So the compiled form can't tell "maximum X"
from "minimum 0.0.0.0, maximum X", nor, for Allow and FileAttrib, "minimum 0.0.0.0" from nothing at all.
"""

from __future__ import annotations

from csv_gate.model.appcontrol import VERSION_MAX, FileRuleKind, VersionBounds

ABSENT = {
    FileRuleKind.DENY: VersionBounds(minimum=VERSION_MAX, maximum=0),
    FileRuleKind.ALLOW: VersionBounds(minimum=0, maximum=0),
    FileRuleKind.ATTRIBUTE: VersionBounds(minimum=0, maximum=0),
}
"""What the native compiler stores for a rule without versions."""

UNLIMITED = frozenset({(0, 0), (0, VERSION_MAX), (VERSION_MAX, 0), (VERSION_MAX, VERSION_MAX)})
"""Pairs that compilers write beside a hash, where versions mean nothing."""


def encode_bounds(kind: FileRuleKind, minimum: int | None, maximum: int | None) -> VersionBounds:
    """The stored pair for what a rule's XML says; `None` is an absent attribute."""
    if minimum is None and maximum is None:
        return ABSENT[kind]
    return VersionBounds(minimum=minimum or 0, maximum=maximum or 0)


def decode_bounds(kind: FileRuleKind, bounds: VersionBounds) -> tuple[int | None, int | None]:
    """The fewest XML attributes that encode to `bounds` again: (minimum, maximum), `None` for an attribute to leave out."""
    if bounds == ABSENT[kind]:
        return None, None
    if bounds.maximum == 0:
        return bounds.minimum, None
    if bounds.minimum == 0:
        return None, bounds.maximum
    return bounds.minimum, bounds.maximum
