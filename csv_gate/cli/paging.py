"""What `notify` and `check --notify` have in common: the circumstances, and telling what became of each page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from csv_gate.cli.console import Console
from csv_gate.cli.parser import text
from csv_gate.errors import UsageError
from csv_gate.model.result import Finding, RunResult
from csv_gate.notify.circumstances import Circumstances, told_by_ci

if TYPE_CHECKING:
    from csv_gate.notify.settings import Notify


def circumstances_of(args: argparse.Namespace, console: Console, fallback_url: str | None) -> Circumstances:
    """Flags before the CI system's variables; for the address, the configuration after both.

    Raises:
        UsageError: nobody says which project it is. Two projects under one name would share their pages.
    """
    told = told_by_ci(console.environment)
    project = text(args, "project") or told.project
    if not project:
        raise UsageError(
            "the pages need the project's name",
            got="no --project, and no variable of a CI system that has it",
            expected="--project NAME",
        )
    return Circumstances(
        project=project,
        branch=text(args, "branch") or told.branch,
        run_url=text(args, "run_url") or told.run_url or fallback_url,
        is_pull_request=bool(args.pull_request) or told.is_pull_request,
    )


def require_channels(settings: Notify) -> None:
    """Raises UsageError where no channel is configured: a page that goes nowhere must not look like one that was sent."""
    own = (settings.pagerduty, settings.alertmanager, settings.slack, settings.teams, settings.webhook, settings.email)
    if not settings.apprise and all(channel is None for channel in own):
        raise UsageError(
            "there is no channel to page through",
            got="`notify` of the configuration names none",
            expected="one of pagerduty, alertmanager, slack, teams, webhook, email, apprise",
        )


def tell_owners(
    result: RunResult, previous: RunResult | None, circumstances: Circumstances, settings: Notify, console: Console
) -> tuple[Finding, ...]:
    """Send the pages of a result, and say on stderr what became of each. Returns a finding per page that did not arrive."""
    from csv_gate.notify.delivery import system_transport
    from csv_gate.notify.telling import prepare, undelivered
    from csv_gate.report.escape import terminal

    telling = prepare(result, previous, circumstances, settings, console.environment, system_transport())
    if telling.why_nobody is not None:
        console.tell(f"nobody is paged: {terminal(telling.why_nobody)}")
        return ()
    if not telling.pages:
        console.tell("nobody is paged: nothing is red, and nothing was before")
        return ()
    deliveries = telling.send()
    is_over = {page.dedup_key: page.is_resolved for page in telling.pages}
    for one in deliveries:
        word = "told that it is over" if is_over[one.dedup_key] else "told"
        outcome = word if one.error is None else f"NOT told: {terminal(one.error)}"
        console.tell(f"{one.channel}: {terminal(one.owner)} {outcome}")
    if not deliveries:
        console.tell("nobody is paged again: the last run did, for the same reasons")
    return undelivered(deliveries)
