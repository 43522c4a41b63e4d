"""A policy's summary for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from csv_gate.authoring.diff_text import option_words
from csv_gate.authoring.show import PolicySummary, ScenarioSummary, SignerSummary
from csv_gate.authoring.words import quoted, scenario_name
from csv_gate.report.escape import json_line, terminal
from csv_gate.report.options import ReportOptions

_SIGNERS_SHOWN = 12
"""Per scenario and direction; `-v` shows all of them."""


def render_summary(found: PolicySummary, out: TextIO, options: ReportOptions) -> None:
    """One policy, a page or less of text."""
    title = terminal(found.name or "a policy without a name")
    out.write(f"\x1b[1m{title}\x1b[0m\n" if options.colour else f"{title}\n")
    out.write(f"  --> {terminal(found.path)}\n")
    for label, text in _head(found):
        out.write(f"   | {label:<9} {terminal(text)}\n")
    _block(out, "options", [option_words(option) for option in found.options] + _bits(found))
    _block(out, "contents", [f"{count} {what}" for what, count in found.counts.items() if count])
    _block(out, "file rules", [f"{count} {what}" for what, count in found.rule_counts.items()])
    for scenario in found.scenarios:
        _block(out, f"scenario for {scenario_name(scenario.value)}", list(_scenario_lines(scenario, options)))
    _block(
        out, "COM classes", [f"{host} {clsid}: {'allowed' if value == 'true' else value}" for host, clsid, value in found.com]
    )
    _block(out, "settings", [f"{name} = {value}" for name, value in found.settings])
    _block(out, "read with leniency", list(found.notes))


def _head(found: PolicySummary) -> Iterator[tuple[str, str]]:
    form = "XML" if found.form == "xml" else f"compiled, format {found.format_version}"
    yield "kind", f"{found.kind.replace('_', ' ')} policy, {form}"
    yield "version", found.version
    yield "id", found.policy_id + (" (PolicyTypeID of the single-policy format)" if found.is_single_policy else "")
    if found.base_policy_id != found.policy_id:
        yield "base", found.base_policy_id
    if found.info_id:
        yield "info id", found.info_id
    if found.friendly_name and found.friendly_name != found.name:
        yield "friendly", found.friendly_name
    yield "sha256", found.sha256
    if found.signature is None:
        yield "signature", "none"
    else:
        state = "valid" if found.signature.valid else "NOT VALID: " + "; ".join(found.signature.problems)
        yield (
            "signature",
            f"{state}, by {found.signature.subject or 'an unknown signer'} ({found.signature.thumbprint_sha1 or '?'})",
        )


def _bits(found: PolicySummary) -> list[str]:
    return [f"unknown bits {found.unknown_option_bits:#010x}"] if found.unknown_option_bits else []


def _block(out: TextIO, title: str, lines: Sequence[str]) -> None:
    if lines:
        out.write(f"\n{title}\n" + "".join(f"  {terminal(line)}\n" for line in lines))


def _scenario_lines(scenario: ScenarioSummary, options: ReportOptions) -> Iterator[str]:
    yield f"{scenario.allow_rules} allow rules, {scenario.deny_rules} deny rules" + (
        f", {scenario.exceptions} exceptions of signers" if scenario.exceptions else ""
    )
    for word, signers in (("allowed", scenario.allowed), ("denied", scenario.denied)):
        if not signers:
            continue
        yield f"{sum(one.count for one in signers)} {word} signers:"
        shown = signers if options.verbosity > 0 else signers[:_SIGNERS_SHOWN]
        yield from (f"  {_signer(one)}" for one in shown)
        if len(shown) < len(signers):
            yield f"  … and {len(signers) - len(shown)} more groups; -v shows them"
    yield from (f"tag {key} = {value}" for key, value in scenario.tags)


def _signer(one: SignerSummary) -> str:
    who = f"{quoted(one.publisher)} under " if one.publisher is not None else "any publisher under "
    narrowed = f", {one.file_attributes} file attributes" if one.file_attributes else ""
    return f"{who}{one.root}" + (
        f" ({one.count} signers{narrowed})" if one.count > 1 else f" ({narrowed[2:]})" if narrowed else ""
    )


def render_summaries_json(found: Sequence[PolicySummary], out: TextIO) -> None:
    """One object for all policies; equal input gives equal bytes."""
    out.write(json_line({"schema_version": "1", "policies": [_json(one) for one in found]}) + "\n")


def _json(found: PolicySummary) -> dict[str, object]:
    signature = found.signature
    return {
        "path": found.path,
        "sha256": found.sha256,
        "name": found.name,
        "info_id": found.info_id,
        "friendly_name": found.friendly_name,
        "kind": found.kind,
        "form": found.form,
        "format_version": found.format_version,
        "version": found.version,
        "policy_id": found.policy_id,
        "base_policy_id": found.base_policy_id,
        "single_policy": found.is_single_policy,
        "signature": None
        if signature is None
        else {
            "valid": signature.valid,
            "subject": signature.subject,
            "thumbprint_sha1": signature.thumbprint_sha1,
            "problems": list(signature.problems),
        },
        "options": [{"number": option.number, "text": option.text} for option in found.options],
        "unknown_option_bits": found.unknown_option_bits,
        "counts": dict(found.counts),
        "rule_counts": dict(found.rule_counts),
        "scenarios": [_scenario_json(scenario) for scenario in found.scenarios],
        "com": [{"host": host, "class": clsid, "value": value} for host, clsid, value in found.com],
        "settings": [{"name": name, "value": value} for name, value in found.settings],
        "notes": list(found.notes),
    }


def _scenario_json(scenario: ScenarioSummary) -> dict[str, object]:
    return {
        "value": scenario.value,
        "friendly_name": scenario.friendly_name,
        "allow_rules": scenario.allow_rules,
        "deny_rules": scenario.deny_rules,
        "exceptions": scenario.exceptions,
        "allowed_signers": [_signer_json(one) for one in scenario.allowed],
        "denied_signers": [_signer_json(one) for one in scenario.denied],
        "tags": [{"key": key, "value": value} for key, value in scenario.tags],
    }


def _signer_json(one: SignerSummary) -> dict[str, object]:
    return {"root": one.root, "publisher": one.publisher, "count": one.count, "file_attributes": one.file_attributes}
