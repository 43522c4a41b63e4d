"""What starting costs: CPU time of `csv-gate --help` over the bare interpreter, in milliseconds.

Unix only. The bound: whoever asks for help, a version or a completion waits for the interpreter and little else.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

BOUND_MS = 60.0
RUNS = 15


def cpu_ms(*arguments: str) -> float:
    """Least CPU time of several runs: noise only ever adds."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    best = float("inf")
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent * 1000)
    return best


def main() -> int:
    bare = cpu_ms("-c", "pass")
    start = cpu_ms("-m", "csv_gate", "--help")
    print(
        f"bare interpreter {bare:.0f} ms, csv-gate --help {start:.0f} ms: {start - bare:.0f} ms over it (bound {BOUND_MS:.0f} ms)"
    )
    return int(start - bare > BOUND_MS)


if __name__ == "__main__":
    raise SystemExit(main())
