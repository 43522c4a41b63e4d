"""Names in a suggested policy: ids made of what they name, and untrusted text that XML can hold."""

from __future__ import annotations

import hashlib
import json
import re

# Ranges up to the end of Unicode take `re` milliseconds to compile, so this is left to who first asks.
_FORBIDDEN = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_CONTROL = "[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_LONGEST = 200
"""Characters of a text that is there for people only."""


def content_id(prefix: str, *parts: object) -> str:
    """An id that the same content always has, and other content has not."""
    return prefix + hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:16].upper()


def is_writable(text: str) -> bool:
    """Whether XML can hold the text exactly."""
    return _is_plain(text) or re.search(_FORBIDDEN, text) is None


def shown(text: str) -> str:
    """The text for people: what XML can't hold, or a terminal would obey, as question marks; cut where it is long."""
    cut = text if len(text) <= _LONGEST else "…" + text[-_LONGEST:]
    return cut if _is_plain(cut) else re.sub(_CONTROL, "?", cut)


def _is_plain(text: str) -> bool:
    """Nearly all text is; asking the expressions costs milliseconds the first time."""
    return text.isascii() and text.isprintable()
