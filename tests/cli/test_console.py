import io
from collections.abc import Mapping

import pytest

from csv_gate.cli.console import Console
from csv_gate.errors import ConfigError, ConfigErrors, FormatError, Place, UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(*arguments: str, env: Mapping[str, str] | None = None, is_terminal: bool = False) -> Console:
    stream = Terminal if is_terminal else io.StringIO
    return Console.of(arguments, stream(), stream(), env or {})


@pytest.mark.parametrize(
    ("arguments", "env", "is_terminal", "expected"),
    [
        ((), {}, True, True),
        ((), {}, False, False),
        ((), {"NO_COLOR": "1"}, True, False),
        ((), {"NO_COLOR": ""}, True, True),
        ((), {"FORCE_COLOR": "1"}, False, True),
        ((), {"FORCE_COLOR": "0"}, False, False),
        ((), {"CLICOLOR_FORCE": "1"}, False, True),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (("--color", "always"), {"NO_COLOR": "1"}, False, True),
        (("--color=never",), {"FORCE_COLOR": "1"}, True, False),
        (("--color", "auto"), {"NO_COLOR": "1"}, True, True),
        ((), {"CSV_GATE_COLOR": "always"}, False, True),
        (("--color=never",), {"CSV_GATE_COLOR": "always"}, True, False),
    ],
)
def test_colour_follows_the_flag_then_the_variables_then_the_stream(
    arguments: tuple[str, ...], env: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert console(*arguments, env=env, is_terminal=is_terminal).is_colour_out is expected


@pytest.mark.parametrize(("arguments", "expected"), [((), 0), (("-v",), 1), (("-vv",), 2), (("-v", "-v"), 2), (("-q",), -1)])
def test_verbosity_counts(arguments: tuple[str, ...], expected: int) -> None:
    assert console(*arguments).verbosity == expected


def told(error: UsageError | ConfigErrors, *arguments: str) -> str:
    one = console(*arguments)
    one.tell_error(error)
    assert isinstance(one.err, io.StringIO)
    return one.err.getvalue()


def test_an_error_says_what_where_got_expected_and_help() -> None:
    error = UsageError("wrong thing", place=Place(path="a.xml", line=3, column=4), got="x", expected="y", help="do z")
    assert told(error) == "error: wrong thing\n  --> a.xml:3:4\n   | got       x\n   | expected  y\n   = help: do z\n"


def test_all_faults_of_a_configuration_are_told_and_counted() -> None:
    text = told(ConfigErrors([ConfigError("one"), ConfigError("two")]))
    assert text == "error: one\nerror: two\n2 errors; nothing was judged\n"


def test_what_an_error_quotes_cannot_speak_to_the_terminal() -> None:
    text = told(UsageError("odd", got="\x1b[2J\n::error::x\u202e"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_the_cause_is_told_only_when_asked_for() -> None:
    error = UsageError("wrong")
    error.__cause__ = FormatError("deep down")
    assert "deep down" not in told(error)
    assert "caused by FormatError: deep down" in told(error, "-v")
