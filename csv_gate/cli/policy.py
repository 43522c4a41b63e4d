"""`csv-gate policy`: what people who write policies need. Each command is a module of its own, imported when it is called."""

from __future__ import annotations

import argparse
from importlib import import_module

from csv_gate.cli.console import Console
from csv_gate.cli.parser import HelpShown, parser_for, text, texts
from csv_gate.errors import ExitCode, UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "show": ("csv_gate.cli.policy_show", "sum policies up: ids, version, options, rules, signers by publisher"),
    "lint": ("csv_gate.cli.policy_lint", "look for mistakes in policies: rules without effect, wrong versions, broad signers"),
    "diff": ("csv_gate.cli.policy_diff", "compare two policies by what they do; order, ids and names count for nothing"),
    "convert": ("csv_gate.cli.policy_convert", "turn policy XML into a compiled policy, or the other way round"),
    "hash": ("csv_gate.cli.policy_hash", "print SHA-256 of policy files and of what is signed in them, and who signed"),
}
"""Command -> its module, and its line of help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "csv-gate policy COMMAND [ARGUMENT]…"
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"{parser.description}\n\n{listed}\n\n`csv-gate policy COMMAND --help` tells the options of each."
    parser.add_argument("command", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("rest", metavar="ARGUMENT", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    command = text(args, "command") or ""
    if command not in COMMANDS:
        raise UsageError(
            "there is no such policy command",
            got=command,
            expected=", ".join(COMMANDS),
            help="`csv-gate policy --help` lists them",
        )
    name, description = COMMANDS[command]
    module = import_module(name)
    parser = parser_for(f"policy {command}", description, console)
    module.add_arguments(parser)
    try:
        parsed = parser.parse_args(list(texts(args, "rest")))
    except HelpShown:
        return ExitCode.OK
    code: ExitCode = module.run(parsed, console)
    return code
