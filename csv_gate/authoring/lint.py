"""Lint: every check over every given policy. Each check is a small function of the `lint_*` modules, grouped by subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from csv_gate.authoring import lint_identity, lint_names, lint_options, lint_rules, lint_scenarios, lint_signers, lint_versions
from csv_gate.authoring.subject import Subject
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.model.facts import CertificateFacts
from csv_gate.model.result import Finding

LintCheck = Callable[[Subject], Iterable[Finding]]

LINT_CHECKS: tuple[LintCheck, ...] = (
    *lint_identity.CHECKS,
    *lint_options.CHECKS,
    *lint_scenarios.CHECKS,
    *lint_rules.CHECKS,
    *lint_versions.CHECKS,
    *lint_names.CHECKS,
    *lint_signers.CHECKS,
)


def lint(
    policies: Sequence[AppControlPolicy],
    *,
    against: Sequence[AppControlPolicy] = (),
    certificates: Sequence[CertificateFacts] = (),
    evaluated_at: datetime | None = None,
) -> tuple[Finding, ...]:
    """All findings, by policy in the given order, then by place, then by check.

    Args:
        policies: looked at one by one, and as the set that a target has.
        against: policies as they were deployed before; compared by PolicyID.
        certificates: looked up by the TBS hashes of the policies, which name certificates and do not hold them.
        evaluated_at: when those are asked whether they have expired; `None`: not at all.
    """
    found = []
    by_tbs = {one.tbs[one.tbs_algorithm]: one for one in certificates if one.tbs_algorithm is not None}
    for policy in policies:
        subject = Subject(policy=policy, companions=policies, earlier=against, certificates=by_tbs, evaluated_at=evaluated_at)
        own = [finding for check in LINT_CHECKS for finding in check(subject)]
        found.extend(sorted(own, key=_order))
    return tuple(found)


def _order(finding: Finding) -> tuple[int, int, str, str]:
    place = finding.place
    line = 0 if place is None else place.line or place.offset or 0
    return line, 0 if place is None else place.column or 0, finding.check, finding.message
