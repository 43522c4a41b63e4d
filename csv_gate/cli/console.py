"""The two streams of a run and how to write to them: findings go to stdout, everything else to stderr."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TextIO

from csv_gate.errors import ConfigErrors, GateError
from csv_gate.records import dataclass

ISSUES_URL_HELP = "please report it with the command line and, if you can, the file; `-v` shows where in csv-gate it happened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where output goes and how it may look."""

    out: TextIO
    err: TextIO
    environment: Mapping[str, str]
    is_colour_out: bool = False
    is_colour_err: bool = False
    is_terminal_err: bool = False
    verbosity: int = 0
    """-1 errors only, 0 warnings too, 1 notes too, 2 every trace."""

    @classmethod
    def of(cls, arguments: Sequence[str], out: TextIO, err: TextIO, environment: Mapping[str, str]) -> Console:
        """Decide how streams look before arguments are parsed, so that a parsing error looks right too."""
        for stream in (out, err):
            # A name that the console's encoding cannot hold must not end the run.
            if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
                reconfigure(errors="backslashreplace")
        choice = _colour_choice(arguments, environment)
        return cls(
            out=out,
            err=err,
            environment=environment,
            is_colour_out=out.isatty() if choice is None else choice,
            is_colour_err=err.isatty() if choice is None else choice,
            is_terminal_err=err.isatty() and environment.get("TERM") != "dumb",
            verbosity=_verbosity(arguments),
        )

    def tell(self, text: str) -> None:
        """A line on stderr. `text` is escaped by the caller where it is untrusted."""
        self.err.write(text + "\n")

    def abandon_out(self) -> None:
        """The reader of stdout went away (`| head`): what is still buffered must not fail again when Python ends."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())

    def tell_error(self, error: GateError) -> None:
        """What happened, where, got, expected, help. For several faults of a config: all of them."""
        errors = error.errors if isinstance(error, ConfigErrors) and error.errors else (error,)
        for one in errors:
            self.tell(self._diagnostic(one))
        if len(errors) > 1:
            self.tell(f"{len(errors)} errors; nothing was judged")
        if self.verbosity > 0 and error.__cause__ is not None:
            self.tell(f"caused by {type(error.__cause__).__name__}: {_escaped(str(error.__cause__))}")

    def _diagnostic(self, error: GateError) -> str:
        label = "\x1b[1;31merror\x1b[0m" if self.is_colour_err else "error"
        lines = [f"{label}: {_escaped(error.title)}"]
        if error.place is not None:
            lines.append(f"  --> {_escaped(str(error.place))}")
        if error.got:
            lines.append(f"   | got       {_escaped(error.got)}")
        if error.expected:
            lines.append(f"   | expected  {_escaped(error.expected)}")
        if error.help:
            lines.append(f"   = help: {_escaped(error.help)}")
        return "\n".join(lines)

    def tell_internal_error(self, error: Exception) -> None:
        """A bug of csv-gate: no verdict came of it."""
        label = "\x1b[1;31minternal error\x1b[0m" if self.is_colour_err else "internal error"
        self.tell(f"{label}: {type(error).__name__}: {_escaped(str(error))}")
        for note in getattr(error, "__notes__", ()):
            if "\n" not in note:  # the traceback of a worker process is for -v
                self.tell(f"  --> {_escaped(note)}")
        self.tell(f"   = help: {ISSUES_URL_HELP}")
        if self.verbosity > 0:
            import traceback

            self.tell(_escaped_lines("".join(traceback.format_exception(error))))


def _colour_choice(arguments: Sequence[str], environment: Mapping[str, str]) -> bool | None:
    """`--color` before NO_COLOR before FORCE_COLOR; `None`: as the stream is."""
    chosen = environment.get("CSV_GATE_COLOR", "")
    for index, argument in enumerate(arguments):
        if argument.startswith("--color="):
            chosen = argument.partition("=")[2]
        elif argument == "--color" and index + 1 < len(arguments):
            chosen = arguments[index + 1]
    if chosen in ("always", "never"):
        return chosen == "always"
    if chosen != "auto" and environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0") or environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return None


def _verbosity(arguments: Sequence[str]) -> int:
    """How often `-v` stands there; `-q` is one below none."""
    loud = sum(2 if a == "-vv" else 1 for a in arguments if a in ("-v", "-vv", "--verbose"))
    return -1 if any(a in ("-q", "--quiet") for a in arguments) else min(loud, 2)


def _escaped(text: str) -> str:
    """What quotes untrusted text must not speak to a terminal or a CI system."""
    from csv_gate.report.escape import terminal

    return terminal(text, 2_000)


def _escaped_lines(text: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in text.splitlines())
