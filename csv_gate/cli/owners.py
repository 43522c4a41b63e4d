"""`csv-gate owners`: who answers for a path of the build output, and which source says so."""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options
from csv_gate.cli.parser import texts
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="+", help="artifacts, there or not; members as out/setup.msi!/app.dll")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each path")
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.selection import load_settings
    from csv_gate.config import owner_index
    from csv_gate.report.escape import json_line, terminal

    loaded = load_settings(args, console)
    base = loaded.path.parent if loaded.path else Path.cwd()
    index = owner_index(loaded.config, base)
    for problem in index.problems:
        console.tell(f"not read: {terminal(problem)}")
    is_unowned = False
    for path in texts(args, "paths"):
        steps = index.explain(scope_of(path, base), _sha256(path))
        deciding = next((step for step in steps if step.owner is not None), None)
        owner = deciding.owner if deciding else None
        is_unowned = is_unowned or owner is None
        if args.json:
            row = {
                "path": path,
                "owner": None if owner is None else {"name": owner.name, "contact": owner.contact, "source": owner.source},
                "steps": [{"source": step.source, "outcome": step.outcome, "decides": step is deciding} for step in steps],
            }
            console.out.write(json_line(row) + "\n")
            continue
        contact = f" ({owner.contact})" if owner and owner.contact else ""
        console.out.write(f"{terminal(path)}: {terminal(owner.name + contact) if owner else 'nobody'}\n")
        for step in steps:
            console.out.write(f"  {'>' if step is deciding else ' '} {step.source:<10} {terminal(step.outcome)}\n")
    return ExitCode.FINDINGS if is_unowned else ExitCode.OK


def scope_of(path: str, base: Path) -> str:
    """The path as patterns of the configuration see it: below the folder of the configuration where it lies in it."""
    try:
        below = Path(os.path.relpath(os.path.abspath(path), os.path.abspath(base))).as_posix()  # noqa: PTH100, links stay
    except ValueError:  # another drive
        return Path(path).as_posix()
    return Path(path).as_posix() if below.startswith("../") else below


def _sha256(path: str) -> str | None:
    """The digest that build manifests may name; `None` for what is no readable file, such as a member."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123, the path may hold what Path refuses
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
