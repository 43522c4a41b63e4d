"""`csv-gate explain`: the page of a check, or every step of the verdicts on one file."""

from __future__ import annotations

import argparse
import os
import re

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options, add_target_options
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode
from csv_gate.model.checks import CHECKS, check, page
from csv_gate.records import replace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject", metavar="CHECK|PATH", nargs="?", help="CSV201, no-rule-allows, build/app.dll; none lists the checks"
    )
    add_target_options(parser)
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.rendering import options_for
    from csv_gate.report.explanation import render_check_list, render_check_page

    subject = text(args, "subject")
    options = options_for(console).stdout
    if subject is None:
        render_check_list(console.out, options)
        return ExitCode.OK
    if not _names_check(subject) and os.path.lexists(subject):
        return _explain_path(args, console, subject)
    render_check_page(page(check(subject).id), console.out, options)
    return ExitCode.OK


def _names_check(subject: str) -> bool:
    return re.fullmatch(r"CSV\d{3}", subject, re.IGNORECASE) is not None or any(c.slug == subject for c in CHECKS.values())


def _explain_path(args: argparse.Namespace, console: Console, path: str) -> ExitCode:
    from csv_gate.cli.rendering import options_for
    from csv_gate.cli.selection import select
    from csv_gate.gate import run as run_plan
    from csv_gate.report.explanation import render_explanation

    selection = select(args, console, (path,))
    with run_plan(replace(selection.plan, jobs=1)) as result:
        options = options_for(console, docs_url=selection.config.docs_url, base=selection.plan.base).stdout
        for artifact in result.artifacts:
            render_explanation(artifact, result.targets, console.out, options)
        return result.summary.exit_code
