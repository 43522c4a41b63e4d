"""Whole runs of csv-gate, and of its peers, as ratios to `hashlib.sha256` over the same bytes by one thread in the same round.

    benchmarks/run [--repeat 5] [--quick] [--folder DIR] [--jobs N]

Each round times the baseline and then every subject, as processes with start-up, JSON written, page cache warm. A ratio is
that of one round; the table has medians and the range. `CPU` is the same ratio of processor time: on a busy machine it says more than
the wall clock. The trees are made at the first run (some 2 GB below `--folder`); `--quick` takes a tenth. A peer that is not installed
is skipped with a note.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks.places import Trees
from csv_gate import __version__

HEAD_BYTES = 4096
PEER_FILES = 100
TIME = "2026-11-24T06:00:00Z"
COMMAND = "from csv_gate.__main__ import main; raise SystemExit(main())"
"""What the installed script does."""
LIEF = "import sys, lief\nfor path in sys.argv[1:]:\n    lief.PE.parse(path).verify_signature()\n"
PEFILE = "import sys, pefile\nfor path in sys.argv[1:]:\n    pefile.PE(path, fast_load=True).close()\n"


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds by the clock and of the processors, and the peak of memory in MB."""

    wall: float
    cpu: float
    peak: float = 0.0


@dataclass(slots=True)
class Row:
    name: str
    baseline: Callable[[], Cost]
    work: Callable[[], Cost]
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    peak: float = 0.0


def process(*commands: Sequence[str]) -> Cost:
    """Run commands one after the other."""
    start, cpu, peak = time.perf_counter(), 0.0, 0.0
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    for command in commands:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1, 3):
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
        cpu += used.ru_utime + used.ru_stime
        peak = max(peak, used.ru_maxrss / 1024)
    return Cost(time.perf_counter() - start, cpu, peak)


def timed(work: Callable[[], object]) -> Cost:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - start, time.process_time() - cpu)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").digest()


def make(root: Path, share: int) -> None:
    """In a process of its own: what a process starts inherits its peak of memory."""
    from benchmarks.trees import trees

    trees(root, ordinary=2000 // share, product=10000 // share, large=80 // share, nocode=20000 // share, many=20000 // share)


def hashing(paths: Sequence[Path]) -> Callable[[], Cost]:
    return lambda: timed(lambda: [_digest(path) for path in paths])


def looking(folder: Path) -> Callable[[], Cost]:
    """What any tool must do to find out that nothing here is code."""

    def walk() -> None:
        for place, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:  # noqa: PTH118, PTH123, the cheapest way
                    file.read(HEAD_BYTES)

    return lambda: timed(walk)


def check(paths: Sequence[Path], made: Trees, out: Path, *options: str) -> Callable[[], Cost]:
    enforced = made.product_policy if paths == [made.product] else made.policy
    policy = ("--no-config", "--policy", str(enforced), "--evaluated-at", TIME, "-o", f"json={out}")

    def run() -> Cost:
        out.unlink(
            missing_ok=True
        )  # a build has no earlier result in its place, and freeing one takes as long as writing half of it
        return process((sys.executable, "-c", COMMAND, "check", *map(str, paths), *policy, *options))

    return run


def rows(made: Trees, work: Path, jobs: Sequence[str]) -> list[Row]:
    found = []
    os.environ["CSV_GATE_CACHE_DIR"] = str(work / "kept")
    for name, folder in (("ordinary", made.ordinary), ("product", made.product), ("large", made.large)):
        base, out = hashing(files_below(folder)), work / f"{name}.json"
        for label, options in (
            ("", ("--no-cache",)),
            (", known by content", ()),
            (", files trusted", ("--cache", "trust-files")),
        ):
            found.append(Row(f"{name}{label}", base, check([folder], made, out, *jobs, *options)))
    found.append(Row("no code (to walk and read heads)", looking(made.nocode), check([made.nocode], made, work / "n.json")))
    some = [work / "some"]
    for folder, count in ((made.many, None), (some[0], 1000)):
        base = hashing(files_below(folder))
        label = f"tiny files, {len(files_below(folder))}" if count is None else f"tiny files, {count}"
        found.append(Row(label, base, check([folder], made, work / "m.json", *jobs, "--no-cache")))
    return found


def peers(made: Trees, work: Path) -> tuple[list[Row], list[str]]:
    """csv-gate and its peers on the same files; each does what it can: none of the peers judges a policy."""
    sample = [path for number, path in enumerate(files_below(made.ordinary)) if number * 7 % 10 < 6][:PEER_FILES]
    base = hashing(sample)
    found = [
        Row(f"{len(sample)} signed: csv-gate, one process", base, check(sample, made, work / "p.json", "-j", "1", "--no-cache"))
    ]
    notes = []
    ca = ("-CAfile", str(made.authority), "-TSA-CAfile", str(made.stamper))
    commands: dict[str, Callable[[Path], tuple[str, ...]]] = {
        "osslsigncode": lambda path: ("osslsigncode", "verify", "-ignore-crl", *ca, "-in", str(path)),
        "sbverify": lambda path: ("sbverify", "--list", str(path)),
    }
    for name, command in commands.items():
        if shutil.which(name) is None:
            notes.append(f"{name} is not installed")
            continue
        found.append(Row(f"{len(sample)} signed: {name}", base, lambda command=command: process(*map(command, sample))))  # type: ignore[misc]
    for name, code in (("lief", LIEF), ("pefile", PEFILE)):
        try:
            label = f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            notes.append(f"{name} is not installed")
            continue
        line = (sys.executable, "-c", code, *map(str, sample))
        found.append(Row(f"{len(sample)} signed: {label}", base, lambda line=line: process(line)))  # type: ignore[misc]
    return found, notes


def measure(found: Sequence[Row], repeat: int) -> None:
    for row in found:
        row.work()  # the page cache, and where facts are kept the facts, are warm from here on
    for _ in range(repeat):
        for row in found:
            base, cost = row.baseline(), row.work()
            row.walls.append(cost.wall / base.wall)
            row.cpus.append(cost.cpu / base.cpu)
            row.peak = max(row.peak, cost.peak)


def table(found: Sequence[Row]) -> str:
    lines = ["| run | ratio | from – to | CPU | peak MB |", "| --- | ---: | ---: | ---: | ---: |"]
    for row in found:
        spread = f"{min(row.walls):.2f} – {max(row.walls):.2f}"
        lines.append(
            f"| {row.name} | {statistics.median(row.walls):.2f} | {spread} | {statistics.median(row.cpus):.2f} | {row.peak:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--jobs", type=int, help="processes; default: as csv-gate chooses")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="WORD", default="", help="runs with this in their name")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "csv-gate-benchmarks")
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    made = Trees.below(arguments.folder / ("quick" if arguments.quick else "full"))
    maker = multiprocessing.get_context("spawn").Process(target=make, args=(made.root, share))
    maker.start()
    maker.join()
    work = made.root / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copytree(made.many, work / "some", ignore=lambda _, names: {name for name in names if "part01" <= name < "part1"})
    found = rows(made, work, () if arguments.jobs is None else ("-j", str(arguments.jobs)))
    compared, notes = peers(made, work)
    chosen = [row for row in (*found, *compared) if arguments.only in row.name]
    measure(chosen, arguments.repeat)
    versions = f"csv-gate {__version__}, Python {platform.python_version()}, cryptography {metadata.version('cryptography')}"
    print(
        f"{time.strftime('%Y-%m-%d')}, {versions}, {platform.system()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"medians of {arguments.repeat}, as ratios to hashlib.sha256 over the same bytes by one thread\n")
    print(table(chosen))
    for note in notes:
        print(f"\nskipped: {note}")


if __name__ == "__main__":
    main()
