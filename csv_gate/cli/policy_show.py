"""`csv-gate policy show`: a readable summary of policies."""

from __future__ import annotations

import argparse
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.parser import texts
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="policy XML, compiled or signed policy")
    parser.add_argument("--json", action="store_true", help="one JSON object for all of them")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.authoring.show import summary
    from csv_gate.authoring.show_text import render_summaries_json, render_summary
    from csv_gate.cli.rendering import options_for
    from csv_gate.policies import load_policy

    found = [summary(load_policy(Path(path))) for path in texts(args, "files")]
    if args.json:
        render_summaries_json(found, console.out)
        return ExitCode.OK
    options = options_for(console).stdout
    for number, one in enumerate(found):
        if number:
            console.out.write("\n")
        render_summary(one, console.out, options)
    return ExitCode.OK
