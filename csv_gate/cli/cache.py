"""`csv-gate cache`: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.errors import ExitCode, StoreError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("stats", "clean"), help="say how much is kept; forget all of it")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.store.location import cache_folder
    from csv_gate.store.upkeep import clean, stats

    folder = cache_folder(console.environment)
    if folder is None:
        raise UsageError(
            "there is no folder for kept facts", expected="a home folder, or one named in CSV_GATE_CACHE_DIR", got="neither"
        )
    if args.action == "clean":
        _tell(console, folder, f"{clean(folder)} bytes forgotten")
        return ExitCode.OK
    found = stats(folder)
    if found is None:
        raise StoreError(
            "the kept facts cannot be read", got=str(folder), help="`csv-gate cache clean` takes them away; they come again"
        )
    _tell(console, folder, f"{found.facts} files' facts, {found.files} trusted files, {found.size_bytes} bytes")
    return ExitCode.OK


def _tell(console: Console, folder: Path, what: str) -> None:
    from csv_gate.report.escape import terminal

    console.out.write(f"{terminal(str(folder))}: {what}\n")
