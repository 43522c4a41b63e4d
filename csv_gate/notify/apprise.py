"""Every other service, through the Apprise library (BSD-2-Clause), an optional extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csv_gate.documents import Secret
from csv_gate.errors import MissingExtraError, NotifyError
from csv_gate.notify.page import Page
from csv_gate.notify.text import lines_of_page, plain


def payload(page: Page) -> dict[str, str]:
    return {
        "title": plain(page.summary),
        "body": "" if page.is_resolved else "\n".join(lines_of_page(page)),
        "type": "success" if page.is_resolved else "failure",
    }


def send(page: Page, addresses: Sequence[Secret], environment: Mapping[str, str]) -> None:
    """Hand a page to every configured address.

    Raises:
        MissingExtraError: the library is not installed.
        NotifyError: at least one service did not take it; the library does not say which without showing its address.
        ConfigError: an address is not in the environment.
    """
    try:
        import apprise
    except ImportError as error:
        raise MissingExtraError("notify.apprise needs the Apprise library", help="pip install 'csv-gate[apprise]'") from error
    outlet = apprise.Apprise()
    for address in addresses:
        if not outlet.add(address.value(environment)):
            raise NotifyError(f"apprise: the address in {address.env} is none that it knows")
    said = payload(page)
    if not outlet.notify(title=said["title"], body=said["body"], notify_type=said["type"], body_format="text"):
        raise NotifyError("apprise: at least one service did not take the page")
