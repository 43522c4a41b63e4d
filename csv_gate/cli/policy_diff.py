"""`csv-gate policy diff`: two policies compared by what they do. Exit code 0: no difference, 1: there is one, as with diff(1)."""

from __future__ import annotations

import argparse
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help="policy XML, compiled or signed policy")
    parser.add_argument("new", metavar="NEW", help="the same, in the same or in another form")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.authoring.diff import diff
    from csv_gate.authoring.diff_text import render_diff, render_diff_json
    from csv_gate.cli.rendering import options_for
    from csv_gate.policies import load_policy

    old, new = (load_policy(Path(text(args, name) or "")) for name in ("old", "new"))
    found = diff(old, new)
    if args.json:
        render_diff_json(old, new, found, console.out)
    elif console.verbosity >= 0:
        render_diff(old, new, found, console.out, options_for(console).stdout)
    return ExitCode.FINDINGS if found else ExitCode.OK
