"""`csv-gate completion SHELL`: a static script, made from the parsers of all verbs. Completing starts no Python."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module

from csv_gate.cli.console import Console
from csv_gate.errors import ExitCode
from csv_gate.records import dataclass

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

    found = []
    for name, (module, line) in VERBS.items():
        actions = actions_of(name, console)
        words = [word for action in actions if not action.option_strings for word in action.choices or ()]
        flags = {tuple(action.option_strings): _flag(action) for action in actions if action.option_strings}
        commands = commands_of(module)
        found.append(Verb(name=name, help=line, flags=tuple(flags.values()), words=(*commands, *map(str, words))))
    return tuple(found)


def commands_of(module: str) -> Mapping[str, tuple[str, str]]:
    """The commands of a verb that has some of its own, as its module's table has them: name -> module, line of help."""
    found: Mapping[str, tuple[str, str]] = getattr(import_module(module), "COMMANDS", {})
    return found


def actions_of(verb: str, console: Console) -> list[argparse.Action]:
    """All arguments of a verb, and of the commands that it may have of its own."""
    from csv_gate.cli.main import VERBS
    from csv_gate.cli.parser import parser_for

    module, line = VERBS[verb]
    found: list[argparse.Action] = []
    for name, (place, text) in {verb: (module, line), **commands_of(module)}.items():
        parser = parser_for(name, text, console)
        import_module(place).add_arguments(parser)
        found += parser._actions  # argparse has no public list of them
    return found


def _flag(action: argparse.Action) -> Flag:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Flag(
        names=tuple(action.option_strings),
        help=(action.help or "").partition(";")[0].partition(" [")[0],
        takes_value=action.nargs != 0,
        choices=tuple(map(str, action.choices or ())),
        is_file=metavar in _FILES,
    )
