"""Pages out through the configured channels, each delivery with its own outcome: one that fails stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from csv_gate.errors import GateError
from csv_gate.notify import alertmanager, apprise, email, pagerduty, slack, teams, webhook
from csv_gate.notify.circumstances import Circumstances
from csv_gate.notify.delivery import HttpMessage, Transport, post
from csv_gate.notify.page import Page
from csv_gate.notify.settings import Notify
from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one page on one channel."""

    channel: str
    owner: str
    dedup_key: str
    error: str | None = None
    """Why it was not delivered; holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One configured channel: what it would say of a page, and how it says it."""

    name: str
    says_again: bool
    """The receiver joins repetitions to the first page, so a still-red page is sent every time."""
    preview: Callable[[Page], object]
    """The payload without secrets."""
    deliver: Callable[[Page], None]
    """Raises GateError."""


def reason_not_to_page(circumstances: Circumstances, settings: Notify) -> str | None:
    """Why this run pages nobody, or None."""
    if circumstances.is_pull_request and not settings.pull_requests:
        return "this is a pull request, and `notify.pull_requests` is not set"
    branch = circumstances.branch
    if settings.branches and (branch is None or not any(glob.matches(branch) for glob in settings.branches)):
        return f"`notify.branches` does not name the branch {branch or '(unknown)'}"
    return None


def channels(settings: Notify, environment: Mapping[str, str], transport: Transport) -> tuple[Channel, ...]:
    """The channels that are configured, in the order of the configuration's reference."""

    def over_http(message: Callable[[Page], HttpMessage]) -> Callable[[Page], None]:
        return lambda page: post(message(page), transport)

    found: list[Channel] = []
    if (duty := settings.pagerduty) is not None:
        deliver = over_http(lambda page: pagerduty.message(page, duty, environment))
        found.append(Channel(name="pagerduty", says_again=True, preview=pagerduty.payload, deliver=deliver))
    if (manager := settings.alertmanager) is not None:
        deliver = over_http(lambda page: alertmanager.message(page, manager, environment))
        found.append(
            Channel(
                name="alertmanager", says_again=True, preview=lambda page: alertmanager.payload(page, manager), deliver=deliver
            )
        )
    if (chat := settings.slack) is not None:
        deliver = over_http(lambda page: slack.message(page, chat, environment))
        found.append(Channel(name="slack", says_again=False, preview=slack.payload, deliver=deliver))
    if (room := settings.teams) is not None:
        deliver = over_http(lambda page: teams.message(page, room, environment))
        found.append(Channel(name="teams", says_again=False, preview=teams.payload, deliver=deliver))
    if (hook := settings.webhook) is not None:
        deliver = over_http(lambda page: webhook.message(page, hook, environment))
        found.append(Channel(name="webhook", says_again=True, preview=webhook.payload, deliver=deliver))
    if (post_office := settings.email) is not None:
        found.append(
            Channel(
                name="email",
                says_again=False,
                preview=lambda page: email.mail(page, post_office).as_string(),
                deliver=lambda page: email.send(email.mail(page, post_office), post_office, environment),
            )
        )
    if settings.apprise:
        found.append(
            Channel(
                name="apprise",
                says_again=False,
                preview=apprise.payload,
                deliver=lambda page: apprise.send(page, settings.apprise, environment),
            )
        )
    return tuple(found)


def send(pages: Sequence[Page], through: Sequence[Channel], already_told: AbstractSet[str]) -> tuple[Delivery, ...]:
    """Deliver every page on every channel. `already_told` holds the keys of pages that an earlier run sent: channels that do not join
    repetitions stay silent about those."""
    deliveries = []
    for page in pages:
        for channel in through:
            if not channel.says_again and page.dedup_key in already_told and not page.is_resolved:
                continue
            try:
                channel.deliver(page)
                error = None
            except GateError as fault:
                error = str(fault)
            deliveries.append(Delivery(channel=channel.name, owner=page.owner, dedup_key=page.dedup_key, error=error))
    return tuple(deliveries)


def preview(pages: Sequence[Page], through: Sequence[Channel]) -> str:
    """What `--dry-run` prints: a JSON document per page and channel, without any secret."""
    rows = [
        {"channel": channel.name, "owner": page.owner, "dedup_key": page.dedup_key, "payload": _previewed(channel, page)}
        for page in pages
        for channel in through
    ]
    # Azure Pipelines obeys `##vso[` anywhere in a line of its log.
    return json.dumps(rows, indent=2, ensure_ascii=True).replace("##", "\\u0023\\u0023")


def _previewed(channel: Channel, page: Page) -> object:
    try:
        return channel.preview(page)
    except GateError as fault:
        return {"error": str(fault)}
