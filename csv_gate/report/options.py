"""How a report is to look. Nothing in here changes what a report says of an artifact's fate."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TextIO

from csv_gate.model.result import RunResult
from csv_gate.records import dataclass


class JunitDialect(StrEnum):
    """Who reads the JUnit file; they disagree about what may stand in it."""

    AZURE = "azure"
    """Azure Pipelines: `owner` on the test case, attachments in its output, no properties."""
    GITHUB = "github"
    """The reporters of GitHub's marketplace: `file` on the test case."""
    GITLAB = "gitlab"
    """GitLab: the first of several equal names wins, `file` on the test case, one attachment."""
    JENKINS = "jenkins"
    """Jenkins' junit plugin: properties of the suite, `owner` in the text."""
    STRICT = "strict"
    """Only what `junit-10.xsd` of Jenkins' xunit plugin knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What the caller knows of the place a report goes to."""

    colour: bool = False
    """ANSI colours in `text`."""
    links: bool = False
    """Check ids in `text` are hyperlinks (OSC 8) to their pages, where `docs_url` says where these are."""
    width: int = 100
    """Columns that `text` wraps to."""
    verbosity: int = 0
    """Below 0: errors only; 0: errors and warnings; 1: notes and waived verdicts too; 2: every trace as well."""
    docs_url: str | None = None
    """Base address of the checks' pages; a check's page is `<docs_url>/<id>`. None: no links."""
    run_url: str | None = None
    """Address of the CI run, for pages that people read elsewhere."""
    junit_dialect: JunitDialect = JunitDialect.AZURE
    attachments: tuple[str, ...] = ()
    """Absolute paths of files (the HTML page, the JSON result) that a failed test case links to."""
    base: str | None = None
    """Folder that paths in SARIF, annotations and code quality are relative to; paths outside of it stay as they are."""
    stop_token: str | None = None
    """Unguessable word for GitHub's `stop-commands`. None: the `github` format prints annotations only, no text."""
    full_per_cause: int = 3
    """How many artifacts with one and the same cause `text` shows in full; the others are listed."""
    closing: bool = True
    """Whether `text` ends with the summary line. The command line prints that line to stderr instead."""

    def check_url(self, check: str) -> str | None:
        """Address of a check's page."""
        return f"{self.docs_url.rstrip('/')}/{check}" if self.docs_url else None


class Renderer(Protocol):
    def __call__(self, result: RunResult, out: TextIO, options: ReportOptions, /) -> None: ...
