"""How reports are to look here: colours, width, the CI system that runs this; and printing one on stdout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.model.result import RunResult
from csv_gate.notify.circumstances import run_url
from csv_gate.records import dataclass, replace
from csv_gate.report import JunitDialect, ReportOptions, render

MAX_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Look:
    """The options of a report on stdout, and of the same report in a file."""

    stdout: ReportOptions

    def for_file(self) -> ReportOptions:
        """No colours, a width that does not depend on the window, everything in it."""
        return replace(self.stdout, colour=False, links=False, width=100, closing=True)


def options_for(
    console: Console, *, docs_url: str | None = None, base: Path | None = None, attachments: tuple[str, ...] = ()
) -> Look:
    environment = console.environment
    width = 100
    if console.out.isatty():
        import shutil

        width = shutil.get_terminal_size((100, 24)).columns
    return Look(
        ReportOptions(
            colour=console.is_colour_out,
            links=console.is_colour_out and console.out.isatty() and environment.get("TERM") != "dumb",
            width=min(width, MAX_WIDTH),
            verbosity=console.verbosity,
            docs_url=docs_url,
            run_url=run_url(environment),
            junit_dialect=junit_dialect(environment),
            attachments=attachments,
            base=None if base is None else os.path.abspath(base),  # noqa: PTH100, without `..`
            stop_token=_stop_token(environment),
            closing=False,
        )
    )


def _stop_token(environment: Mapping[str, str]) -> str | None:
    if environment.get("GITHUB_ACTIONS") != "true":
        return None
    import secrets

    return secrets.token_hex(16)


def junit_dialect(environment: Mapping[str, str]) -> JunitDialect:
    """The dialect of the CI system that runs this; Azure's where none is known, since it says the most."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return JunitDialect.GITHUB
    if environment.get("GITLAB_CI"):
        return JunitDialect.GITLAB
    if environment.get("JENKINS_URL"):
        return JunitDialect.JENKINS
    return JunitDialect.AZURE


def print_report(format: str, result: RunResult, console: Console, look: Look) -> None:
    """Write the report to stdout, and what came of the run in one line to stderr.

    A reader that goes away early does not change what came of the run.
    """
    from csv_gate.report.text import summary_line

    try:
        render(format, result, console.out, look.stdout)
        console.out.flush()
    except BrokenPipeError:
        console.abandon_out()
    console.tell(summary_line(result, replace(look.stdout, colour=console.is_colour_err)))
