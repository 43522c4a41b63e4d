"""`csv-gate report`: render a saved JSON result again. Nothing is judged anew."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.outputs import check_writable, parse_outputs, write_files
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode
from csv_gate.report import FORMATS

if TYPE_CHECKING:
    pass


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT.json", help="written by `check -o json=FILE`; - for stdin")
    parser.add_argument("-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable")
    parser.add_argument("--exit-code", action="store_true", help="end with the exit code of the saved run")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.rendering import options_for, print_report
    from csv_gate.cli.saved import saved_result
    from csv_gate.report import render

    outputs = parse_outputs(texts(args, "output"), FORMATS)
    check_writable(outputs)
    path = text(args, "result") or "-"
    result = saved_result(path)
    look = options_for(console, base=Path.cwd())

    def render_file(format: str, stream: TextIO) -> None:
        render(format, result, stream, look.for_file())

    write_files(outputs, render_file)
    print_report(next(output.format for output in outputs if output.is_stdout), result, console, look)
    return result.summary.exit_code if args.exit_code else ExitCode.OK
