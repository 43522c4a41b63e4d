"""How much longer extraction takes than one SHA-256 over the same bytes.

    python benchmarks/extract.py FOLDER [--repeat 5]

Reads every PE below FOLDER into memory once, then prints, for each stage and for the whole, the median time and its ratio to
`hashlib.sha256` over the same bytes in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from csv_gate.formats import HEAD_BYTES, ExtractionSettings, detect_format, extract
from csv_gate.formats.pe_certificates import read_certificate_table
from csv_gate.formats.pe_digest import digest_pe
from csv_gate.formats.pe_kind import read_kind
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.formats.pe_overlay import read_overlay
from csv_gate.formats.version_resource import read_version


def load(folder: Path) -> list[bytes]:
    """The contents of every PE image below a folder that Authenticode can lay out, sorted by path."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if detect_format(data[:HEAD_BYTES], len(data)) == "pe":
                found.append(data)
    return found


def median_seconds(work: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    files = load(arguments.folder)
    settings = ExtractionSettings()
    limits = settings.limits
    images: list[tuple[memoryview, PeLayout]] = []
    for data in files:
        view = memoryview(data)
        layout = read_layout(view, limits)
        if isinstance(layout, PeLayout):
            images.append((view, layout))
    stages: dict[str, Callable[[], object]] = {
        "sha256": lambda: [hashlib.sha256(data).digest() for data in files],
        "headers": lambda: [read_layout(view, limits) for view, _ in images],
        "digests": lambda: [digest_pe(view, layout) for view, layout in images],
        "certificate table": lambda: [read_certificate_table(view, layout, limits) for view, layout in images],
        "kind": lambda: [read_kind(view, layout) for view, layout in images],
        "overlay": lambda: [read_overlay(view, layout) for view, layout in images],
        "version": lambda: [read_version(view, layout, limits) for view, layout in images],
        "extract, all of it": lambda: [extract(data, settings) for data in files],
    }
    times = {name: median_seconds(work, arguments.repeat) for name, work in stages.items()}
    total = sum(map(len, files))
    print(f"{len(files)} images, {total / 1e6:.1f} MB")
    for name, seconds in times.items():
        print(
            f"{name:20} {1e3 * seconds:9.2f} ms  {1e6 * seconds / max(1, len(files)):8.1f} us/file  {seconds / times['sha256']:6.2f} x"
        )


if __name__ == "__main__":
    main()
