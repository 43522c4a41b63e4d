"""Results that may be larger than memory: each artifact is a line of JSON, beyond a few megabytes in an unnamed file.

The file has no name where the system allows it, is readable by this user alone, and is gone when the result is closed or the
process ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from types import TracebackType
from typing import IO

from csv_gate.errors import StoreError
from csv_gate.gate.judged import Judged
from csv_gate.limits import KIB, MIB
from csv_gate.model.result import ArtifactResult, Finding, RunInfo, Summary, TargetRef
from csv_gate.records import replace
from csv_gate.report.artifact_line import whole

KEPT_IN_MEMORY = 8 * MIB
"""Bytes of JSON, certificates by name: some four thousand signed artifacts."""
_BLOCK = 64 * KIB


class Spool:
    """Lines, written once and read any number of times, also by several readers at once."""

    def __init__(self, kept_in_memory: int = KEPT_IN_MEMORY) -> None:
        self._file: IO[bytes] = BytesIO()
        self._room = kept_in_memory
        self._notable: list[tuple[int, int]] = []
        self._pieces: dict[str, str] = {}
        self._end = 0

    def append(self, judged: Judged) -> None:
        """Add lines.

        Raises:
            StoreError: the temporary folder is full or gone.
        """
        try:
            if self._end <= self._room < self._end + len(judged.lines):
                self._move_to_file()
            self._file.seek(self._end)
            self._file.write(judged.lines)
        except OSError as error:
            raise StoreError(
                f"the temporary file for results cannot be written: {error.strerror}",
                help="make room, or name another folder in TMPDIR",
            ) from error
        self._pieces.update(judged.pieces)
        self._notable += [(self._end + at, length) for at, length in judged.notable]
        self._end += len(judged.lines)

    def _move_to_file(self) -> None:
        import tempfile  # with four modules of compression behind it; most results stay in memory

        file = tempfile.TemporaryFile(prefix="csv-gate-")  # noqa: SIM115, closed with the spool
        self._file.seek(0)
        file.write(self._file.read())
        self._file = file

    def blocks(self, line_end: str = "\n") -> Iterator[str]:
        """All lines in the order of writing, each with that line end, many in a block."""
        at = 0
        while at < self._end:
            self._file.seek(at)
            block = self._file.read(_BLOCK) + self._file.readline()
            at += len(block)
            if line_end != "\n":  # before the pieces are put in, which hold none and are most of it
                block = block.replace(b"\n", line_end.encode())
            yield whole(block.decode("utf-8", "surrogateescape"), self._pieces)

    def lines(self) -> Iterator[str]:
        """All lines in the order of writing, without their line ends."""
        for block in self.blocks():
            yield from block[:-1].split("\n")

    def notable_lines(self) -> Iterator[str]:
        """The lines that were marked, in the order of writing."""
        for at, length in self._notable:
            self._file.seek(at)
            yield whole(self._file.read(length)[:-1].decode("utf-8", "surrogateescape"), self._pieces)

    def close(self) -> None:
        self._file.close()


class SpooledResult:
    """The result of a run, a `RunResult`. Use it as a context manager, or close it."""

    def __init__(
        self, *, run: RunInfo, targets: tuple[TargetRef, ...], findings: tuple[Finding, ...], summary: Summary, spool: Spool
    ) -> None:
        self.run = run
        self.targets = targets
        self.findings = findings
        self.summary = summary
        self._spool = spool

    @property
    def artifacts(self) -> Iterable[ArtifactResult]:
        """All artifacts, sorted by path, read anew at each walk."""
        return _Parsed(self._spool.lines)

    @property
    def notable_artifacts(self) -> Iterable[ArtifactResult]:
        """Those with findings, or denied, or undecided: what a person reads about. Costs nothing for the others."""
        return _Parsed(self._spool.notable_lines)

    def artifact_blocks(self, line_end: str = "\n") -> Iterator[str]:
        """The artifacts as lines of JSON, each with that line end, many in a block, for writers of JSON: nothing is read back."""
        return self._spool.blocks(line_end)

    def with_findings(self, more: tuple[Finding, ...]) -> SpooledResult:
        """The same result with further findings of the run as a whole, which change no verdict and no exit code. Both share what is
        kept: close one of them."""
        levels = dict(self.summary.findings)
        for finding in more:
            levels[finding.level] = levels.get(finding.level, 0) + 1
        return SpooledResult(
            run=self.run,
            targets=self.targets,
            findings=(*self.findings, *more),
            summary=replace(self.summary, findings=levels),
            spool=self._spool,
        )

    def close(self) -> None:
        self._spool.close()

    def __enter__(self) -> SpooledResult:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Parsed:
    """Lines read back to their types. Can be walked more than once, each time from the start."""

    def __init__(self, lines: Callable[[], Iterator[str]]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[ArtifactResult]:
        return map(_artifact, self._lines())


def _artifact(line: str) -> ArtifactResult:
    from csv_gate.model.json_node import Node  # a green run reads nothing back
    from csv_gate.model.result_read import read_artifact

    return read_artifact(Node(json.loads(line), "$", "the spooled result"))
