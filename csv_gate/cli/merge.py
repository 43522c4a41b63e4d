"""`csv-gate merge`: the results of all shards of a tree as one."""

from __future__ import annotations

import argparse
from typing import TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.outputs import attachments_of, check_writable, parse_outputs, write_files
from csv_gate.cli.parser import texts
from csv_gate.errors import ExitCode
from csv_gate.report import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", metavar="RESULT", nargs="+", help="files written by `check --shard N/M -o json=FILE`, all M")
    parser.add_argument(
        "-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable; default: json"
    )


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    outputs = parse_outputs(texts(args, "output") or ("json",), FORMATS)
    check_writable(outputs)

    from csv_gate.cli.rendering import options_for, print_report
    from csv_gate.cli.saved import saved_result
    from csv_gate.gate.merge import Part, merge
    from csv_gate.report import render

    result = merge([Part(path=path, result=saved_result(path)) for path in texts(args, "results")])
    options = options_for(console, attachments=attachments_of(outputs))

    def render_file(format: str, stream: TextIO) -> None:
        render(format, result, stream, options.for_file())

    write_files(outputs, render_file)
    print_report(next(output.format for output in outputs if output.is_stdout), result, console, options)
    return result.summary.exit_code
