"""Argument parsers that fail as everything else does: with a diagnostic, help and exit code 2."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NoReturn

from csv_gate.cli.console import Console
from csv_gate.errors import UsageError


class HelpShown(Exception):  # noqa: N818, not an error
    """`--help` was asked for and printed."""


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises instead of ending the process."""

    console: Console

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, help=f"`{self.prog} --help` tells the options")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown

    def print_help(self, file: object = None) -> None:
        self.console.out.write(self.format_help())


def parser_for(verb: str, description: str, console: Console) -> Parser:
    """The parser of one verb, with the options that every verb has."""
    parser = Parser(
        prog=f"csv-gate {verb}",
        description=description[0].upper() + description[1:] + ".",
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.console = console
    group = parser.add_argument_group("output and help")
    group.add_argument("-v", "--verbose", action="count", default=0, help="show notes; twice: every step of every verdict")
    group.add_argument("-q", "--quiet", action="store_true", help="show errors only")
    group.add_argument(
        "--color", metavar="WHEN", choices=("auto", "always", "never"), help="auto, always or never [CSV_GATE_COLOR]"
    )
    group.add_argument("-h", "--help", action="help", help="show this")
    return parser


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=110)


def texts(args: argparse.Namespace, name: str) -> tuple[str, ...]:
    """A repeatable option; empty where it was not given."""
    value = getattr(args, name, None)
    if value is None:
        return ()
    return tuple(str(item) for item in value)


def text(args: argparse.Namespace, name: str) -> str | None:
    value = getattr(args, name, None)
    return None if value is None else str(value)


def or_environment(given: tuple[str, ...], environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A repeatable option, else its variable, where values stand between commas or on lines of their own."""
    if given:
        return given
    return tuple(word.strip() for word in environment.get(name, "").replace("\n", ",").split(",") if word.strip())
