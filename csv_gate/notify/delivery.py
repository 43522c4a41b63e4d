"""Sending one message: bounded, retried where that is safe, and silent about secrets.

A message that the receiver recognises when it comes again (it has a key of its own) is retried after every passing fault. Any other is
retried only where the receiver surely did not take it (no connection, 429, 5xx), so nothing is said twice. Redirects are not followed:
a secret in an address or header goes to the configured host only. What the receiver answers is untrusted and quoted escaped and short.
"""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import IO, Protocol
from urllib.parse import urlsplit

from csv_gate.documents import Secret
from csv_gate.errors import ConfigError, NotifyError
from csv_gate.records import dataclass

ATTEMPTS = 4
TIMEOUT_S = 10.0
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 20.0
"""A CI step must not hang on a receiver; a longer Retry-After is not waited for."""
MAX_ANSWER_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMessage:
    """One POST. `url` and `headers` may hold secrets and are never shown; `label` names the receiver for people."""

    label: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    is_idempotent: bool
    """The receiver recognises a repetition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """The outside world of a delivery, handed in."""

    open: Callable[[urllib.request.Request, float], http.client.HTTPResponse]
    sleep: Callable[[float], None]
    now: Callable[[], float]
    """Seconds since the epoch, for an absolute Retry-After."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> None:
        return None


class Webhooks(Protocol):
    """Settings of a chat: a webhook for some owners, and one for the rest."""

    @property
    def webhook(self) -> Secret | None: ...
    @property
    def webhooks(self) -> Mapping[str, Secret]: ...


def to_chat(label: str, owner: str, settings: Webhooks, environment: Mapping[str, str], payload: object) -> HttpMessage:
    """The message that posts a payload to the owner's webhook or the default one. A chat shows a repetition as a second message.

    Raises:
        ConfigError: no webhook is configured for this owner, or the environment does not hold it.
    """
    webhook = settings.webhooks.get(owner) or settings.webhook
    if webhook is None:
        raise ConfigError(f"notify.{label.lower()} has no webhook for {owner!r} and no default one")
    body = json.dumps(payload).encode()
    return HttpMessage(label=label, url=webhook.value(environment), body=body, headers={}, is_idempotent=False)


def system_transport() -> Transport:
    """The real one: honours the usual proxy variables, verifies TLS."""
    import time

    opener = urllib.request.build_opener(_NoRedirect)

    def post(request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
        response = opener.open(request, timeout=timeout_s)
        assert isinstance(response, http.client.HTTPResponse)
        return response

    return Transport(open=post, sleep=time.sleep, now=time.time)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why one attempt failed, and whether another may be made."""

    why: str
    may_retry: bool
    delay_s: float | None = None


def post(message: HttpMessage, transport: Transport) -> None:
    """Deliver a message or say why not.

    Raises:
        NotifyError: refused for good, or still failing after the last attempt.
    """
    if urlsplit(message.url).scheme not in ("http", "https"):
        raise NotifyError(f"{message.label}: the address is neither http:// nor https://", help="check the configured address")
    delay_s = FIRST_DELAY_S
    for attempt in range(1, ATTEMPTS + 1):
        fault = _attempt(message, transport)
        if fault is None:
            return
        wait_s = delay_s if fault.delay_s is None else fault.delay_s
        if not fault.may_retry or attempt == ATTEMPTS or wait_s > MAX_DELAY_S:
            tries = f" after {attempt} attempts" if attempt > 1 else ""
            raise NotifyError(f"{message.label}: not delivered{tries}: {fault.why}")
        transport.sleep(wait_s)
        delay_s *= 2


def _attempt(message: HttpMessage, transport: Transport) -> _Fault | None:
    headers = {"Content-Type": "application/json", "User-Agent": "csv-gate", **message.headers}
    request = urllib.request.Request(message.url, data=message.body, headers=headers, method="POST")
    try:
        with transport.open(request, TIMEOUT_S) as response:
            return _judge(
                response.status, response.headers.get("Retry-After"), response.read(MAX_ANSWER_BYTES), transport.now()
            )
    except urllib.error.HTTPError as error:
        with error:
            return _judge(error.code, error.headers.get("Retry-After"), error.read(MAX_ANSWER_BYTES), transport.now())
    except urllib.error.URLError as error:
        reason = error.reason
        is_unsent = isinstance(reason, ConnectionRefusedError | socket.gaierror)
        return _Fault(f"no connection: {_text(str(reason))}", may_retry=is_unsent or message.is_idempotent)
    except (OSError, http.client.HTTPException) as error:
        kind = "no answer in time" if isinstance(error, TimeoutError) else f"the connection broke: {_text(str(error))}"
        unsure = "" if message.is_idempotent else "; it may have been taken, so it is not sent again"
        return _Fault(kind + unsure, may_retry=message.is_idempotent)


def _judge(status: int, retry_after: str | None, answer: bytes, now: float) -> _Fault | None:
    if 200 <= status < 300:
        return None
    said = _text(answer.decode("utf-8", "replace"))
    passing = status == 429 or 500 <= status < 600
    return _Fault(f"HTTP {status}" + (f": {said}" if said else ""), passing, _retry_after_s(retry_after, now))


def _retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3): a number of seconds or a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _text(answer: str) -> str:
    """What a receiver said, on one printable line of bounded length."""
    printable = "".join(character if character.isprintable() else " " for character in answer)
    return " ".join(printable.split())[:200]
