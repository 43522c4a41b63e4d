"""From `argv` to an exit code: find the verb, load its module, run it, tell what went wrong.

Only the called verb's module is imported, so that `--help` costs next to nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import TextIO

from csv_gate import __version__
from csv_gate.cli.console import Console
from csv_gate.errors import ExitCode, GateError, UsageError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

VERBS: dict[str, tuple[str, str]] = {
    "check": ("csv_gate.cli.check", "judge a build output against the policies of its targets"),
    "explain": ("csv_gate.cli.explain", "say what a check means, or how a verdict came about, step by step"),
    "inspect": ("csv_gate.cli.inspect", "show the facts of a file: digests, version, signatures, chains"),
    "policy": ("csv_gate.cli.policy", "show, lint, compare, convert and digest policies"),
    "suggest": ("csv_gate.cli.suggest", "write the supplemental policy that would let blocked files run"),
    "report": ("csv_gate.cli.report", "render a saved JSON result again, in any format"),
    "attest": ("csv_gate.cli.attest", "sign a saved JSON result, for those who deploy"),
    "verify-attestation": ("csv_gate.cli.verify_attestation", "ask whether files were attested, before they are deployed"),
    "owners": ("csv_gate.cli.owners", "say who answers for an artifact, and which source says so"),
    "notify": ("csv_gate.cli.notify", "page the owners of a saved result, once per owner"),
    "init": ("csv_gate.cli.init", "write a first csv-gate.yaml, waiver file and CI job for this repository"),
    "hook": ("csv_gate.cli.hook", "judge before a git push what changed in the build output"),
    "config": ("csv_gate.cli.config", "show the settings that hold, or the schema of csv-gate.yaml"),
    "completion": ("csv_gate.cli.completion", "print the script that completes commands in a shell"),
}
"""Verb -> its module, and its line of help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line of this process; the entry point of the package."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = run(arguments, sys.stdout, sys.stderr, os.environ)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader went away (`| head`). What is still in the buffer must not fail a second time when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.USAGE


def run(arguments: Sequence[str], out: TextIO, err: TextIO, environment: Mapping[str, str]) -> int:
    """Run one command line on the given streams. Raises nothing but BrokenPipeError."""
    console = Console.of(arguments, out, err, environment)
    try:
        return _dispatch(arguments, console)
    except GateError as error:
        console.tell_error(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        console.tell("interrupted: nothing was written")
        return INTERRUPTED
    except Exception as error:  # a bug; say so instead of showing a traceback to somebody who wants to ship
        console.tell_internal_error(error)
        return ExitCode.INTERNAL


def _dispatch(arguments: Sequence[str], console: Console) -> int:
    verb, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if verb in ("-h", "--help", "help"):
        if rest and rest[0] in VERBS:
            return _dispatch([rest[0], "--help"], console)
        console.out.write(overview())
        return ExitCode.OK if arguments else ExitCode.USAGE
    if verb in ("-V", "--version"):
        console.out.write(f"csv-gate {__version__}\n")
        return ExitCode.OK
    module = _module(verb)
    from csv_gate.cli.parser import HelpShown, parser_for

    parser = parser_for(verb, VERBS[verb][1], console)
    module.add_arguments(parser)
    try:
        args = parser.parse_args(rest)
    except HelpShown:
        return ExitCode.OK
    code: ExitCode = module.run(args, console)
    return code


def _module(verb: str) -> ModuleType:
    if verb not in VERBS:
        raise UsageError("there is no such command", got=verb, expected=", ".join(VERBS), help=_meant(verb))
    return import_module(VERBS[verb][0])


def _meant(verb: str) -> str:
    if os.path.exists(verb):  # noqa: PTH110, the path may hold what Path refuses
        return f"to check what is there, write `csv-gate check {verb}`"
    from difflib import get_close_matches

    close = get_close_matches(verb, VERBS, n=1)
    return f"did you mean `csv-gate {close[0]}`?" if close else "`csv-gate --help` tells what each is for"


def overview() -> str:
    """The help of the program as a whole."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {line}" for verb, (_, line) in VERBS.items())
    return f"""\
csv-gate {__version__}: will the target run what this build ships?

usage: csv-gate COMMAND [ARGUMENT]…

{verbs}

`csv-gate COMMAND --help` tells the options of each. To begin with:

  csv-gate check build/ --policy SiPolicy.xml

exit codes: 0 all allowed · 1 findings · 2 wrong usage, config or policy · 3 nothing to check · 4 undecided · 5 internal error
"""
