"""`csv-gate config`: what holds and who said so, and the schema of the file."""

from __future__ import annotations

import argparse
import json
from importlib import resources
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("show", "schema"), help="settings with their origin; JSON Schema of csv-gate.yaml")
    parser.add_argument("--json", action="store_true", help="show as JSON")
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    if args.what == "schema":
        console.out.write((resources.files("csv_gate") / "schemas" / "config.schema.json").read_text("utf-8"))
        return ExitCode.OK
    from csv_gate.cli.selection import load_settings
    from csv_gate.config import effective_settings
    from csv_gate.report.escape import terminal

    loaded = load_settings(args, console)
    settings = effective_settings(loaded)
    if args.json:
        rows = [{"key": one.key, "value": one.value, "origin": one.origin_text} for one in settings]
        console.out.write(json.dumps({"file": _shown(loaded.path), "settings": rows}, indent=2) + "\n")
        return ExitCode.OK
    console.tell(f"configuration: {terminal(_shown(loaded.path) or 'no file, all is default')}")
    width = min(max((len(one.key) for one in settings), default=0), 40)
    for one in settings:
        value = json.dumps(one.value, ensure_ascii=False)
        console.out.write(f"{terminal(one.key):<{width}}  {terminal(value)}  # {terminal(one.origin_text)}\n")
    return ExitCode.OK


def _shown(path: Path | None) -> str | None:
    return None if path is None else str(path)
