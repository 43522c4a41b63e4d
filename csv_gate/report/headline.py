"""The run in a few words, the same in every report that has room for a headline."""

from __future__ import annotations

from csv_gate.model.result import RunResult, Summary, TargetRef


def counted(summary: Summary) -> tuple[tuple[str, int], ...]:
    """Word and number, gravest first. Of requirements only where some are not met."""
    return (
        ("denied", summary.denied - summary.audited),
        *((("not meeting a requirement", summary.unmet),) if summary.unmet else ()),
        ("denied in audit mode only", summary.audited),
        ("undecided", summary.undecided),
        ("waived", summary.waived),
        ("allowed", summary.allowed),
        ("not applicable", summary.not_applicable),
        ("excluded", summary.excluded),
        ("skipped", summary.skipped),
        ("containers opened", summary.containers),
    )


def headline(result: RunResult) -> str:
    """What a person must know if they read nothing else."""
    summary = result.summary
    blocked = summary.denied - summary.audited
    of_all = f"of {summary.artifacts} artifact{'s' * (summary.artifacts != 1)}"
    unmet = f"{'do' if summary.unmet != 1 else 'does'} not meet a requirement"
    if blocked:
        return f"{blocked} {of_all} would be blocked" + (f", {summary.unmet} {unmet}" if summary.unmet else "")
    if summary.unmet:
        return f"{summary.unmet} {of_all} {unmet}"
    if summary.undecided:
        return f"{summary.undecided} {of_all} could not be decided"
    if not summary.artifacts:
        return "nothing was checked"
    checked = f"{summary.artifacts} artifact{'s' * (summary.artifacts != 1)} checked"
    if not result.targets:
        return f"{checked}, all meet what is required" if summary.exit_code == 0 else f"{checked}, with errors"
    return f"{checked}, none would be blocked" if summary.exit_code == 0 else f"{checked}, with errors"


def mode_words(target: TargetRef) -> str:
    """By which mode a target was judged: most published templates are in audit mode, and a reader must know."""
    if target.mode == "audit":
        return f"{target.name} (audit: denials are logged, nothing is blocked)"
    return f"{target.name} (enforced)"
