"""Where the time of a run goes, by room and by function, in one process.

    python -m benchmarks.profile FOLDER --policy FILE [--top 25] [-- more arguments of `csv-gate check`]

The profiler charges each call, so it shows small functions larger than they are: believe counts and orders, and measure changes with
`benchmarks/run` or by CPU time.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

PACKAGE = "csv_gate"
INSTANT = "2026-11-24T06:00:00Z"


def room_of(file: str) -> str:
    """The room that a function belongs to; for others, the library, or `built in`."""
    parts = Path(file).parts
    if PACKAGE in parts:
        below = parts[len(parts) - parts[::-1].index(PACKAGE) :]
        return f"{PACKAGE}.{below[0].removesuffix('.py')}"
    if file in ("~", "") or file.startswith("<frozen importlib"):
        return "imports" if file.startswith("<frozen") else "built in"
    return parts[parts.index("site-packages") + 1] if "site-packages" in parts else "standard library"


def profiled(arguments: list[str]) -> pstats.Stats:
    """Run `csv-gate` in this process; what it prints is thrown away."""
    from csv_gate.cli.main import main

    profiler = cProfile.Profile()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        profiler.runcall(main, arguments)
    return pstats.Stats(profiler)


def by_room(stats: pstats.Stats) -> list[tuple[str, float, int]]:
    """(room, seconds in its own functions, calls), the costliest first."""
    seconds, calls = Counter[str](), Counter[str]()
    for (file, _, _), (_, count, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        seconds[room_of(file)] += own
        calls[room_of(file)] += count
    return [(room, spent, calls[room]) for room, spent in seconds.most_common()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--policy", type=Path, required=True)
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("more", nargs="*", help="behind `--`")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        result = Path(work) / "result.json"
        words = ["check", str(asked.folder), "--no-config", "--policy", str(asked.policy), "--evaluated-at", INSTANT]
        stats = profiled([*words, "-o", f"json={result}", "-j", "1", *(asked.more or ["--no-cache"])])
    print(f"{'seconds':>8} {'calls':>10}  room")
    for room, spent, calls in by_room(stats):
        print(f"{spent:8.3f} {calls:10}  {room}")
    stats.stream = sys.stdout  # type: ignore[attr-defined]
    stats.sort_stats("tottime").print_stats(asked.top)


if __name__ == "__main__":
    main()
