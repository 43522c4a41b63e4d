"""Mail by SMTP: one plain-text mail per page, to the owner's address or the configured default."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage

from csv_gate.errors import ConfigError, NotifyError
from csv_gate.lazy import regex
from csv_gate.notify.channels import Email
from csv_gate.notify.delivery import TIMEOUT_S
from csv_gate.notify.page import Page
from csv_gate.notify.text import cut, lines_of_page, plain

ADDRESS = regex(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}")


def mail(page: Page, settings: Email) -> EmailMessage:
    """The mail of a page.

    Raises:
        ConfigError: neither the owner nor the configuration names an address.
    """
    named = [text for text in (page.contact, page.owner) if text is not None and ADDRESS.fullmatch(text)]
    to = tuple(named[:1]) or settings.to
    if not to:
        raise ConfigError(f"{page.owner!r} has no mail address and notify.email.to is empty")
    note = EmailMessage()
    note["Subject"] = cut(plain(page.summary), 180)
    note["From"] = settings.sender
    note["To"] = ", ".join(to)
    note["X-Csv-Gate-Dedup-Key"] = page.dedup_key
    lines = [plain(page.summary), "", f"Owner: {plain(page.owner)}"]
    if page.circumstances.run_url:
        lines.append(f"Run: {page.circumstances.run_url}")
    if not page.is_resolved:
        lines += ["", *lines_of_page(page)]
    note.set_content("\n".join(lines) + "\n")
    return note


def send(note: EmailMessage, settings: Email, environment: Mapping[str, str]) -> None:
    """Hand a mail to the configured server, once: a mail that may have been taken is not sent again.

    Raises:
        NotifyError: the server could not be reached or refused it.
        ConfigError: a secret is not in the environment.
    """
    credentials = (settings.user, settings.password)
    try:
        with smtplib.SMTP(settings.server, settings.port, timeout=TIMEOUT_S) as server:
            if settings.starttls:
                server.starttls(context=ssl.create_default_context())
            if credentials[0] is not None and credentials[1] is not None:
                server.login(credentials[0].value(environment), credentials[1].value(environment))
            server.send_message(note)
    except (OSError, smtplib.SMTPException) as error:
        raise NotifyError(
            f"e-mail: {settings.server}:{settings.port} did not take it: {cut(plain(str(error)), 200)}"
        ) from error
