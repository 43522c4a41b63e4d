"""Common names of certificates where it is open which text Windows compares.

A subject may hold several common names, and a name may hold a NUL, behind which a reader of C strings stops, or octets that are no
text of the type that they claim. Which text code integrity sees then is not published. Rules that fit none of the texts do not match;
for the others it is unknown, also for denying. The distinguished name is RFC 4514 text as the certificate's facts hold it, untrusted.

Sources: RFC 5280, section 4.1.2.4 and appendix A.1 (string types); RFC 4514, sections 2 and 3; App Control docs, "Understand App
Control policy rules and file rules" (Publisher is the common name of the leaf).
"""

from __future__ import annotations

import re
from functools import lru_cache

from csv_gate.engine.appcontrol.names import same_case_sensitive, wide_key
from csv_gate.engine.appcontrol.truth import ALLOW, NOT_SPECIFIED, Answer, Direction, no, unknown
from csv_gate.lazy import regex

_UNREADABLE = "\ufffd"
_PART = regex(r"(?:^|[,+])([^=,+]+)=((?:\\.|[^\\,+])*)", re.S)
_ESCAPED = regex(r"\\([0-9A-Fa-f]{2}|.)", re.S)


@lru_cache(maxsize=4096)
def spellings(name: str, common_name: str | None) -> tuple[str, ...] | None:
    """Every text that may be taken for the common name of a distinguished name; `None`: any text may."""
    if common_name is None or _UNREADABLE in name or _UNREADABLE in common_name:
        return None
    texts = dict.fromkeys((common_name, *(_unescaped(value) for kind, value in _PART.findall(name) if kind == "CN")))
    return tuple(dict.fromkeys(part for text in texts for part in (text, text.partition("\0")[0])))


def common_name_matches(name: str, common_name: str | None, wanted: str, label: str, direction: Direction) -> Answer:
    """Compare what a rule wants with the common name of a distinguished name."""
    if common_name is None and direction is ALLOW:
        return no(f"there is no {label}, the rule wants {wanted!r}")
    return _matches(spellings(name, common_name), common_name, wanted, label)


def text_matches(text: str | None, wanted: str, label: str) -> Answer:
    """Compare a text of a signature that is no distinguished name."""
    return same_case_sensitive(None, wanted, label) if text is None else _matches(spellings("", text), text, wanted, label)


def _matches(found: tuple[str, ...] | None, text: str | None, wanted: str, label: str) -> Answer:
    if found is None:
        return unknown(NOT_SPECIFIED, f"what Windows takes for the {label}: the certificate or signature has no readable one")
    if len(found) == 1:
        return same_case_sensitive(found[0], wanted, label)
    if wide_key(wanted) in map(wide_key, found):
        return unknown(
            NOT_SPECIFIED, f"which of several texts Windows takes for the {label}: {', '.join(map(repr, found[:5]))}"
        )
    return no(f"{label} is {text!r}, the rule wants {wanted!r}")


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value  # nearly all, and the pattern is not even compiled
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if len(match[1]) == 2 else match[1], value)
