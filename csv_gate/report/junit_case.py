"""One test case of a JUnit file: what it says, and its XML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from csv_gate.lazy import regex
from csv_gate.records import dataclass, replace
from csv_gate.report.escape import clip, visible, xml
from csv_gate.report.options import JunitDialect, ReportOptions

CLASS_MAX = 100
GRAVE = ("failure", "error")
_NAME_MAX = 380
"""Azure takes names up to 512 characters, class name included."""
_SHORT = 200
_SHORT_FILE = 1_000
"""Characters of a path beyond which a shortened case does not name its file."""
_MARKED = regex(r" #[0-9a-f]{16}$")
_WITH_OWNER = (JunitDialect.AZURE, JunitDialect.GITHUB)
_WITH_FILE = (JunitDialect.GITHUB, JunitDialect.GITLAB, JunitDialect.JENKINS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case. All text is raw."""

    name: str
    path: str | None
    owner: str | None
    outcome: str
    """`passed`, `failure`, `error` or `skipped`."""
    type: str = ""
    message: str = ""
    body: tuple[str, ...] = ()


def case_name(path: str) -> str:
    """A name that no other path gets: what escaping or clipping changed carries a digest of the raw path.

    A reader that keeps the first of equal names (GitLab) would otherwise let one artifact hide another.
    """
    name = clip(visible(path), _NAME_MAX)
    if name == path and not _MARKED.search(path):
        return name
    return f"{name} #{hashlib.sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def shortened(case: Case) -> Case:
    """The case without its text, for a file that is long already: at most some 12 kB."""
    path = case.path if case.path is None or len(case.path) <= _SHORT_FILE else None
    owner = None if case.owner is None else clip(case.owner, _SHORT)
    return replace(case, message=clip(case.message, _SHORT), body=(), path=path, owner=owner)


def case_xml(case: Case, suite: str, options: ReportOptions) -> str:
    """The element, with everything in it escaped."""
    dialect = options.junit_dialect
    attributes = [f'classname="{xml(suite, CLASS_MAX)}"', f'name="{xml(case.name)}"']
    if case.owner and dialect in _WITH_OWNER:
        attributes.append(f'owner="{xml(case.owner)}"')
    if case.path and dialect in _WITH_FILE:
        attributes.append(f'file="{xml(case.path)}"')
    inner = [*_outcome(case, options), *_system_out(case, options)]
    return f'  <testcase {" ".join(attributes)} time="0"' + (">\n" + "".join(inner) + "  </testcase>\n" if inner else "/>\n")


def _outcome(case: Case, options: ReportOptions) -> Iterator[str]:
    if case.outcome == "skipped":
        yield f'   <skipped message="{xml(case.message)}"/>\n'
    elif case.outcome in ("failure", "error"):
        lines = list(case.body)
        if case.type and (page := options.check_url(case.type)):
            lines.append(f"page      {page}")
        type_ = f'type="{xml(case.type)}" ' if case.type else ""
        text = "\n".join(map(xml, lines))
        yield f'   <{case.outcome} {type_}message="{xml(case.message)}">{text}</{case.outcome}>\n'


def _system_out(case: Case, options: ReportOptions) -> Iterator[str]:
    lines: list[str] = []
    if case.outcome == "passed":
        lines += case.body
    elif case.outcome in ("failure", "error") and options.junit_dialect is not JunitDialect.STRICT:
        files = options.attachments[: 1 if options.junit_dialect is JunitDialect.GITLAB else None]
        lines += [f"[[ATTACHMENT|{path}]]" for path in files]
    if lines:
        yield "   <system-out>" + "\n".join(_out_line(line) for line in lines) + "</system-out>\n"


def _out_line(line: str) -> str:
    """An artifact must not attach files: only a line that is ours may start with the tag."""
    return xml(line) if line.startswith("[[ATTACHMENT|") else xml(line).replace("[[ATTACHMENT", "[ [ATTACHMENT")
