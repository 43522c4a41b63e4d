"""`csv-gate init`: look at the repository and write a commented configuration, a waiver file and what the CI system needs."""

from __future__ import annotations

import argparse
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode, Place, UsageError
from csv_gate.records import replace

HOSTS = ("github", "azure", "gitlab", "jenkins", "none")
"""The values of `csv_gate.scaffold.CiHost`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="the repository; default: here")
    parser.add_argument("--ci", choices=HOSTS, help="the CI system; default: what the repository shows")
    parser.add_argument("--dry-run", action="store_true", help="print the files and write nothing")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.report.escape import terminal
    from csv_gate.scaffold import CiHost, new_files, survey, write_new

    root = Path(text(args, "folder") or ".")
    if not root.is_dir():
        raise UsageError("there is no such folder", place=Place(path=str(root)))
    found = survey(root)
    if args.ci is not None:
        found = replace(found, ci=CiHost(str(args.ci)))
    for what, names in (("policies", found.policies), ("build output", found.outputs)):
        console.tell(f"{what}: {', '.join(terminal(name) for name in names) or 'none found'}")
    console.tell(f"CI system: {found.ci.value}; owners: {found.codeowners or 'no CODEOWNERS file'}")
    for file in new_files(found):
        if args.dry_run:
            console.out.write(f"--- {file.path}\n{file.text}\n")
        else:
            console.tell(f"written: {file.path}" if write_new(root, file) else f"kept: {file.path} is there already")
    if not args.dry_run:
        console.tell("next: look through csv-gate.yaml, build, and run `csv-gate check`")
    return ExitCode.OK
