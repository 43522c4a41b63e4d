"""`csv-gate completion SHELL`: a static script, made from the parsers of all verbs. Completing starts no Python."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import import_module

from csv_gate.cli.console import Console
from csv_gate.errors import ExitCode

SHELLS = ("bash", "zsh", "fish", "powershell")
_FILES = ("FILE", "PATH", "RESULT.json", "CHECK|PATH", "FORMAT[=FILE]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One option of a verb."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...]
    """Empty: anything, which for `is_file` is a path."""
    is_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    name: str
    help: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    """What a fixed positional argument may be."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for flag in self.flags for name in flag.names)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli import shell_scripts

    writers = {
        "bash": shell_scripts.bash,
        "zsh": shell_scripts.zsh,
        "fish": shell_scripts.fish,
        "powershell": shell_scripts.powershell,
    }
    console.out.write(writers[str(args.shell)](verbs(console)))
    return ExitCode.OK


def verbs(console: Console) -> tuple[Verb, ...]:
    """Every verb with its options, in the order of the program's help."""
    from csv_gate.cli.main import VERBS
    from csv_gate.cli.parser import parser_for

    found = []
    for name, (module, line) in VERBS.items():
        parser = parser_for(name, line, console)
        import_module(module).add_arguments(parser)
        actions = parser._actions  # argparse has no public list of them
        words = [word for action in actions if not action.option_strings for word in action.choices or ()]
        flags = tuple(_flag(action) for action in actions if action.option_strings)
        found.append(Verb(name=name, help=line, flags=flags, words=tuple(map(str, words))))
    return tuple(found)


def _flag(action: argparse.Action) -> Flag:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Flag(
        names=tuple(action.option_strings),
        help=(action.help or "").partition(";")[0].partition(" [")[0],
        takes_value=action.nargs != 0,
        choices=tuple(map(str, action.choices or ())),
        is_file=metavar in _FILES,
    )
