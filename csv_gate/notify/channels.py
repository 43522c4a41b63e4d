"""The channels of the `notify:` section, each a section of its own. Secrets only by name of environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from csv_gate.documents import Secret, says
from csv_gate.notify.settings import URL
from csv_gate.records import dataclass, field


class Severity(StrEnum):
    """The words of PagerDuty's Events API v2, gravest first; other channels map them."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Greater is graver."""
        return len(Severity) - list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    routing_key: Secret | None = field(default=None, metadata=says("Integration key of the service that is paged by default."))
    routing_keys: Mapping[str, Secret] = field(
        default_factory=dict, metadata=says("Owner name to the integration key of the owner's service.")
    )
    url: str = field(
        default="https://events.pagerduty.com/v2/enqueue",
        metadata=says("Events API address; the EU region has another.", pattern=URL),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    url: str = field(metadata=says("Base address of the Alertmanager, http:// or https://.", pattern=URL))
    token: Secret | None = field(default=None, metadata=says("Bearer token."))
    labels: Mapping[str, str] = field(default_factory=dict, metadata=says("Labels added to every alert."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    webhook: Secret | None = field(default=None, metadata=says("Address of the incoming webhook."))
    webhooks: Mapping[str, Secret] = field(
        default_factory=dict, metadata=says("Owner name to the webhook of the owner's channel.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Teams:
    webhook: Secret | None = field(default=None, metadata=says("Address of the Workflows webhook."))
    webhooks: Mapping[str, Secret] = field(
        default_factory=dict, metadata=says("Owner name to the webhook of the owner's channel.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    url: str | None = field(default=None, metadata=says("Address, where it is no secret; http:// or https://.", pattern=URL))
    secret_url: Secret | None = field(default=None, metadata=says("Address, where it is one."))
    secret: Secret | None = field(default=None, metadata=says("Key of the HMAC that signs the body."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    server: str = field(metadata=says("Host name of the SMTP server."))
    port: int = field(default=587, metadata=says("Port of the SMTP server.", low=1, high=65535))
    starttls: bool = field(default=True, metadata=says("Encrypt the connection before anything is said."))
    sender: str = field(metadata=says("Address that mails come from.", key="from"))
    to: tuple[str, ...] = field(default=(), metadata=says("Who gets mail for owners without an address."))
    user: Secret | None = field(default=None, metadata=says("Account name."))
    password: Secret | None = field(default=None, metadata=says("Password of the account."))
