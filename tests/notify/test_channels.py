"""What each channel says of a page, to stub receivers on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.documents import Secret
from csv_gate.globs import Glob
from csv_gate.notify import alertmanager, email, pagerduty, slack, teams, webhook
from csv_gate.notify.channels import Alertmanager, Email, PagerDuty, Slack, Teams, Webhook
from csv_gate.notify.circumstances import Circumstances
from csv_gate.notify.delivery import Transport, system_transport
from csv_gate.notify.page import Page, pages, resolved_pages
from csv_gate.notify.send import channels, preview, reason_not_to_page, send
from csv_gate.notify.settings import Notify
from tests.builders.receivers import Answer, receiver
from tests.builders.results import OWNER, artifact, denied, result

MAIN = Circumstances(project="contoso/agent", branch="main", run_url="https://ci.example/run/7")
KEY = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = {"PD_KEY": KEY, "AGENT_KEY": "agent-key-agent-key-agent-key-00", "HOOK_KEY": "hook", "CHAT": "", "TOKEN": "t0ken"}
TRANSPORT = Transport(open=system_transport().open, sleep=lambda _: None, now=lambda: 0.0)


def page(*paths: str) -> Page:
    return pages(result(*(artifact(path, denied(), owner=OWNER) for path in paths or ("dist/a.dll",))), MAIN, {})[0]


def resolved() -> Page:
    return resolved_pages([page()], [])[0]


def test_pagerduty_is_told_to_trigger_with_the_owners_own_key() -> None:
    settings = PagerDuty(
        routing_key=Secret("PD_KEY"), routing_keys=MappingProxyType({OWNER.name: Secret("AGENT_KEY")}), url="http://localhost"
    )
    event = json.loads(pagerduty.message(page(), settings, ENVIRONMENT).body)
    assert event["routing_key"] == ENVIRONMENT["AGENT_KEY"]
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == page().dedup_key
    assert event["payload"]["severity"] == "error"
    assert event["payload"]["class"] == "CSV201"
    assert event["links"] == [{"href": "https://ci.example/run/7", "text": "The run"}]
    assert any("dist/a.dll" in line for line in event["payload"]["custom_details"]["causes"])


def test_pagerduty_is_told_to_resolve_the_same_key() -> None:
    event = json.loads(pagerduty.message(resolved(), PagerDuty(routing_key=Secret("PD_KEY")), ENVIRONMENT).body)
    assert event == {"routing_key": KEY, "event_action": "resolve", "dedup_key": page().dedup_key}


def test_a_pagerduty_event_stays_within_its_limits() -> None:
    names = tuple(f"{number}" + "x" * 4000 for number in range(30))
    event = pagerduty.message(page(*names), PagerDuty(routing_key=Secret("PD_KEY")), ENVIRONMENT)
    assert len(event.body) <= pagerduty.MAX_EVENT_BYTES
    assert len(json.loads(event.body)["payload"]["summary"]) <= 1024


def test_alertmanager_joins_alerts_by_stable_labels_and_ends_them_when_resolved() -> None:
    settings = Alertmanager(url="http://am:9093/", labels=MappingProxyType({"team": "ci"}))
    red: Any = alertmanager.payload(page(), settings)[0]
    green: Any = alertmanager.payload(resolved(), settings)[0]
    assert red["labels"] == green["labels"]
    assert red["labels"]["alertname"] == "CsvGateRed"
    assert red["labels"]["team"] == "ci"
    assert green["endsAt"] == green["startsAt"]
    assert red["endsAt"] > red["startsAt"]
    assert alertmanager.message(page(), settings, {}).url == "http://am:9093/api/v2/alerts"


def test_a_webhook_body_is_signed_and_carries_a_key_against_repetition() -> None:
    settings = Webhook(url="http://localhost", secret=Secret("HOOK_KEY"))
    sent = webhook.message(page(), settings, ENVIRONMENT)
    expected = hmac.new(b"hook", sent.body, hashlib.sha256).hexdigest()
    assert sent.headers["X-Csv-Gate-Signature"] == f"sha256={expected}"
    assert sent.headers == webhook.message(page(), settings, ENVIRONMENT).headers


def test_mail_goes_to_the_owners_address_and_else_to_the_default_one() -> None:
    settings = Email(server="localhost", sender="gate@contoso.example", to=("build@contoso.example",))
    assert email.mail(page(), settings)["To"] == "agent@contoso.example"
    unowned = pages(result(artifact("a.dll", denied())), MAIN, {})[0]
    assert email.mail(unowned, settings)["To"] == "build@contoso.example"


def test_a_path_cannot_add_a_header_to_a_mail() -> None:
    settings = Email(server="localhost", sender="gate@contoso.example", to=("build@contoso.example",))
    mail = email.mail(page("a\r\nBcc: evil@example.com"), settings)
    assert mail["Bcc"] is None
    assert "\\x0d\\x0aBcc" in mail.get_content()


def test_slack_shows_hostile_paths_without_links_mentions_or_markup() -> None:
    text = json.dumps(slack.payload(page("<!channel> & <http://evil|x> ``` \u202e.dll")))
    assert "<!channel>" not in text
    assert "<http://evil" not in text
    assert text.count("```") == 2
    assert "\u202e" not in text


def test_teams_shows_hostile_paths_without_links_or_mentions() -> None:
    card = teams.payload(page("[click](http://evil) <at>all</at>"))
    text = json.dumps(card, ensure_ascii=False)
    assert "[click](" not in text
    assert "<at>" not in text


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300))
def test_no_channel_breaks_on_any_path(path: str) -> None:
    told = page(path)
    for said in (pagerduty.payload(told), slack.payload(told), teams.payload(told), webhook.payload(told)):
        json.dumps(said)
    assert email.mail(told, Email(server="localhost", sender="a@b", to=("c@d.example",))).as_bytes()


def test_one_failing_channel_stops_no_other_and_its_failure_is_told() -> None:
    with receiver([Answer(status=400)]) as broken, receiver() as working:
        settings = Notify(
            pagerduty=PagerDuty(routing_key=Secret("PD_KEY"), url=broken.url),
            alertmanager=Alertmanager(url=working.url, token=Secret("TOKEN")),
        )
        deliveries = send([page()], channels(settings, ENVIRONMENT, TRANSPORT), frozenset())
    assert [(one.channel, one.error is None) for one in deliveries] == [("pagerduty", False), ("alertmanager", True)]
    assert len(working.received) == 1
    assert working.received[0].headers["Authorization"] == "Bearer t0ken"


def test_a_missing_secret_is_a_failed_delivery_that_names_the_variable_only() -> None:
    settings = Notify(slack=Slack(webhook=Secret("CHAT")))
    (delivery,) = send([page()], channels(settings, ENVIRONMENT, TRANSPORT), frozenset())
    assert delivery.error is not None
    assert "CHAT" in delivery.error


def test_a_chat_is_told_once_while_pagerduty_may_hear_it_again() -> None:
    with receiver() as duty, receiver() as chat:
        settings = Notify(
            pagerduty=PagerDuty(routing_key=Secret("PD_KEY"), url=duty.url), teams=Teams(webhook=Secret("TEAMS_URL"))
        )
        through = channels(settings, {**ENVIRONMENT, "TEAMS_URL": chat.url}, TRANSPORT)
        send([page()], through, frozenset())
        send([page()], through, {page().dedup_key})
        send([resolved()], through, {page().dedup_key})
    assert [event.json["event_action"] for event in duty.received] == ["trigger", "trigger", "resolve"]  # type: ignore[index]
    assert len(chat.received) == 2


def test_a_dry_run_shows_payloads_and_no_secret() -> None:
    settings = Notify(
        pagerduty=PagerDuty(routing_key=Secret("PD_KEY")),
        alertmanager=Alertmanager(url="http://am", token=Secret("TOKEN")),
        webhook=Webhook(url="http://hook", secret=Secret("HOOK_KEY")),
    )
    shown = preview([page()], channels(settings, ENVIRONMENT, TRANSPORT))
    assert [row["channel"] for row in json.loads(shown)] == ["pagerduty", "alertmanager", "webhook"]
    assert KEY not in shown
    assert "t0ken" not in shown


def test_pull_requests_and_other_branches_page_nobody_unless_asked() -> None:
    pull = Circumstances(project="p", branch="main", is_pull_request=True)
    assert "pull request" in (reason_not_to_page(pull, Notify()) or "")
    assert reason_not_to_page(pull, Notify(pull_requests=True)) is None
    only_main = Notify(branches=(Glob("main"),))
    assert "feature/x" in (reason_not_to_page(Circumstances(project="p", branch="feature/x"), only_main) or "")
    assert reason_not_to_page(MAIN, only_main) is None


def test_apprise_is_loaded_only_where_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    settings = Notify(apprise=(Secret("TOKEN"),))
    (delivery,) = send([page()], channels(settings, ENVIRONMENT, TRANSPORT), frozenset())
    assert "csv-gate[apprise]" in (delivery.error or "") or "Apprise" in (delivery.error or "")
