"""A message is delivered once, or its loss is told; never twice, never silently."""

from __future__ import annotations

import pytest

from csv_gate.errors import NotifyError
from csv_gate.notify.delivery import ATTEMPTS, HttpMessage, Transport, post, system_transport
from tests.builders.receivers import Answer, Receiver, receiver


def message(url: str, *, idempotent: bool = True) -> HttpMessage:
    return HttpMessage(label="stub", url=url, body=b"{}", headers={"X-Key": "s3cret"}, is_idempotent=idempotent)


def transport(slept: list[float], *, now: float = 1_000_000.0) -> Transport:
    return Transport(open=system_transport().open, sleep=slept.append, now=lambda: now)


def posted(answers: list[Answer], *, idempotent: bool = True) -> tuple[Receiver, list[float]]:
    slept: list[float] = []
    with receiver(answers) as stub:
        post(message(stub.url, idempotent=idempotent), transport(slept))
        return stub, slept


def test_a_message_that_is_taken_is_sent_once() -> None:
    stub, slept = posted([])
    assert len(stub.received) == 1
    assert slept == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_refusal_is_tried_again_after_a_pause(status: int) -> None:
    stub, slept = posted([Answer(status=status), Answer(status=status)], idempotent=False)
    assert len(stub.received) == 3
    assert slept == [0.5, 1.0]


def test_the_pause_that_the_receiver_asks_for_is_kept() -> None:
    _, slept = posted([Answer(status=429, headers=(("Retry-After", "7"),))])
    assert slept == [7.0]


def test_a_retry_after_date_is_understood() -> None:
    _, slept = posted([Answer(status=503, headers=(("Retry-After", "Mon, 12 Jan 1970 13:46:50 GMT"),))])
    assert slept == [10.0]


def test_a_pause_that_is_too_long_is_not_waited_for() -> None:
    slept: list[float] = []
    with receiver([Answer(status=429, headers=(("Retry-After", "3600"),))]) as stub, pytest.raises(NotifyError, match="429"):
        post(message(stub.url), transport(slept))
    assert slept == []


def test_an_outage_is_given_up_after_the_last_attempt_and_told() -> None:
    slept: list[float] = []
    with receiver([Answer(status=503)] * 9) as stub:
        with pytest.raises(NotifyError, match="not delivered after 4 attempts: HTTP 503"):
            post(message(stub.url), transport(slept))
        assert len(stub.received) == ATTEMPTS


def test_a_bad_key_is_not_tried_again() -> None:
    with receiver([Answer(status=400, body=b'{"status":"invalid event"}')]) as stub:
        with pytest.raises(NotifyError, match=r"HTTP 400.*invalid event"):
            post(message(stub.url), transport([]))
        assert len(stub.received) == 1


def test_a_broken_connection_is_retried_where_the_receiver_knows_repetitions() -> None:
    stub, _ = posted([Answer(drops=True)])
    assert len(stub.received) == 2


def test_a_message_that_may_have_been_taken_is_not_sent_twice() -> None:
    with receiver([Answer(drops=True)]) as stub:
        with pytest.raises(NotifyError, match="may have been taken"):
            post(message(stub.url, idempotent=False), transport([]))
        assert len(stub.received) == 1


def test_nobody_listening_is_retried_and_told() -> None:
    with receiver() as stub:
        url = stub.url
    slept: list[float] = []
    with pytest.raises(NotifyError, match="no connection"):
        post(message(url, idempotent=False), transport(slept))
    assert len(slept) == ATTEMPTS - 1


def test_a_redirect_is_not_followed() -> None:
    with receiver() as elsewhere, receiver([Answer(status=302, headers=(("Location", elsewhere.url),))]) as stub:
        with pytest.raises(NotifyError, match="HTTP 302"):
            post(message(stub.url), transport([]))
        assert elsewhere.received == []


def test_only_http_addresses_are_opened() -> None:
    with pytest.raises(NotifyError, match="neither http"):
        post(message("file:///etc/passwd"), transport([]))


def test_what_the_receiver_says_is_quoted_short_and_on_one_line() -> None:
    with (
        receiver([Answer(status=400, body=b"\x1b[31m::error::x\n" + b"a" * 5000)]) as stub,
        pytest.raises(NotifyError) as caught,
    ):
        post(message(stub.url), transport([]))
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_no_error_holds_the_secret_header() -> None:
    with receiver([Answer(status=401)]) as stub, pytest.raises(NotifyError) as caught:
        post(message(stub.url), transport([]))
    assert "s3cret" not in str(caught.value)
