"""What a portion of files came to, in the form in which it is kept and sent between processes: lines in one piece, and sums.

Sending an object for each file costs more than judging a file whose facts are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from csv_gate.gate.tally import Count, Tally
from csv_gate.records import dataclass
from csv_gate.report.artifact_line import ArtifactLines

Row = tuple[str, Count]
"""One artifact: its line of JSON, and what it adds to the counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Artifacts that were judged, in their order."""

    lines: bytes
    """Of JSON, each with its line end, certificates and chains by name."""
    pieces: dict[str, str]
    """What the names stand for that lines use for the first time."""
    notable: tuple[tuple[int, int], ...]
    """(offset, length) of the lines that a report shows which shows only what matters."""
    tally: Tally


def gathered(rows: Iterable[Row], lines_of: ArtifactLines) -> Judged:
    """Join rows, whose lines `lines_of` wrote."""
    tally = Tally()
    lines: list[bytes] = []
    notable: list[tuple[int, int]] = []
    end = 0
    for line, counted in rows:
        data = line.encode("utf-8", "surrogateescape") + b"\n"
        if counted.is_notable:
            notable.append((end, len(data)))
        lines.append(data)
        end += len(data)
        tally.add(counted)
    return Judged(lines=b"".join(lines), pieces=lines_of.named(), notable=tuple(notable), tally=tally)
