"""One result to its owners: who is paged, who is told that it is over, what could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping

from csv_gate.model.checks import check
from csv_gate.model.result import Finding, RunResult
from csv_gate.notify.circumstances import Circumstances
from csv_gate.notify.delivery import Transport
from csv_gate.notify.page import Page, pages, resolved_pages
from csv_gate.notify.send import Channel, Delivery, channels, reason_not_to_page, send
from csv_gate.notify.settings import Notify
from csv_gate.records import dataclass

UNDELIVERED = "CSV920"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What there is to say of a result, and through what."""

    pages: tuple[Page, ...]
    """Red ones first, then those that are over."""
    channels: tuple[Channel, ...]
    already_told: frozenset[str]
    """Keys that the run before this one paged for and delivered."""
    why_nobody: str | None = None
    """Why this run pages nobody, whatever its colour."""

    def send(self) -> tuple[Delivery, ...]:
        """Deliver. Raises nothing for a receiver that fails: that is in the deliveries."""
        return () if self.why_nobody is not None else send(self.pages, self.channels, self.already_told)


def prepare(
    result: RunResult,
    previous: RunResult | None,
    circumstances: Circumstances,
    settings: Notify,
    environment: Mapping[str, str],
    transport: Transport,
) -> Telling:
    """Work out the pages. `previous` is the last result of the same branch: what it paged for and is gone is resolved, and a chat does
    not hear twice of what it was told then, unless that run says that a page was not delivered."""
    red = pages(result, circumstances, settings.severities)
    earlier = () if previous is None else pages(previous, circumstances, settings.severities)
    is_delivered = previous is not None and all(finding.check != UNDELIVERED for finding in previous.findings)
    return Telling(
        pages=(*red, *resolved_pages(earlier, red)),
        channels=channels(settings, environment, transport),
        already_told=frozenset(page.dedup_key for page in earlier) if is_delivered else frozenset(),
        why_nobody=reason_not_to_page(circumstances, settings),
    )


def undelivered(deliveries: tuple[Delivery, ...]) -> tuple[Finding, ...]:
    """A finding for each page that did not arrive. It never changes the colour of a build."""
    return tuple(
        Finding(
            check=UNDELIVERED,
            level=check(UNDELIVERED).level,
            message=f"{one.owner} was not told through {one.channel}: {one.error}",
            help="tell them yourself; `csv-gate notify RESULT.json` tries again",
        )
        for one in deliveries
        if one.error is not None
    )
