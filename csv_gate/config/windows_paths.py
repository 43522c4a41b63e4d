"""Windows paths as people state them: only spellings that name one place, and by which rules of a policy can be compared.

A path that Windows would rewrite before it looks (`a.dll.`, `C:/x`, `\\\\?\\C:\\x`, `PROGRA~1`) could slip past a deny rule for the place
that it really means ("Naming Files, Paths, and Namespaces", learn.microsoft.com), so it is refused or gives no path at all.
"""

from __future__ import annotations

import re

from csv_gate.lazy import regex

EXPECTED = r"an absolute path such as C:\Program Files\App or %WINDIR%\App"

# The macros are those that path rules know (learn.microsoft.com, "Understand App Control policy rules and file rules").
_ROOT = regex(
    r"(?:[A-Za-z]:|%(?:OSDRIVE|WINDIR|SYSTEM32)%|\\\\[^\\/:*?\"<>|.][^\\/:*?\"<>|]*\\[^\\/:*?\"<>|]+)(?=\\|\Z)", re.IGNORECASE
)
_FORBIDDEN = regex(r'[\x00-\x1f\\/:*?"<>|]')
_SHORT_NAME = regex(r"~\d")


def is_plain_name(name: str) -> bool:
    """Whether Windows takes the name as it stands: one name, nothing stripped, no alternate stream, no short name."""
    return bool(name) and _FORBIDDEN.search(name) is None and name[-1] not in ". " and _SHORT_NAME.search(name) is None


def path_fault(path: str) -> str | None:
    """What is wrong with a stated install path, or `None`. A trailing backslash is fine."""
    root = _ROOT.match(path)
    if root is None:
        return "it is not absolute, or begins with something that path rules don't know"
    names = path[root.end() :].removesuffix("\\").split("\\")[1:]
    wrong = next((name for name in names if not is_plain_name(name)), None)
    return None if wrong is None else f"Windows would not take the name {wrong!r} as it stands"
