"""Results that an earlier run wrote, for the verbs that read one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.errors import Place, UsageError

if TYPE_CHECKING:
    from csv_gate.model.result_read import SavedResult


def saved_result(path: str) -> SavedResult:
    """A saved result; `-` is stdin. Attacker-controlled where it comes from elsewhere: read strictly.

    Raises:
        UsageError: it cannot be read, or is no result.
    """
    from csv_gate.model.result_read import read_result

    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(
            "the result cannot be read",
            place=Place(path=path),
            got=error.strerror or type(error).__name__,
            expected="a file written by `csv-gate check -o json=FILE`",
        ) from error
    return read_result(data, path="stdin" if path == "-" else path)
