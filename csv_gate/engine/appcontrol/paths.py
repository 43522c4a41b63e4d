"""File-path rules: macros, both wildcard grammars, and who may write to the place.

User mode only. An allowing path counts only where administrators alone can write, unless option 18 lifts that; a denying one always
counts. `%OSDRIVE%` is read as `C:`; give install paths with macros where Windows lives elsewhere. Not modelled: short names, links
and junctions on the target.

Source: App Control docs, "Understand App Control policy rules and file rules" (more information about filepath rules).
"""

from __future__ import annotations

from csv_gate.engine.appcontrol.names import sure_key, wide_key
from csv_gate.engine.appcontrol.truth import (
    CONTEXT,
    DENY,
    FALSE,
    NOT_SPECIFIED,
    OPEN,
    TRUE,
    Answer,
    Direction,
    Truth,
    all_of,
    no,
    unknown,
    yes,
)
from csv_gate.model.context import AppControlContext

WINDOWS_11 = 22000
"""First build that takes several `*` anywhere, and `?`."""
_MACROS = (("%SYSTEM32%", "C:\\WINDOWS\\SYSTEM32"), ("%WINDIR%", "C:\\WINDOWS"), ("%OSDRIVE%", "C:"))


def expand(path: str) -> str:
    """Write macros out; slashes become backslashes."""
    text = path.replace("/", "\\")
    for macro, value in _MACROS:
        if text[: len(macro)].upper() == macro:
            return value + text[len(macro) :]
    return text


def path_matches(
    rule_path: str, direction: Direction, context: AppControlContext, *, kernel: bool, unprotected: Truth
) -> Answer:
    """Compare a rule's path with the place of the artifact on the target.

    `unprotected`: whether option 18 lifts the check of who may write there.
    """
    if kernel:
        return no("path rules do not count for kernel code")
    if context.install_path is None:
        return unknown(CONTEXT, "the path of the artifact on the target (`install_path`)")
    if any(part in ("..", ".") for part in context.install_path.replace("/", "\\").split("\\")):
        return unknown(CONTEXT, f"the path of the artifact on the target without dots: {context.install_path!r}")
    matched = _place_matches(rule_path, direction, context)
    if direction is DENY or matched.truth is FALSE:
        return matched
    return all_of((matched, _protected(context, unprotected)))


def _place_matches(rule_path: str, direction: Direction, context: AppControlContext) -> Answer:
    installed = expand(context.install_path or "")
    pattern = expand(rule_path)
    differs = no(f"the path on the target is {context.install_path!r}, the rule wants {rule_path!r}")
    if not wildcard_match(wide_key(pattern), wide_key(installed)):
        return differs
    if not wildcard_match(sure_key(pattern), sure_key(installed)):
        return unknown(
            CONTEXT, f"whether Windows takes {context.install_path!r} for {rule_path!r}, which differ in letters of rare case"
        )
    if not _is_old_grammar(pattern) and (context.os_build is None or context.os_build < WINDOWS_11):
        if context.os_build is None:
            return unknown(
                CONTEXT, f"the Windows build of the target (`os_build`): {rule_path!r} needs the wildcards of Windows 11"
            )
        if direction is DENY:
            return unknown(NOT_SPECIFIED, f"what a Windows before 11 makes of the wildcards in {rule_path!r}")
        return differs
    return yes(f"the path on the target matches {rule_path!r}")


def _is_old_grammar(pattern: str) -> bool:
    """One `*`, first or last, and no `?`: what every version understands."""
    if "?" in pattern or pattern.count("*") > 1:
        return False
    return "*" not in pattern or pattern[0] == "*" or pattern[-1] == "*"


def wildcard_match(pattern: str, text: str) -> bool:
    """`*` is any run of characters, separators included, `?` is one. Linear memory, at worst pattern × text steps."""
    at = place = 0
    star, retry = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, retry = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return all(rest == "*" for rest in pattern[at:])


def _protected(context: AppControlContext, unprotected: Truth) -> Answer:
    if unprotected is TRUE or context.is_user_writable is False:
        return yes("")
    if context.is_user_writable is None:
        return unknown(CONTEXT, "whether users may write to the path on the target (`user_writable`)")
    if unprotected is OPEN:
        return unknown(CONTEXT, "whether option 18 of one policy of base and supplemental lifts the write check for the other")
    return no("users may write to the path on the target, the rule wants a place that administrators alone can write")
