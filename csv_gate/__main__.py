"""`python -m csv_gate` and the `csv-gate` command."""

from __future__ import annotations

import sys

from csv_gate.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
