"""Paging through the command line, to stub receivers on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.receivers import Answer, Received, receiver
from tests.builders.tree import policy_for, tree
from tests.cli.conftest import BAD, GOOD, Build, Command, Outcome

KEY = "0123456789abcdef0123456789abcdef"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "contoso/agent",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_RUN_ID": "7",
    "PD_KEY": KEY,
}


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csv_gate.notify.delivery.FIRST_DELAY_S", 0.0)


def configured(build: Build, url: str, more: str = "") -> Path:
    text = (
        "version: 1\ninputs: [build]\ntargets: {prod: {policies: [policy.xml]}}\nwaivers: waivers.yaml\n"
        'owners: [{paths: [build/bad.dll], name: "@contoso/agent"}]\n'
        f"notify:\n  pagerduty: {{url: '{url}', routing_key: {{env: PD_KEY}}}}\n{more}"
    )
    tree(build.root, {"csv-gate.yaml": text.encode(), "waivers.yaml": b"version: 1\n"})
    return build.root / "csv-gate.yaml"


def judged(gate: Command, build: Build, name: str) -> Path:
    saved = build.root / name
    gate("check", "--config", build.root / "csv-gate.yaml", build.output, "-o", f"json={saved}")
    return saved


def events(received: list[Received]) -> list[Any]:
    return [one.json for one in received]


def notify(gate: Command, build: Build, *arguments: str | Path, env: dict[str, str] | None = None) -> Outcome:
    return gate("notify", "--config", build.root / "csv-gate.yaml", *arguments, env=env or GITHUB)


def test_a_red_result_triggers_one_event_for_its_owner_with_the_run_of_the_ci_system(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        outcome = notify(gate, build, judged(gate, build, "r.json"))
        (event,) = events(duty.received)
    assert outcome.code == 0
    assert (event["routing_key"], event["event_action"]) == (KEY, "trigger")
    assert event["links"][0]["href"] == "https://github.example/contoso/agent/actions/runs/7"
    assert event["payload"]["component"] == "@contoso/agent"
    assert KEY not in outcome.out + outcome.err


def test_a_build_that_stays_red_has_the_same_key_and_one_that_turns_green_resolves_it(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        first = judged(gate, build, "first.json")
        notify(gate, build, first)
        notify(gate, build, judged(gate, build, "second.json"), "--previous", first)
        (build.output / "bad.dll").unlink()
        outcome = notify(gate, build, judged(gate, build, "third.json"), "--previous", first)
        told = events(duty.received)
    assert [event["event_action"] for event in told] == ["trigger", "trigger", "resolve"]
    assert len({event["dedup_key"] for event in told}) == 1
    assert "told that it is over" in outcome.err


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_receiver_that_is_busy_for_a_moment_gets_the_event_once_it_can(gate: Command, build: Build, status: int) -> None:
    with receiver([Answer(status=status, headers=(("Retry-After", "0"),))]) as duty:
        configured(build.with_denied(), duty.url)
        assert notify(gate, build, judged(gate, build, "r.json")).code == 0
        assert len(duty.received) == 2


def test_an_outage_is_told_and_ends_with_an_exit_code(gate: Command, build: Build) -> None:
    with receiver([Answer(status=503)] * 9) as duty:
        configured(build.with_denied(), duty.url)
        outcome = notify(gate, build, judged(gate, build, "r.json"))
    assert outcome.code == 1
    assert "pagerduty: @contoso/agent NOT told" in outcome.err
    assert "HTTP 503" in outcome.err


def test_a_refused_key_is_not_tried_again_and_never_shown(gate: Command, build: Build) -> None:
    with receiver([Answer(status=400, body=b'{"message":"Invalid routing key"}')]) as duty:
        configured(build.with_denied(), duty.url)
        outcome = notify(gate, build, judged(gate, build, "r.json"))
        assert len(duty.received) == 1
    assert outcome.code == 1
    assert "Invalid routing key" in outcome.err
    assert KEY not in outcome.err


def test_a_key_that_the_environment_lacks_is_told_by_its_name(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        outcome = notify(gate, build, judged(gate, build, "r.json"), env={**GITHUB, "PD_KEY": ""})
        assert duty.received == []
    assert outcome.code == 1
    assert "PD_KEY" in outcome.err


def test_a_pull_request_pages_nobody_unless_asked(gate: Command, build: Build) -> None:
    request = {**GITHUB, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_HEAD_REF": "topic"}
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        saved = judged(gate, build, "r.json")
        outcome = notify(gate, build, saved, env=request)
        assert duty.received == []
        assert outcome.code == 0
        assert "pull request" in outcome.err
        assert notify(gate, build, saved, "--pull-request").code == 0
        assert duty.received == []
        configured(build, duty.url, "  pull_requests: true\n")
        notify(gate, build, saved, env=request)
        assert len(duty.received) == 1


def test_a_dry_run_prints_the_payloads_and_sends_nothing(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        outcome = notify(gate, build, judged(gate, build, "r.json"), "--dry-run")
        assert duty.received == []
    (row,) = json.loads(outcome.out)
    assert (row["channel"], row["payload"]["event_action"]) == ("pagerduty", "trigger")
    assert KEY not in outcome.out


def test_without_a_ci_system_the_project_has_to_be_named(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        saved = judged(gate, build, "r.json")
        outcome = notify(gate, build, saved, env={"PD_KEY": KEY})
        assert (outcome.code, duty.received) == (2, [])
        assert "--project" in outcome.err
        assert notify(gate, build, saved, "--project", "agent", env={"PD_KEY": KEY}).code == 0
        assert len(duty.received) == 1


def test_without_a_channel_nothing_looks_as_if_it_was_sent(gate: Command, build: Build) -> None:
    saved = build.root / "r.json"
    gate(*build.check(), "-o", f"json={saved}")
    outcome = gate("notify", "--no-config", saved, env=GITHUB)
    assert outcome.code == 2
    assert "no channel" in outcome.err


def check(gate: Command, build: Build, *arguments: str | Path) -> Outcome:
    config = build.root / "csv-gate.yaml"
    return gate("check", "--config", config, build.output, "--notify", "-o", "json", *arguments, env=GITHUB)


def test_check_tells_the_owners_of_what_it_found(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        outcome = check(gate, build)
        assert outcome.code == 1
        assert [event["event_action"] for event in events(duty.received)] == ["trigger"]
    assert json.loads(outcome.out)["summary"]["exit_code"] == 1


def test_a_failed_page_is_a_finding_and_changes_no_colour(gate: Command, build: Build) -> None:
    with receiver([Answer(status=400)] * 9) as duty:
        configured(build.with_denied(), duty.url)
        red = check(gate, build)
        saved = build.root / "red.json"
        saved.write_text(red.out)
        (build.output / "bad.dll").unlink()
        green = check(gate, build, "--diff", saved)
    for outcome, code in ((red, 1), (green, 0)):
        result = json.loads(outcome.out)
        assert outcome.code == code
        assert [finding["check"] for finding in result["findings"]] == ["CSV920"]
        assert result["summary"]["findings"]["warning"] == 1
        assert KEY not in outcome.out


def test_check_resolves_what_the_last_result_paged_for(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        saved = judged(gate, build, "red.json")
        (build.output / "bad.dll").unlink()
        outcome = check(gate, build, "--diff", saved)
        assert [event["event_action"] for event in events(duty.received)] == ["resolve"]
    assert outcome.code == 0
    assert "gone: 1" in outcome.err


def test_a_chat_hears_of_a_red_build_once_and_again_where_the_first_message_was_lost(gate: Command, build: Build) -> None:
    with receiver([Answer(status=400)]) as chat:
        configured(build.with_denied(), "http://localhost")
        text = (build.root / "csv-gate.yaml").read_text().partition("notify:")[0]
        (build.root / "csv-gate.yaml").write_text(text + "notify: {slack: {webhook: {env: CHAT}}}\n")
        env = {**GITHUB, "CHAT": f"{chat.url}/services/s3cret"}
        command = ("check", "--config", build.root / "csv-gate.yaml", build.output, "--notify", "-o")
        results = [build.root / f"{number}.json" for number in range(3)]
        lost = gate(*command, f"json={results[0]}", env=env)
        again = gate(*command, f"json={results[1]}", "--diff", results[0], env=env)
        silent = gate(*command, f"json={results[2]}", "--diff", results[1], env=env)
        assert len(chat.received) == 2
    assert "NOT told" in lost.err
    assert "slack: @contoso/agent told" in again.err
    assert "nobody is paged again" in silent.err
    assert "s3cret" not in lost.err + lost.out + results[0].read_text()


def test_several_receivers_hear_the_same_trouble_once_each(gate: Command, build: Build) -> None:
    with receiver([Answer(drops=True)]) as duty, receiver([Answer(status=200)]) as manager, receiver() as hook:
        more = f"  alertmanager: {{url: '{manager.url}'}}\n  webhook: {{url: '{hook.url}', secret: {{env: HOOK_KEY}}}}\n"
        configured(build.with_denied(), duty.url, more)
        outcome = notify(gate, build, judged(gate, build, "r.json"), env={**GITHUB, "HOOK_KEY": "hook-s3cret"})
    assert outcome.code == 0, outcome.err
    # The first connection was lost after the event was sent: it comes again under the same key, which the receiver joins.
    assert len({event["dedup_key"] for event in events(duty.received)}) == 1
    assert (len(duty.received), len(manager.received), len(hook.received)) == (2, 1, 1)
    assert manager.received[0].path == "/api/v2/alerts"
    assert "X-Csv-Gate-Signature" in hook.received[0].headers
    assert "hook-s3cret" not in outcome.out + outcome.err


def test_a_new_cause_pages_again_and_the_old_one_is_over(gate: Command, build: Build) -> None:
    with receiver() as duty:
        configured(build.with_denied(), duty.url)
        first = judged(gate, build, "first.json")
        notify(gate, build, first)
        tree(build.root, {"policy.xml": policy_for(GOOD, denied=[BAD])})
        notify(gate, build, judged(gate, build, "second.json"), "--previous", first)
        told = events(duty.received)
    assert [event["event_action"] for event in told] == ["trigger", "trigger", "resolve"]
    assert told[2]["dedup_key"] == told[0]["dedup_key"] != told[1]["dedup_key"]
