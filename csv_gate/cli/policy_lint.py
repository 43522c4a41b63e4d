"""`csv-gate policy lint`: mistakes in policies, each with its place and what to do. Exit code 1 when one fails the lint."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from csv_gate import __version__
from csv_gate.cli.console import Console
from csv_gate.cli.outputs import check_writable, parse_outputs, write_files
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode
from csv_gate.model.checks import check
from csv_gate.model.verdict import Level
from csv_gate.report.options import ReportOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csv_gate.model.appcontrol import AppControlPolicy
    from csv_gate.model.result import Finding

FORMATS = {"text": None, "json": None, "junit": None, "sarif": None, "github": None}
"""What a lint can be printed as."""
_FAIL_ON = ("error", "warning", "note", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="policies; several are looked at as the set of a target too")
    parser.add_argument(
        "--against",
        metavar="FILE",
        action="append",
        help="policy as it was deployed before, to compare VersionEx with; repeatable",
    )
    parser.add_argument(
        "--certificates",
        metavar="FILE",
        action="append",
        help="certificates (PEM, DER) or signed files, to tell which of the signers that a policy names by hash have expired or use "
        "ECC keys; repeatable",
    )
    parser.add_argument("--ignore", metavar="CHECK", action="append", help="leave a check out, such as CSV618; repeatable")
    group = parser.add_argument_group("result")
    group.add_argument("-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable")
    group.add_argument(
        "--fail-on", choices=_FAIL_ON, default="error", help="findings that end with exit code 1; default: error"
    )


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.authoring.certificates import read_certificates
    from csv_gate.authoring.lint import lint
    from csv_gate.authoring.lint_text import closing_line
    from csv_gate.cli.rendering import options_for
    from csv_gate.policies import load_policy

    outputs = parse_outputs(texts(args, "output"), FORMATS)
    check_writable(outputs)
    ignored = {check(name).id for name in texts(args, "ignore")}
    policies, earlier = ([load_policy(Path(path)) for path in texts(args, name)] for name in ("files", "against"))
    certificates = [found for path in texts(args, "certificates") for found in read_certificates(Path(path))]
    now = datetime.now(UTC)
    findings = [
        finding
        for finding in lint(policies, against=earlier, certificates=certificates, evaluated_at=now)
        if finding.check not in ignored
    ]
    code = _exit_code(findings, text(args, "fail_on") or "error")
    look = options_for(console, base=Path.cwd())

    def render_file(format: str, out: TextIO) -> None:
        _render(format, policies, findings, code, out, look.for_file())

    write_files(outputs, render_file)
    _render(next(one.format for one in outputs if one.is_stdout), policies, findings, code, console.out, look.stdout)
    console.tell(closing_line(policies, findings))
    return code


def _exit_code(findings: Sequence[Finding], fail_on: str) -> ExitCode:
    if fail_on == "never":
        return ExitCode.OK
    threshold = Level(fail_on).rank
    return ExitCode.FINDINGS if any(finding.level.rank >= threshold for finding in findings) else ExitCode.OK


def _render(
    format: str,
    policies: Sequence[AppControlPolicy],
    findings: Sequence[Finding],
    code: ExitCode,
    out: TextIO,
    options: ReportOptions,
) -> None:
    from csv_gate.authoring.lint_junit import render_lint_junit
    from csv_gate.authoring.lint_text import lint_result, render_lint, render_lint_json
    from csv_gate.report import render

    match format:
        case "text":
            render_lint(findings, out, options)
        case "json":
            render_lint_json(policies, findings, out)
        case "junit":
            render_lint_junit(policies, findings, out, options)
        case _:
            now = datetime.now(UTC)
            result = lint_result(policies, findings, evaluated_at=now, tool_version=__version__, exit_code=code)
            render(format, result, out, options)
