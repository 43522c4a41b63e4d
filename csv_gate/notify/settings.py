"""The `notify:` section: through which channels the owners of a red build are told. Secrets only by name of environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from csv_gate.documents import Secret, says
from csv_gate.globs import Glob
from csv_gate.lazy import lazily
from csv_gate.records import dataclass, field

if TYPE_CHECKING:
    from csv_gate.notify.channels import Alertmanager, Email, PagerDuty, Severity, Slack, Teams, Webhook
else:
    # Most runs tell nobody: whoever reads a channel's section finds its type here.
    __getattr__ = lazily(
        "csv_gate.notify",
        dict.fromkeys(("Alertmanager", "Email", "PagerDuty", "Severity", "Slack", "Teams", "Webhook"), "channels"),
    )

URL = r"https?://[^\s]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """All channels; what is not configured is not used."""

    branches: tuple[Glob, ...] = field(
        default=(), metadata=says("Branches whose red builds page; none given: whatever branch `notify` is called for.")
    )
    pull_requests: bool = field(default=False, metadata=says("Page for pull requests too."))
    run_url: str | None = field(
        default=None, metadata=says("Address of the run, where the CI system does not tell it.", pattern=URL)
    )
    severities: Mapping[str, Severity] = field(
        default_factory=dict,
        metadata=says("Check id to critical, error, warning or info; none given: error, and warning for what is undecided."),
    )
    pagerduty: PagerDuty | None = field(default=None, metadata=says("PagerDuty Events API v2."))
    alertmanager: Alertmanager | None = field(default=None, metadata=says("Prometheus Alertmanager API v2."))
    slack: Slack | None = field(default=None, metadata=says("Slack incoming webhooks."))
    teams: Teams | None = field(default=None, metadata=says("Microsoft Teams Workflows webhooks."))
    webhook: Webhook | None = field(default=None, metadata=says("Any receiver of a signed JSON body."))
    email: Email | None = field(default=None, metadata=says("Mail by SMTP."))
    apprise: tuple[Secret, ...] = field(
        default=(), metadata=says("Addresses of any service the Apprise library knows; needs the extra `csv-gate[apprise]`.")
    )
