"""Slack incoming webhooks: one message per page, as blocks of mrkdwn.

`&`, `<` and `>` are the control characters of mrkdwn (Slack, "Formatting text for app surfaces"); a section holds at most 3000
characters and a message 50 blocks ("Reference: blocks").
"""

from __future__ import annotations

from collections.abc import Mapping

from csv_gate.notify.channels import Slack
from csv_gate.notify.delivery import HttpMessage, to_chat
from csv_gate.notify.page import Page
from csv_gate.notify.text import cut, lines_of_cause, plain

MAX_SECTION_CHARACTERS = 2900
MAX_CAUSES = 20


def message(page: Page, settings: Slack, environment: Mapping[str, str]) -> HttpMessage:
    """Raises ConfigError: no webhook is configured for this owner, or the environment does not hold it."""
    return to_chat("Slack", page.owner, settings, environment, payload(page))


def payload(page: Page) -> dict[str, object]:
    owner = f"Owner: {escape(page.owner)}" + (f" ({escape(page.contact)})" if page.contact else "")
    run = f"  ·  <{escape(page.circumstances.run_url)}|The run>" if page.circumstances.run_url else ""
    blocks = [_section(f"*{escape(page.summary)}*\n{owner}{run}")]
    if not page.is_resolved:
        blocks += [_section(_fenced("\n".join(lines_of_cause(cause)))) for cause in page.causes[:MAX_CAUSES]]
        if len(page.causes) > MAX_CAUSES:
            blocks.append(_section(f"and {len(page.causes) - MAX_CAUSES} more causes"))
    return {"text": escape(page.summary), "blocks": blocks}


def escape(text: str) -> str:
    """Untrusted text that Slack neither links nor takes for a mention or markup."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return plain(text)


def _fenced(text: str) -> str:
    """Preformatted lines; a fence inside them is broken up."""
    lines = [escape(line).replace("```", "'''") for line in text.split("\n")]
    return "```" + cut("\n".join(lines), MAX_SECTION_CHARACTERS) + "```"


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, MAX_SECTION_CHARACTERS + 100)}}
