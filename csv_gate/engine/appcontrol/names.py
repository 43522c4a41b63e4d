"""Comparing names as Windows does: ordinal, without regard to case, never trimmed.

Windows upper-cases one UTF-16 unit at a time by a table of its own (`RtlUpcaseUnicodeChar`); Python's case folding is richer. Two keys
keep both errors out: `sure_key` changes only letters on which every version of both tables agrees, `wide_key` folds everything that
any table might. Equal sure keys match, different wide keys do not, and what lies between is unknown.

Source: App Control docs, "Understand App Control policy rules and file rules" (file name levels); Win32 docs, "Handling Sorting in
Your Applications" (ordinal comparison).
"""

from __future__ import annotations

from functools import lru_cache

from csv_gate.engine.appcontrol.truth import FALSE, NOT_SPECIFIED, Answer, no, unknown, yes

_SURE = {
    **{code: code - 0x20 for code in range(ord("a"), ord("z") + 1)},
    **{code: code - 0x20 for code in range(0xE0, 0xFF) if code != 0xF7},  # Latin-1 without the division sign and ÿ
    **{code: code - 0x20 for code in range(0x3B1, 0x3CA) if code != 0x3C2},  # Greek without the final sigma
    **{code: code - 0x20 for code in range(0x430, 0x450)},  # Cyrillic
    **{code: code - 0x50 for code in range(0x450, 0x460)},
}


@lru_cache(maxsize=8192)
def sure_key(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_SURE)


@lru_cache(maxsize=8192)
def wide_key(text: str) -> str:
    return text.lower() if text.isascii() else text.upper().casefold()


def same_name(value: str, wanted: str, label: str) -> Answer:
    """Ordinal comparison without case."""
    if sure_key(value) == sure_key(wanted):
        return yes(f"{label} is {value!r}")
    if wide_key(value) == wide_key(wanted):
        return unknown(
            NOT_SPECIFIED, f"whether Windows takes the {label} {value!r} for {wanted!r}, which differ in letters of rare case"
        )
    return no(f"{label} is {value!r}, the rule wants {wanted!r}")


def same_case_sensitive(value: str | None, wanted: str, label: str) -> Answer:
    """For names of certificates and programmes: the case rule is not published, so a mere case difference is unknown."""
    if value is None:
        return no(f"there is no {label}, the rule wants {wanted!r}")
    if value == wanted:
        return yes(f"{label} is {value!r}")
    answer = same_name(value, wanted, label)
    if answer.truth is FALSE:
        return answer
    return unknown(
        NOT_SPECIFIED,
        f"whether the {label} {value!r} counts as {wanted!r}: only the case differs, and how Windows compares it is not published",
    )
