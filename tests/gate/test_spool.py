import errno
from collections.abc import Callable, Iterator

import pytest

from csv_gate.errors import StoreError
from csv_gate.gate.judged import Judged, gathered
from csv_gate.gate.spool import Spool
from csv_gate.gate.tally import count
from csv_gate.model.facts import Artifact
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import artifact_json
from csv_gate.model.verdict import Level
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.report.escape import json_line
from tests.builders import facts as f
from tests.builders.results import allowed, artifact, denied

LINES = ["{}", '{"path":"ü\\udcff"}', '{"long":"' + "x" * 3000 + '"}']


PLAIN, GRAVE = (count(artifact("a", verdict), Level.ERROR) for verdict in (allowed(), denied()))


def judged(*lines: str, notable: Callable[[str], bool] = lambda line: False) -> Judged:
    return gathered(((line, GRAVE if notable(line) else PLAIN) for line in lines), ArtifactLines())


@pytest.fixture(params=[10**6, 10], ids=["in memory", "on disk"])
def spool(request: pytest.FixtureRequest) -> Iterator[Spool]:
    spool = Spool(kept_in_memory=request.param)
    yield spool
    spool.close()


def test_lines_come_back_in_order_any_number_of_times(spool: Spool) -> None:
    for line in LINES:
        spool.append(judged(line))
    assert list(spool.lines()) == LINES
    assert list(spool.lines()) == LINES


def test_blocks_hold_whole_lines(spool: Spool) -> None:
    lines = [f"{n:07}ü" + "x" * 700 for n in range(4000)]
    spool.append(judged(*lines))
    blocks = list(spool.blocks())
    assert len(blocks) > 1
    assert all(block.endswith("\n") for block in blocks)
    assert "".join(blocks).splitlines() == lines == list(spool.lines())


def test_pieces_stand_in_the_place_of_their_names_whichever_process_named_them_first(spool: Spool) -> None:
    results = [
        ArtifactResult(artifact=Artifact(path=path, facts=f.facts(f.signature(f.certificate("Contoso")))), verdicts=(denied(),))
        for path in "abc"
    ]
    for lines in (ArtifactLines(), ArtifactLines()):
        for result in results:
            spool.append(gathered([(lines.line(result), GRAVE)], lines))
    expected = [json_line(artifact_json(result)) for result in results] * 2
    assert list(spool.lines()) == expected == list(spool.notable_lines())


def test_two_readers_do_not_disturb_each_other(spool: Spool) -> None:
    lines = [f"{n:07}" + "x" * 700 for n in range(4000)]
    for start in range(0, len(lines), 7):
        spool.append(judged(*lines[start : start + 7], notable=lambda line: line.startswith("0000001")))
    for one, other in zip(spool.lines(), spool.lines(), strict=True):
        assert one == other
    inside = [(line[:7], next(spool.notable_lines())[:7]) for line in spool.lines()]
    assert inside == [(line[:7], "0000001") for line in lines]


def test_a_line_can_be_added_after_reading(spool: Spool) -> None:
    spool.append(judged("a"))
    assert list(spool.lines()) == ["a"]
    spool.append(judged("b"))
    assert list(spool.lines()) == ["a", "b"]


def test_only_marked_lines_are_notable(spool: Spool) -> None:
    spool.append(judged(LINES[1]))
    spool.append(judged(*LINES, notable=lambda line: line != LINES[1]))
    assert list(spool.notable_lines()) == [LINES[0], LINES[2]]


def test_a_full_disk_is_an_error_of_the_store(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, at: int) -> int:
            return at

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr(spool, "_file", Full())
    with pytest.raises(StoreError, match="No space left"):
        spool.append(judged("a"))
