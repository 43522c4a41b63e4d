"""A comparison of two policies for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from csv_gate.authoring.diff import PolicyDiff, PropertyChange
from csv_gate.authoring.meaning import Statement
from csv_gate.model.appcontrol import AppControlPolicy, Option
from csv_gate.report.escape import json_line, terminal
from csv_gate.report.options import ReportOptions

_ADDED, _REMOVED = "32", "31"
_LONGEST = 2_000


def render_diff(old: AppControlPolicy, new: AppControlPolicy, found: PolicyDiff, out: TextIO, options: ReportOptions) -> None:
    """Section by section; nothing is printed for policies of equal meaning."""
    if not found:
        return
    out.write(f"--- {terminal(old.path)} ({terminal(old.label)})\n+++ {terminal(new.path)} ({terminal(new.label)})\n")
    _section(out, "the policy itself", list(_property_lines(found)), options)
    sections = (
        ("becomes allowed", "+", found.becomes_allowed),
        ("no longer allowed", "-", found.no_longer_allowed),
        ("becomes denied", "+", found.becomes_denied),
        ("no longer denied", "-", found.no_longer_denied),
    )
    for title, sign, statements in sections:
        lines = [(sign, f"{statement.where}: {statement.what}") for statement in statements]
        _section(out, f"{title} ({len(statements)})", lines, options)


def _section(out: TextIO, title: str, lines: Sequence[tuple[str, str]], options: ReportOptions) -> None:
    if not lines:
        return
    out.write(f"\n{title}\n")
    for sign, text in lines:
        line = f"  {sign} {terminal(text, _LONGEST)}"
        out.write((f"\x1b[{_ADDED if sign == '+' else _REMOVED}m{line}\x1b[0m" if options.colour else line) + "\n")


def _property_lines(found: PolicyDiff) -> Iterator[tuple[str, str]]:
    for change in found.properties:
        if change.old is not None:
            yield "-", f"{change.name}: {change.old}"
        if change.new is not None:
            yield "+", f"{change.name}: {change.new}"
    yield from (("-", f"option {option_words(option)}") for option in found.options_removed)
    yield from (("+", f"option {option_words(option)}") for option in found.options_added)
    yield from (("-", f"{role}: {signer}") for role, signer in found.signers_removed)
    yield from (("+", f"{role}: {signer}") for role, signer in found.signers_added)


def option_words(option: Option) -> str:
    return option.text if option.number is None else f"{option.number} {option.text}"


def render_diff_json(old: AppControlPolicy, new: AppControlPolicy, found: PolicyDiff, out: TextIO) -> None:
    """One object, whether anything differs or not. Equal input gives equal bytes."""
    row = {
        "schema_version": "1",
        "old": _side(old),
        "new": _side(new),
        "differs": bool(found),
        "properties": [_change(change) for change in found.properties],
        "options": {
            "added": [option.text for option in found.options_added],
            "removed": [option.text for option in found.options_removed],
        },
        "signers": {
            "added": [{"role": role, "signer": signer} for role, signer in found.signers_added],
            "removed": [{"role": role, "signer": signer} for role, signer in found.signers_removed],
        },
        "becomes_allowed": _statements(found.becomes_allowed),
        "no_longer_allowed": _statements(found.no_longer_allowed),
        "becomes_denied": _statements(found.becomes_denied),
        "no_longer_denied": _statements(found.no_longer_denied),
    }
    out.write(json_line(row) + "\n")


def _side(policy: AppControlPolicy) -> dict[str, str | None]:
    return {"path": policy.path, "name": policy.name, "sha256": policy.sha256}


def _change(change: PropertyChange) -> dict[str, str | None]:
    return {"name": change.name, "old": change.old, "new": change.new}


def _statements(statements: Sequence[Statement]) -> list[dict[str, str | int]]:
    return [{"scenario": one.scenario, "group": one.group, "what": one.what} for one in statements]
