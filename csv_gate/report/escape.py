"""One escape for each dialect, used by every reporter.

A build output is untrusted: an artifact may be *named* `::error::x`, `##vso[task.complete]`, `<script>` or anything with line
breaks, terminal codes, bidirectional marks and bytes that are no text. Each function here takes such a string and returns one
that is inert where the function's name says it goes. Sources: GitHub docs, workflow commands; Azure DevOps docs, logging
commands; XML 1.0 section 2.2; GitHub Flavored Markdown 2.4 and 6; HTML standard, script data state.
"""

from __future__ import annotations

import re
from typing import Any

from csv_gate.lazy import regex
from csv_gate.model.result_json import dump

_AZURE_COMMAND = regex(r"##(?=(?:vso)?\[)", re.IGNORECASE)
"""The agent looks for a command anywhere in a line, in any letter case."""
_GITHUB_COMMAND = regex(r"(?<![^ ]):(?=:)")
"""The runner looks for a command at the start of a line, behind spaces; text is only ever wrapped at spaces."""
_JSON_SPEAKS = regex("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_MARKDOWN = regex(r"[\\`*_{}\[\]()#+\-.!|~>$:@/=^\"']")


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """One line of printable characters: controls, bidirectional and zero-width marks, odd spaces and stray bytes become `\\x1b`,
    `\\u202e` and the like. The base of all dialects for people."""
    return text if text.isprintable() else "".join(map(_seen, text))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters; what is too long loses its middle, so that both a folder and a file name stay to be seen."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return text[: limit - 1 - tail] + "…" + text[len(text) - tail :]


def terminal(text: str, limit: int = 600) -> str:
    """For a console or a CI log: visible, and neither an Azure nor a GitHub command can start in it, even when it is wrapped."""
    inert = visible(text)
    if "##" in inert:
        inert = _AZURE_COMMAND.sub(r"#\\x23", inert)
    return clip(_GITHUB_COMMAND.sub(r"\\x3a", inert) if "::" in inert else inert, limit)


def xml(text: str, limit: int = 65_536) -> str:
    """Text and double-quoted attributes of XML 1.0. One line; characters that XML cannot hold are shown as escapes."""
    import html  # with its table of entities

    return html.escape(terminal(text, limit), quote=True)


def json_line(value: Any) -> str:
    """One line of JSON with the same value, in which what a terminal or an agent would obey stands as `\\u` escapes."""
    return inert_json(dump(value))


def inert_json(text: str) -> str:
    """JSON in which what a terminal or an agent would obey stands as `\\u` escapes, which may only be in its strings."""
    if not text.isascii() or "\x7f" in text:
        text = _JSON_SPEAKS.sub(lambda found: _json_escape(found.group()), text)
    return _AZURE_COMMAND.sub(r"\\u0023\\u0023", text) if "##" in text else text


def _json_escape(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def script_json(value: Any) -> str:
    """JSON inside `<script type="application/json">`: no `<`, `>` or `&` is left that could end or nest the element."""
    text = json_line(value)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def html_text(text: str, limit: int = 65_536) -> str:
    """Text and quoted attributes of HTML."""
    return xml(text, limit)


def github_data(text: str, limit: int = 4_000) -> str:
    """The message of a workflow command. `text` may have our own line breaks: each becomes `%0A`."""
    return "%0A".join(terminal(line, limit).replace("%", "%25") for line in text.split("\n"))


def github_property(text: str, limit: int = 1_000) -> str:
    """A property of a workflow command. One line."""
    return terminal(text, limit).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def azure_data(text: str, limit: int = 4_000) -> str:
    """The message of a logging command. One line."""
    return terminal(text, limit).replace("%", "%AZP25")


def azure_property(text: str, limit: int = 1_000) -> str:
    """A property of a logging command. One line."""
    return terminal(text, limit).replace("%", "%AZP25").replace("]", "%5D").replace(";", "%3B")


def markdown(text: str, limit: int = 1_000) -> str:
    """Plain text within Markdown, in a table cell too: every character with a meaning is a character reference.

    References and not backslashes, because `@team`, `#12` and bare addresses have meaning without any character that a backslash
    would disarm.
    """
    plain = terminal(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKDOWN.sub(lambda found: f"&#{ord(found.group())};", plain)


def markdown_code(text: str, limit: int = 1_000) -> str:
    """A code span, in a table cell too. As HTML, because a span of backticks cannot hold `|` in a table nor any run of backticks."""
    return f"<code>{markdown(text, limit)}</code>"
