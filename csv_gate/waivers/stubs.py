"""`--write-waivers`: a waiver file with an entry for everything that fails, as narrow as can be.

The reason is left empty on purpose, and the reader refuses an empty one: somebody has to write it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date

from csv_gate.model.result import ArtifactResult
from csv_gate.model.verdict import Level
from csv_gate.waivers.applying import charged
from csv_gate.waivers.model import WAIVERS_VERSION

_Key = tuple[str | None, str | None, tuple[str, ...], tuple[str, ...]]


def write_stubs(artifacts: Iterable[ArtifactResult], *, expires: date, fail_on: Level | None = Level.ERROR) -> str:
    """The text of a waiver file; artifacts that are waived already or don't fail have no entry. Sorted by path.

    One entry per content and cause, so that a file shipped at five paths is excused once.
    """
    groups: dict[_Key, list[str]] = {}
    owners: dict[_Key, str] = {}
    for result in artifacts:
        checks, targets = charged(result, fail_on)
        if result.waiver is not None or not (checks or targets):
            continue
        facts = result.artifact.facts
        sha256 = facts.digests.sha256 if facts.digests else None
        key = (sha256, None if sha256 else result.artifact.path, checks, targets)
        groups.setdefault(key, []).append(result.artifact.path)
        owners.setdefault(key, result.owner.name if result.owner else "")
    lines = [f"version: {WAIVERS_VERSION}", "waivers:" if groups else "waivers: []"]
    for key, paths in sorted(groups.items(), key=lambda item: (sorted(item[1]), repr(item[0]))):
        lines += _entry(key, sorted(paths), owners[key], expires)
    return "\n".join(lines) + "\n"


def _entry(key: _Key, paths: list[str], owner: str, expires: date) -> list[str]:
    sha256, path, checks, targets = key
    name = hashlib.sha256(repr(key).encode("utf-8", "backslashreplace")).hexdigest()[:10]
    lines = [
        *(f"  # {quoted(shipped)}" for shipped in paths),
        f"  - id: W-{name}",
        '    reason: ""',
        f"    owner: {quoted(owner)}",
        f"    expires: {expires.isoformat()}",
        "    match:",
    ]
    if sha256 is not None:
        lines.append(f"      sha256: {quoted(sha256)}")
    if path is not None:
        lines.append(f"      paths: {quoted(as_glob(path))}")
    if checks:
        lines.append(f"      checks: [{', '.join(checks)}]")
    if targets:
        lines.append(f"      targets: [{', '.join(map(quoted, targets))}]")
    return lines


def as_glob(path: str) -> str:
    """The pattern that means exactly this path (or what is below it, were it a folder)."""
    escaped = re.sub(r"([*?\[\]\\!])", r"\\\1", path)
    return "/" + escaped.lstrip("/")


def quoted(text: str) -> str:
    """A YAML double-quoted scalar of one line. Whatever is not plainly printable is escaped, whoever made it up."""
    return '"' + "".join(_quoted_character(char) for char in text) + '"'


def _quoted_character(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable() and not "\ud800" <= char <= "\udfff":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
