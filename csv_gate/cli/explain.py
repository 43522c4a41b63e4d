"""`csv-gate explain`: the page of a check, or every step of the verdicts on one file."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options, add_target_options
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode
from csv_gate.model.checks import CHECKS, Check, check, page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject", metavar="CHECK|PATH", nargs="?", help="CSV201, no-rule-allows, build/app.dll; none lists the checks"
    )
    add_target_options(parser)
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    subject = text(args, "subject")
    if subject is None:
        for entry in CHECKS.values():
            console.out.write(f"{entry.id}  {entry.level.value:<7}  {entry.slug:<28}  {entry.title}\n")
        return ExitCode.OK
    if not _names_check(subject) and os.path.lexists(subject):
        return _explain_path(args, console, subject)
    _explain_check(check(subject), console)
    return ExitCode.OK


def _names_check(subject: str) -> bool:
    return re.fullmatch(r"CSV\d{3}", subject, re.IGNORECASE) is not None or any(c.slug == subject for c in CHECKS.values())


def _explain_check(entry: Check, console: Console) -> None:
    shown = page(entry.id)
    head = f"{entry.id} {entry.slug} ({entry.level.value})"
    console.out.write(f"{head}\n{entry.title}\n")
    for title, body in (("What", shown.what), ("Why", shown.why), ("How to mend", shown.mend)):
        console.out.write(f"\n{title}\n\n{_indented(body)}\n")


def _indented(body: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in body.splitlines())


def _explain_path(args: argparse.Namespace, console: Console, path: str) -> ExitCode:
    from csv_gate.cli.rendering import options_for
    from csv_gate.cli.selection import select
    from csv_gate.gate import run as run_plan
    from csv_gate.report.explanation import render_explanation

    selection = select(args, console, (path,))
    with run_plan(replace(selection.plan, jobs=1)) as result:
        look = options_for(console, docs_url=selection.config.docs_url, base=selection.plan.base)
        render_explanation(result, console.out, look.stdout)
        return result.summary.exit_code
