"""Microsoft Teams by a Workflows webhook: one Adaptive Card per page.

The envelope is what the workflow "Post to a channel when a webhook request is received" expects (Microsoft Learn, "Create incoming webhooks
with Workflows"); the older Office 365 connectors and their MessageCard are being retired. Text goes into TextBlocks, whose Markdown subset
is escaped here. A message may have 28 kB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from csv_gate.notify.channels import Teams
from csv_gate.notify.delivery import HttpMessage, to_chat
from csv_gate.notify.page import Page
from csv_gate.notify.text import cut, lines_of_cause, plain

MAX_CAUSES = 8
MAX_CAUSE_CHARACTERS = 1500


def message(page: Page, settings: Teams, environment: Mapping[str, str]) -> HttpMessage:
    """Raises ConfigError: no webhook is configured for this owner, or the environment does not hold it."""
    return to_chat("Teams", page.owner, settings, environment, payload(page))


def payload(page: Page) -> dict[str, object]:
    body = [
        _block(page.summary, weight="Bolder", size="Medium"),
        _block(f"Owner: {page.owner}" + (f" ({page.contact})" if page.contact else ""), isSubtle=True),
    ]
    if not page.is_resolved:
        for cause in page.causes[:MAX_CAUSES]:
            body += [_block(line) for line in cut("\n".join(lines_of_cause(cause)), MAX_CAUSE_CHARACTERS).split("\n")]
        if len(page.causes) > MAX_CAUSES:
            body.append(_block(f"and {len(page.causes) - MAX_CAUSES} more causes"))
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if page.circumstances.run_url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "The run", "url": page.circumstances.run_url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def escape(text: str) -> str:
    """Untrusted text that a TextBlock shows as it is: Markdown's characters are escaped, `<at>` mentions cannot form."""
    escaped = re.sub(r"([\\`*_\[\]()#+\-!~|])", r"\\\1", plain(text))
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def _block(text: str, **style: object) -> dict[str, object]:
    return {"type": "TextBlock", "text": escape(text), "wrap": True, **style}
