"""One self-contained page: summary, causes, a matrix of artifact × target, traces and certificate chains on demand.

What comes from artifacts stands in a JSON block whose `<`, `>` and `&` are escaped, and the page's script sets it as text. The
content security policy admits this very script and style and nothing else; nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TextIO

from csv_gate.model.checks import CHECKS
from csv_gate.model.result import ArtifactResult, RunResult
from csv_gate.model.result_json import time_text
from csv_gate.model.verdict import Decision, Level
from csv_gate.report.causes import Cause, gather
from csv_gate.report.describe import short_digest
from csv_gate.report.escape import clip, html_text, script_json, visible
from csv_gate.report.headline import counted, headline
from csv_gate.report.html_rows import Json, Rows
from csv_gate.report.options import ReportOptions

_ROWS_MAX = 20_000
"""Artifacts without findings beyond this are counted only: a page of more rows is of no use to anyone."""
_CAUSES_MAX = 100


def render_html(result: RunResult, out: TextIO, options: ReportOptions) -> None:
    """Artifacts with trouble come first, then the others, each sorted by path."""
    out.write(_top(result))
    rows = Rows(result.targets)
    out.write('{"rows":[')
    left = _write_rows(result, rows, out)
    out.write("\n],\n")
    causes = [cause for cause in gather(result) if cause.level is not Level.NOTE]
    rows.checks.update(cause.first.check for cause in causes)
    for name, value in _rest(result, causes, rows, left, options).items():
        out.write(f"{script_json(name)}:{script_json(value)},\n")
    titles = {check.id: check.title for check in CHECKS.values() if check.id in rows.checks}
    out.write(f'"checks":{script_json(titles)}}}\n')
    out.write(f"</script>\n<script>{_asset('page.js')}</script>\n</body>\n</html>\n")


def _write_rows(result: RunResult, rows: Rows, out: TextIO) -> int:
    """Returns how many artifacts were left out."""
    written = left = 0
    for wanted in (True, False):
        for artifact in result.artifacts:
            if _is_trouble(artifact) is not wanted:
                continue
            if written >= _ROWS_MAX and not wanted:
                left += 1
                continue
            out.write(("," if written else "") + "\n" + script_json(rows.row(artifact)))
            written += 1
    return left


def _is_trouble(artifact: ArtifactResult) -> bool:
    blocked = any(verdict.decision in (Decision.DENIED, Decision.UNDECIDED) for verdict in artifact.verdicts)
    return blocked or bool(artifact.findings)


def _rest(result: RunResult, causes: list[Cause], rows: Rows, left: int, options: ReportOptions) -> Json:
    return {
        "left": left,
        "inputs": [visible(path) for path in result.run.inputs],
        "run_url": _address(options.run_url),
        "docs": _address(options.docs_url),
        "targets": [
            {
                "name": visible(target.name),
                "engine": visible(target.engine),
                "mode": target.mode,
                "policies": [
                    visible(f"{policy.name or policy.id} {policy.version}, {policy.path}, sha256 {short_digest(policy.sha256)}")
                    for policy in target.policies
                ],
            }
            for target in result.targets
        ],
        "causes": [_cause(cause) for cause in causes[:_CAUSES_MAX]],
        "certificates": rows.certificates,
        "strings": rows.strings,
    }


def _cause(cause: Cause) -> Json:
    first = cause.first
    return {
        "key": Rows.cause_key(first) if cause.paths else None,
        "check": visible(first.check),
        "level": cause.level.value,
        "message": clip(visible(first.message), 1_000),
        "target": visible(first.target) if first.target else None,
        "count": cause.count,
        "owners": visible(", ".join(sorted(cause.owners))) or None,
        "place": visible(str(first.place)) if first.place else None,
        "help": visible(first.help) or None,
    }


def _address(url: str | None) -> str | None:
    """Only addresses of the web become links."""
    return url.rstrip("/") if url and re.match(r"https?://", url) else None


def _top(result: RunResult) -> str:
    code = int(result.summary.exit_code)
    values = {
        "style": _asset("page.css"),
        "style_hash": _hash(_asset("page.css")),
        "script_hash": _hash(_asset("page.js")),
        "headline": html_text(headline(result)),
        "state": {0: "good", 3: "open", 4: "open"}.get(code, "bad"),
        "version": html_text(result.run.tool_version),
        "time": html_text(time_text(result.run.evaluated_at)),
        "counts": html_text(", ".join(f"{count} {word}" for word, count in counted(result.summary) if count)),
    }
    return re.sub(r"%([a-z_]+)%", lambda found: values[found[1]], _asset("page.html"))


@cache
def _asset(name: str) -> str:
    return (resources.files("csv_gate.report") / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
