"""`csv-gate notify`: page the owners of a saved result. Nothing is judged anew."""

from __future__ import annotations

import argparse

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_circumstance_options, add_config_options
from csv_gate.cli.paging import circumstances_of, require_channels, tell_owners
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", metavar="RESULT.json", help="written by `check -o json=FILE`")
    parser.add_argument(
        "--previous", metavar="RESULT.json", help="the last result of this branch: what it paged for is resolved"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the payloads, without secrets, and send nothing")
    add_circumstance_options(parser)
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.saved import saved_result
    from csv_gate.cli.selection import load_settings

    settings = load_settings(args, console).config.notify
    require_channels(settings)
    circumstances = circumstances_of(args, console, settings.run_url)
    result = saved_result(text(args, "result") or "")
    before = text(args, "previous")
    previous = None if before is None else saved_result(before)
    if not args.dry_run:
        failed = tell_owners(result, previous, circumstances, settings, console)
        return ExitCode.FINDINGS if failed else ExitCode.OK
    from csv_gate.notify.delivery import system_transport
    from csv_gate.notify.send import preview
    from csv_gate.notify.telling import prepare
    from csv_gate.report.escape import terminal

    telling = prepare(result, previous, circumstances, settings, console.environment, system_transport())
    if telling.why_nobody is not None:
        console.tell(f"this run would page nobody: {terminal(telling.why_nobody)}")
    console.out.write(preview(telling.pages, telling.channels) + "\n")
    return ExitCode.OK
