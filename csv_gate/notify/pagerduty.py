"""PagerDuty Events API v2: trigger, deduplicate, resolve.

Fields and limits: PagerDuty developer documentation, "Send an Alert Event" (summary at most 1024 characters, dedup_key at most 255,
event at most 512 kB).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from csv_gate.errors import ConfigError
from csv_gate.model.result_json import time_text
from csv_gate.notify.channels import PagerDuty
from csv_gate.notify.delivery import HttpMessage
from csv_gate.notify.page import Page
from csv_gate.notify.text import cut, lines_of_page, plain

MAX_SUMMARY_CHARACTERS = 1024
MAX_EVENT_BYTES = 512_000


def message(page: Page, settings: PagerDuty, environment: Mapping[str, str]) -> HttpMessage:
    """The event of a page, under the key of the owner's service or the default one.

    Raises:
        ConfigError: no key is configured for this owner, or the environment does not hold it.
    """
    key = settings.routing_keys.get(page.owner) or settings.routing_key
    if key is None:
        raise ConfigError(f"notify.pagerduty has no routing key for {page.owner!r} and no default one")
    event = {"routing_key": key.value(environment), **payload(page)}
    body = json.dumps(event).encode()
    if len(body) > MAX_EVENT_BYTES:
        event["payload"] = {**payload(page)["payload"], "custom_details": {"note": "left out: larger than an event may be"}}  # type: ignore[dict-item]
        body = json.dumps(event).encode()
    return HttpMessage(label="PagerDuty", url=settings.url, body=body, headers={}, is_idempotent=True)


def payload(page: Page) -> dict[str, object]:
    """The event without its routing key: what a dry run shows."""
    event: dict[str, object] = {
        "event_action": "resolve" if page.is_resolved else "trigger",
        "dedup_key": page.dedup_key,
    }
    if page.is_resolved:
        return event
    lead = page.causes[0]
    event["client"] = "csv-gate"
    if page.circumstances.run_url:
        event["client_url"] = page.circumstances.run_url
        event["links"] = [{"href": page.circumstances.run_url, "text": "The run"}]
    event["payload"] = {
        "summary": cut(plain(page.summary), MAX_SUMMARY_CHARACTERS),
        "source": plain(page.circumstances.project),
        "severity": page.severity.value,
        "timestamp": time_text(page.evaluated_at),
        "component": plain(page.owner),
        "group": plain(lead.target or ""),
        "class": lead.check,
        "custom_details": {"owner": plain(page.owner), "causes": [plain(line) for line in lines_of_page(page)]},
    }
    return event
