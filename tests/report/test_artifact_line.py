"""The quick way to an artifact's line gives the bytes of the plain one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from csv_gate.model.facts import Artifact
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import artifact_json
from csv_gate.report.artifact_line import ArtifactLines, whole
from csv_gate.report.escape import json_line
from tests.builders import facts as f
from tests.builders.any_record import any_record
from tests.builders.results import allowed


def written(lines: ArtifactLines, result: ArtifactResult, pieces: dict[str, str]) -> str:
    line = lines.line(result)
    pieces.update(lines.named())
    return whole(line, pieces)


def plain(result: ArtifactResult) -> str:
    return json_line(artifact_json(result))


@given(any_record(ArtifactResult))
def test_a_line_is_the_same_as_written_plainly_whatever_the_result_says(result: ArtifactResult) -> None:
    assert written(ArtifactLines(), result, {}) == plain(result)


def test_pieces_that_are_kept_do_not_mix_up_signers() -> None:
    lines, pieces = ArtifactLines(), dict[str, str]()
    for number in range(20):
        one = f.facts(f.signature(f.certificate(f"Publisher {number % 3}", issuer_cn=f"CA {number}")))
        result = ArtifactResult(artifact=Artifact(path="a", facts=one), verdicts=())
        assert written(lines, result, pieces) == plain(result)
        bare = ArtifactResult(
            artifact=Artifact(path="a", facts=replace(one, signatures=(replace(one.signatures[0], chain=None, signer=None),))),
            verdicts=(),
        )
        assert written(lines, bare, pieces) == plain(bare)


def test_a_chain_that_repeats_is_named_in_lines_and_handed_out_once() -> None:
    lines = ArtifactLines()
    facts = f.facts(f.signature(f.certificate("Contoso")))
    first = lines.line(ArtifactResult(artifact=Artifact(path="a", facts=facts), verdicts=()))
    assert lines.named()
    second = lines.line(ArtifactResult(artifact=Artifact(path="b", facts=facts), verdicts=()))
    assert lines.named() == {}
    assert first.replace('"path":"a"', '"path":"b"') == second
    assert '"not_before"' not in first


def test_chains_without_end_are_not_all_named() -> None:
    lines = ArtifactLines()
    pieces, size = dict[str, str](), 0
    for number in range(2000):
        one = f.facts(f.signature(f.certificate(f"{number} {'x' * 2000}")))
        result = ArtifactResult(artifact=Artifact(path="a", facts=one), verdicts=())
        assert len(written(lines, result, pieces)) > 2000
        size += len(plain(result))
    assert sum(map(len, pieces.values())) <= 2**20 < size


def test_a_verdict_that_repeats_is_named_and_inert() -> None:
    lines, pieces = ArtifactLines(), dict[str, str]()
    verdict = replace(allowed(), because="##vso[task.complete] " * 20 + "\u202e \udc80 \0")
    results = [ArtifactResult(artifact=Artifact(path=name, facts=f.facts()), verdicts=(verdict,)) for name in "abc"]
    kept = [lines.line(one) for one in results]
    assert "task.complete" in kept[0]
    assert "task.complete" not in kept[1] + kept[2]
    pieces.update(lines.named())
    assert [whole(line, pieces) for line in kept] == [plain(one) for one in results]
