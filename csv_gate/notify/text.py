"""The words of a page, and the escapes of the places it is said in. What comes from an artifact is attacker-controlled."""

from __future__ import annotations

import unicodedata

from csv_gate.notify.page import Cause, Page

MAX_LINE_CHARACTERS = 400


def plain(text: str) -> str:
    """Text on one line with nothing that a terminal, a log or a chat client would act upon: control and format characters (bidirectional
    marks among them) and surrogates become visible escapes."""
    return "".join(
        character
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else (f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}")
        for character in text
    )


def cut(text: str, characters: int) -> str:
    """The text, with its end left out where it is longer."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def lines_of_cause(cause: Cause) -> list[str]:
    """One cause for people: what, why, which artifacts, what to do."""
    count = f": {cause.artifacts} artifact{'s' if cause.artifacts != 1 else ''}" if cause.artifacts else ""
    lines = [f"{cause.label}{count}", f"  {cause.message}"]
    lines += [f"  - {path}" for path in cause.examples]
    if cause.artifacts > len(cause.examples):
        lines.append(f"  - and {cause.artifacts - len(cause.examples)} more")
    if cause.help:
        lines.append(f"  help: {cause.help}")
    return [cut(plain(line), MAX_LINE_CHARACTERS) for line in lines]


def lines_of_page(page: Page) -> list[str]:
    """All causes of a page, a blank line between them."""
    lines: list[str] = []
    for cause in page.causes:
        lines += [*([""] if lines else []), *lines_of_cause(cause)]
    return lines
