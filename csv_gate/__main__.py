"""`python -m csv_gate` and the `csv-gate` command: the process, as far as it is this program's alone."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]

YOUNG_OBJECTS = 50_000
"""New objects after which the garbage collector looks for cycles; Python's own 700 come together dozens of times while modules and
policies are loaded, and all of that stays."""


def main() -> int:
    """Run the command line of this process."""
    gc.set_threshold(YOUNG_OBJECTS)
    from csv_gate.cli.main import main as run  # behind that: it loads modules too

    code = run()
    # The interpreter looks for cycles once more when it ends. What is left then goes with the process.
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
