import io

from csv_gate.cli.console import Console
from csv_gate.cli.progress import HEARTBEAT_S, Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(*, is_terminal: bool, verbosity: int = 0) -> tuple[Progress, Clock, io.StringIO]:
    err, clock = io.StringIO(), Clock()
    console = Console(out=io.StringIO(), err=err, environment={}, is_terminal_err=is_terminal, verbosity=verbosity)
    return Progress(console, clock=clock), clock, err


def run(bar: Progress, clock: Clock, seconds: int) -> None:
    bar.found(seconds, seconds * 1_000_000)
    for _ in range(seconds):
        clock.now += 1
        bar.judged(1, 1_000_000)
    bar.close()


def test_a_log_gets_a_plain_line_every_half_minute() -> None:
    bar, clock, err = progress(is_terminal=False)
    run(bar, clock, 95)
    assert err.getvalue().splitlines() == [
        f"judged {n} of 95 files, {n} of 95 MB after {n} s" for n in (int(HEARTBEAT_S), 60, 90)
    ]


def test_a_short_run_says_nothing_in_a_log() -> None:
    bar, clock, err = progress(is_terminal=False)
    run(bar, clock, 29)
    assert err.getvalue() == ""


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end() -> None:
    bar, clock, err = progress(is_terminal=True)
    run(bar, clock, 4)
    assert "[######" in err.getvalue()
    assert "\n" not in err.getvalue()
    assert err.getvalue().endswith("\r\x1b[K")


def test_a_bar_is_not_drawn_for_every_file() -> None:
    bar, clock, err = progress(is_terminal=True)
    bar.found(1000, 0)
    for _ in range(1000):
        clock.now += 0.001
        bar.judged(1, 0)
    assert 5 <= err.getvalue().count("\r") <= 10


def test_the_first_look_at_a_large_tree_shows_that_it_goes_on() -> None:
    for is_terminal, shown in ((False, "looked at 30 of 100 files after 30 s\n"), (True, "[######")):
        bar, clock, err = progress(is_terminal=is_terminal)
        for number in range(32):
            bar.looked_at(number, 100)
            clock.now += 1
        assert shown in err.getvalue()


def test_quiet_is_quiet() -> None:
    for is_terminal in (True, False):
        bar, clock, err = progress(is_terminal=is_terminal, verbosity=-1)
        run(bar, clock, 95)
        assert err.getvalue() == ""
