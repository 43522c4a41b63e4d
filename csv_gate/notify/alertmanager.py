"""Prometheus Alertmanager, API v2: one alert per page.

An alert's identity is its label set (Alertmanager, api/v2/openapi.yaml), so labels are few and stable; a page is resolved by sending the
same labels with an `endsAt` that has passed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from csv_gate.model.result_json import time_text
from csv_gate.notify.channels import Alertmanager
from csv_gate.notify.delivery import HttpMessage
from csv_gate.notify.page import Page
from csv_gate.notify.text import lines_of_page, plain

LIFETIME = timedelta(hours=24)
"""A red page that nobody renews ends by itself; every further red run renews it."""


def message(page: Page, settings: Alertmanager, environment: Mapping[str, str]) -> HttpMessage:
    """Raises ConfigError where the token is configured and the environment does not hold it."""
    headers = {} if settings.token is None else {"Authorization": f"Bearer {settings.token.value(environment)}"}
    return HttpMessage(
        label="Alertmanager",
        url=settings.url.rstrip("/") + "/api/v2/alerts",
        body=json.dumps(payload(page, settings)).encode(),
        headers=headers,
        is_idempotent=True,
    )


def payload(page: Page, settings: Alertmanager) -> list[dict[str, object]]:
    where = page.circumstances
    lead = page.causes[0]
    labels = {
        **settings.labels,
        "alertname": "CsvGateRed",
        "project": plain(where.project),
        "branch": plain(where.branch or ""),
        "owner": plain(page.owner),
        "target": plain(lead.target or ""),
        "check": lead.check,
        "severity": page.severity.value,
    }
    alert: dict[str, object] = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {"summary": plain(page.summary), "description": "\n".join(lines_of_page(page))},
        "startsAt": time_text(page.evaluated_at),
        "endsAt": time_text(page.evaluated_at if page.is_resolved else page.evaluated_at + LIFETIME),
    }
    if where.run_url:
        alert["generatorURL"] = where.run_url
    return [alert]
