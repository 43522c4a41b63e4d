"""Waivers against results. Pure: the day is handed in.

A waiver changes no verdict and no finding: it says that a person answers for them. An artifact counts as waived only when
everything about it that fails the build is excused; one reason left over and nothing is waived. `undecided` is excused only by
a waiver that names the check: an exception for "the policy denies this" must not swallow "we could not look".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from csv_gate.model.checks import CHECKS
from csv_gate.model.checks.requirements import OPEN_CHECK
from csv_gate.model.result import ArtifactResult, Finding, Owner
from csv_gate.model.verdict import Decision, Level
from csv_gate.records import dataclass, replace
from csv_gate.waivers.model import Waived, Waiver, WaiverFile

SOON = timedelta(days=14)
"""Two weeks: one sprint to mend the cause."""


@dataclass(frozen=True, slots=True)
class _Charge:
    """One thing that fails the build."""

    check: str | None
    target: str | None
    by_name: bool
    """Only a waiver that names the check excuses it."""


def apply(result: ArtifactResult, waivers: WaiverFile, today: date, *, fail_on: Level | None = Level.ERROR) -> Waived:
    """Set `waiver` where every reason to fail is excused.

    `fail_on`: from which level on a finding fails; `None`: findings never do. Where several waivers are needed, the one that ends first
    is named: with it the whole ends.
    """
    facts = result.artifact.facts
    sha256 = facts.digests.sha256 if facts.digests else None
    mine = [waiver for waiver in waivers if waiver.holds(today) and waiver.means(result.artifact.path, sha256)]
    if not mine:
        return Waived(result=result)
    charges = sorted(
        set(_charges(result, fail_on)), key=lambda charge: (charge.check or "", charge.target or "", charge.by_name)
    )
    excuses = [_excuse(charge, mine) for charge in charges]
    used = [waiver for waiver in excuses if waiver is not None]
    ids = frozenset(waiver.id for waiver in used)
    if not charges or len(used) < len(charges):
        return Waived(result=result, used=ids)
    first = min(used, key=lambda waiver: (waiver.expires, waiver.id))
    return Waived(result=replace(result, waiver=first.ref()), used=ids)


def _charges(result: ArtifactResult, fail_on: Level | None) -> Iterator[_Charge]:
    """Verdicts count by themselves, whether or not a finding repeats them."""
    for verdict in result.verdicts:
        undecided = verdict.decision is Decision.UNDECIDED
        if undecided or (verdict.decision is Decision.DENIED and not verdict.audited):
            for check in verdict.checks or (None,):
                yield _Charge(check, verdict.target, undecided or _is_undecided(check))
    for finding in result.findings:
        # What is undecided fails also where findings never do.
        threshold = fail_on or (Level.ERROR if finding.check == OPEN_CHECK else None)
        if threshold is not None and finding.level.rank >= threshold.rank:
            yield _Charge(finding.check, finding.target, _is_undecided(finding.check))


def charged(result: ArtifactResult, fail_on: Level | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The checks and the targets of everything that fails the build, each sorted. No targets where a reason holds for all of them."""
    charges = list(_charges(result, fail_on))
    checks = {charge.check for charge in charges if charge.check is not None}
    targets = {charge.target for charge in charges if charge.target is not None}
    return tuple(sorted(checks)), () if any(charge.target is None for charge in charges) else tuple(sorted(targets))


def _is_undecided(check: str | None) -> bool:
    """CSV8xx: the gate could not look."""
    return check is not None and check.startswith("CSV8")


def _excuse(charge: _Charge, waivers: list[Waiver]) -> Waiver | None:
    """Of those that excuse it the one that holds longest."""
    fit = [waiver for waiver in waivers if waiver.covers(charge.check, charge.target, by_name=charge.by_name)]
    return max(fit, key=lambda waiver: (waiver.expires, waiver.id), default=None)


def waiver_findings(
    waivers: WaiverFile, used: Collection[str], today: date, *, targets: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the waivers themselves, in the order of the file.

    `used`: ids out of all `Waived.used` of the run. `targets`: names of the targets of this run; a waiver for others only is not idle.
    """
    return tuple(finding for waiver in waivers for finding in _faults(waiver, used, today, targets))


def _faults(waiver: Waiver, used: Collection[str], today: date, targets: Collection[str] | None) -> Iterator[Finding]:
    if today > waiver.expires:
        yield _finding("CSV910", waiver, f"The waiver {waiver.id} expired on {waiver.expires}; {waiver.owner} answers for it.")
        return
    if waiver.is_too_broad:
        yield _finding(
            "CSV913", waiver, f"The waiver {waiver.id} matches artifacts that nobody can name today, and is not marked broad."
        )
        return
    if waiver.expires - today <= SOON:
        yield _finding("CSV911", waiver, f"The waiver {waiver.id} expires on {waiver.expires}; {waiver.owner} answers for it.")
    concerned = targets is None or not waiver.match.targets or any(name in targets for name in waiver.match.targets)
    if waiver.id not in used and concerned:
        yield _finding("CSV912", waiver, f"The waiver {waiver.id} excuses nothing in this run.")


_HELP = {
    "CSV910": "mend what it excused and delete it, or have its owner renew it",
    "CSV911": "mend what it excuses, or have its owner renew it in time",
    "CSV912": "delete it",
    "CSV913": "name digests or a folder, or write `broad: true`",
}


def _finding(check: str, waiver: Waiver, message: str) -> Finding:
    owner = Owner(name=waiver.owner, source=str(waiver.place))
    return Finding(check=check, level=CHECKS[check].level, message=message, place=waiver.place, help=_HELP[check], owner=owner)
