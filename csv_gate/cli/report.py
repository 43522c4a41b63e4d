"""`csv-gate report`: render a saved JSON result again. Nothing is judged anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.outputs import check_writable, parse_outputs, write_files
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode, Place, UsageError
from csv_gate.report import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT.json", help="written by `check -o json=FILE`; - for stdin")
    parser.add_argument("-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable")
    parser.add_argument("--exit-code", action="store_true", help="end with the exit code of the saved run")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.rendering import options_for, print_report
    from csv_gate.model.result_read import read_result
    from csv_gate.report import render

    outputs = parse_outputs(texts(args, "output"), FORMATS)
    check_writable(outputs)
    path = text(args, "result") or "-"
    result = read_result(read_saved(path), path="stdin" if path == "-" else path)
    look = options_for(console, base=Path.cwd())

    def render_file(format: str, stream: TextIO) -> None:
        render(format, result, stream, look.for_file())

    write_files(outputs, render_file)
    print_report(next(output.format for output in outputs if output.is_stdout), result, console, look)
    return result.summary.exit_code if args.exit_code else ExitCode.OK


def read_saved(path: str) -> bytes:
    """The bytes of a saved result; `-` is stdin.

    Raises:
        UsageError: not readable.
    """
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(
            "the result cannot be read",
            place=Place(path=path),
            got=error.strerror or type(error).__name__,
            expected="a file written by `check -o json=FILE`",
        ) from error
