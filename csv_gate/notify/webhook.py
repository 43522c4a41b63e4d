"""A webhook of one's own: the page as JSON, signed.

`X-Csv-Gate-Signature: sha256=` HMAC-SHA-256 of the body under the shared secret; `Idempotency-Key` is the same for every delivery of
the same page of the same run, so a receiver can drop repetitions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from csv_gate.errors import ConfigError
from csv_gate.model.result_json import time_text
from csv_gate.notify.channels import Webhook
from csv_gate.notify.delivery import HttpMessage
from csv_gate.notify.page import Page


def message(page: Page, settings: Webhook, environment: Mapping[str, str]) -> HttpMessage:
    """Raises ConfigError: no address is configured, or a secret is not in the environment."""
    if settings.secret_url is not None:
        url = settings.secret_url.value(environment)
    elif settings.url is not None:
        url = settings.url
    else:
        raise ConfigError("notify.webhook needs `url` or `secret_url`")
    body = json.dumps(payload(page)).encode()
    headers = {"Idempotency-Key": hashlib.sha256(body).hexdigest()}
    if settings.secret is not None:
        signature = hmac.new(settings.secret.value(environment).encode(), body, hashlib.sha256).hexdigest()
        headers["X-Csv-Gate-Signature"] = f"sha256={signature}"
    return HttpMessage(label="webhook", url=url, body=body, headers=headers, is_idempotent=True)


def payload(page: Page) -> dict[str, object]:
    where = page.circumstances
    return {
        "event": "resolve" if page.is_resolved else "trigger",
        "dedup_key": page.dedup_key,
        "summary": page.summary,
        "severity": page.severity.value,
        "owner": {"name": page.owner, "contact": page.contact},
        "project": where.project,
        "branch": where.branch,
        "run_url": where.run_url,
        "evaluated_at": time_text(page.evaluated_at),
        "artifacts": page.artifacts,
        "causes": [
            {
                "target": cause.target,
                "check": cause.check,
                "title": cause.title,
                "severity": cause.severity.value,
                "artifacts": cause.artifacts,
                "examples": list(cause.examples),
                "message": cause.message,
                "help": cause.help,
            }
            for cause in page.causes
        ],
    }
