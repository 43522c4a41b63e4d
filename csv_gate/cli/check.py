"""`csv-gate check`: the main job."""

from __future__ import annotations

import argparse
from typing import TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options, add_target_options
from csv_gate.cli.outputs import attachments_of, check_writable, parse_outputs, write_files
from csv_gate.cli.parser import or_environment, texts
from csv_gate.cli.progress import Progress
from csv_gate.cli.rendering import options_for, print_report
from csv_gate.errors import ExitCode
from csv_gate.report import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files and folders; default: `inputs:` of the configuration")
    add_target_options(parser)
    group = parser.add_argument_group("what is looked at")
    group.add_argument("--include", metavar="GLOB", action="append", help="only these paths [CSV_GATE_INCLUDE]")
    group.add_argument(
        "--exclude", metavar="GLOB", action="append", help="not these paths; counted in the result [CSV_GATE_EXCLUDE]"
    )
    group.add_argument(
        "--no-containers", action="store_true", help="do not open archives, packages and installers [CSV_GATE_CONTAINERS=false]"
    )
    group.add_argument("--cross-check", action="store_true", help="compare each file with lief and pefile (extra: cross-check)")
    group.add_argument("-j", "--jobs", metavar="N", type=int, help="processes; default: as many as pay [CSV_GATE_JOBS]")
    add_config_options(parser)
    group = parser.add_argument_group("result")
    group.add_argument(
        "-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable [CSV_GATE_OUTPUT]"
    )
    group.add_argument(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        help="findings that fail the build; default: error [CSV_GATE_FAIL_ON]",
    )


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    outputs = parse_outputs(or_environment(texts(args, "output"), console.environment, "CSV_GATE_OUTPUT"), FORMATS)
    check_writable(outputs)

    from csv_gate.cli.selection import select
    from csv_gate.gate import run as run_plan
    from csv_gate.report import render

    selection = select(args, console, texts(args, "paths"))
    progress = Progress(console)
    try:
        result = run_plan(selection.plan, progress)
    finally:
        progress.close()
    with result:
        options = options_for(
            console, docs_url=selection.config.docs_url, base=selection.plan.base, attachments=attachments_of(outputs)
        )

        def render_file(format: str, stream: TextIO) -> None:
            render(format, result, stream, options.for_file())

        write_files(outputs, render_file)
        print_report(next(output.format for output in outputs if output.is_stdout), result, console, options)
        return result.summary.exit_code
