"""How far a run is: a bar on a terminal, a plain line every half minute elsewhere, so that a CI system sees that it lives."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from csv_gate.cli.console import Console

HEARTBEAT_S = 30.0
REDRAW_S = 0.1
BAR_CELLS = 24
_CLEAR = "\r\x1b[K"


class Progress:
    """An observer of a run that writes to stderr. Close it before anything else is written there."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._clock = clock
        self._is_bar = console.is_terminal_err and console.verbosity >= 0
        self._pause = REDRAW_S if self._is_bar else HEARTBEAT_S
        self._started = self._told = clock()
        self._files = self._bytes = 0
        self._all_files = self._all_bytes = 0
        self._is_drawn = False

    def looked_at(self, files: int, of: int) -> None:
        if self._is_due():
            self._tell(files / max(of, 1), f"looked at {files} of {of} files")

    def found(self, files: int, size_bytes: int) -> None:
        self._all_files, self._all_bytes = files, size_bytes

    def judged(self, files: int, size_bytes: int) -> None:
        self._files += files
        self._bytes += size_bytes
        if self._is_due():
            done, of = (self._bytes, self._all_bytes) if self._all_bytes else (self._files, self._all_files)
            self._tell(
                done / max(of, 1),
                f"judged {self._files} of {self._all_files} files, {self._bytes / 1e6:.0f} of {self._all_bytes / 1e6:.0f} MB",
            )

    def _is_due(self) -> bool:
        """Asked for every file: most are passed too soon after the last word to be worth another."""
        return self._clock() - self._told >= self._pause

    def _tell(self, share: float, count: str) -> None:
        self._told = now = self._clock()
        if self._is_bar:
            filled = int(share * BAR_CELLS)
            self._console.err.write(f"{_CLEAR}[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {count}")
            self._console.err.flush()
            self._is_drawn = True
        elif self._console.verbosity >= 0:
            self._console.tell(f"{count} after {now - self._started:.0f} s")
            self._console.err.flush()

    def close(self) -> None:
        if self._is_drawn:
            self._console.err.write(_CLEAR)
            self._console.err.flush()
            self._is_drawn = False
