"""Version bounds by direction, on the pair of numbers that a compiled policy stores.

The version is the numeric one of VS_FIXEDFILEINFO. Under *allow* a minimum is a floor. Under *deny* a minimum without a maximum is a
ceiling: everything up to it is denied.

Sources: App Control docs, "Understand App Control policy rules and file rules" (note on MinimumFileVersion in deny rules) and
"Create a deny policy"; how the pairs are stored was read from natively compiled policies.
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.truth import ALLOW, DENY, FACT, NOT_SPECIFIED, TRUE, Answer, Direction, no, unknown, yes
from csv_gate.model.appcontrol import VERSION_MAX, VersionBounds, version_text

_AMBIGUOUS = (
    "what a denying rule without versions (stored as 0.0.0.0 to 0.0.0.0) means: by the rule that a minimum "
    "alone is a ceiling it "
    "denies version 0.0.0.0 only, by its writer's intent every version; an explicit 0.0.0.0 to 65535.65535.65535.65535 would say it"
)
_EMPTY_RANGE = (
    "what a denying rule means whose versions no file has: a minimum above the maximum, or one of 65535.65535.65535.65535, which "
    "alone stands for every version"
)


def is_unbounded(bounds: VersionBounds, direction: Direction) -> bool:
    """Whether the pair puts no limit at all."""
    if direction is ALLOW:
        return bounds.minimum == 0 and bounds.maximum in (0, VERSION_MAX)
    return (bounds.minimum == VERSION_MAX and bounds.maximum == 0) or (bounds.minimum == 0 and bounds.maximum == VERSION_MAX)


def version_matches(bounds: VersionBounds, direction: Direction, version: int | None, gap: str | None) -> Answer:
    """Compare a packed version; `None` without a gap is a file that carries no version."""
    if is_unbounded(bounds, direction):
        return yes("")
    if version is None and gap is not None:
        return unknown(FACT, f"the file version ({gap})")
    answer = _compare(bounds, direction, version or 0)
    if version is None and (answer.truth is TRUE or direction is DENY):
        return unknown(NOT_SPECIFIED, "what a version bound means for a file without a version")
    return answer


def _compare(bounds: VersionBounds, direction: Direction, version: int) -> Answer:
    low, high = bounds.minimum, bounds.maximum
    shown = version_text(version)
    if high == 0:
        if direction is ALLOW:
            return yes(f"version {shown} is at least {version_text(low)}") if version >= low else _too_low(shown, low)
        if low == 0 and version != 0:
            return unknown(NOT_SPECIFIED, _AMBIGUOUS)
        if version <= low:
            return yes(f"version {shown} is not above {version_text(low)}, up to which the rule denies")
        return no(f"version is {shown}, the rule denies up to {version_text(low)}")
    if direction is DENY and (low > high or low == VERSION_MAX):
        return unknown(NOT_SPECIFIED, _EMPTY_RANGE)
    if version < low:
        return _too_low(shown, low)
    if version > high:
        return no(f"version is {shown}, the rule ends at {version_text(high)}")
    return yes(f"version {shown} is within {version_text(low)} to {version_text(high)}")


def _too_low(shown: str, low: int) -> Answer:
    return no(f"version is {shown}, the rule starts at {version_text(low)}")
