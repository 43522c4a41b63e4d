"""The quick way to an artifact's line gives the bytes of the plain one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from csv_gate.model.facts import Artifact, PageHashFacts
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import artifact_json
from csv_gate.model.split_facts import split
from csv_gate.report import artifact_line
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


@given(any_record(ArtifactResult))
def test_a_frame_of_a_shape_filled_with_what_is_a_files_own_is_the_files_line(result: ArtifactResult) -> None:
    digests = result.artifact.facts.digests
    if digests is None:
        return
    if digests.authenticode_sha256:
        digests = replace(digests, sha1=None, padded_authenticode_sha1=None, padded_authenticode_sha256=None)
        result = replace(result, artifact=replace(result.artifact, facts=replace(result.artifact.facts, digests=digests)))
    lines, facts = ArtifactLines(), split(result.artifact.facts)
    frame = lines.frame(replace(result, artifact=Artifact(path="another", facts=facts.shape)))
    if frame is None:
        return
    line = frame.line(result.artifact.path, facts.size, facts.own)
    assert whole(line, lines.named()) == plain(result)
    with pytest.raises(ValueError, match="sequence of size"):
        frame.line(result.artifact.path, facts.size, (*facts.own, "more"))


def signed(number: int) -> ArtifactResult:
    one = f.facts(f.signature(f.certificate("Contoso"), stamp=f.timestamp()), taken=f.digests(sha256=f.hex_digest(str(number))))
    return ArtifactResult(artifact=Artifact(path=f"{number}.dll", facts=one), verdicts=(allowed(),))


def test_frames_are_made_for_what_most_files_say() -> None:
    lines = ArtifactLines()
    assert lines.frame(signed(1)) is not None
    rare = replace(signed(1).artifact.facts, digests=f.digests(sha1="0" * 40))
    assert lines.frame(replace(signed(1), artifact=Artifact(path="a", facts=rare))) is None
    assert lines.frame(replace(signed(1), artifact=Artifact(path="a", facts=replace(rare, digests=None)))) is None
    paged = f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha256", matches=True)))
    assert lines.frame(replace(signed(1), artifact=Artifact(path="a", facts=paged))) is None


def test_lines_out_of_a_frame_hold_little_but_what_is_the_files_own() -> None:
    lines = ArtifactLines()
    frame = lines.frame(signed(1))
    assert frame is not None
    named = lines.named()
    for number in range(3):
        facts = split(signed(number).artifact.facts)
        line = frame.line(f"{number}.dll", facts.size, facts.own)
        assert whole(line, named) == plain(signed(number))
        assert len(line) < len(plain(signed(number))) / 4
    assert lines.named() == {}


def test_a_frame_for_which_there_is_no_room_stands_on_what_is_named_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact_line, "_MOST_NAMED", 8000)
    lines, facts = ArtifactLines(), split(signed(1).artifact.facts)
    lines.line(signed(1))
    named = lines.named()
    assert 0 < 8000 - sum(map(len, named.values())) < len(plain(signed(1)))
    frame = lines.frame(signed(1))
    assert frame is not None
    line = frame.line("1.dll", facts.size, facts.own)
    assert whole(line, {**named, **lines.named()}) == plain(signed(1))
    assert len(line) < len(plain(signed(1))) / 2


def test_frames_without_end_are_not_all_named() -> None:
    lines, size = ArtifactLines(), 0
    for number in range(400):
        one = f.facts(f.signature(f.certificate(f"{number} {'x' * 2000}")))
        result = ArtifactResult(artifact=Artifact(path="a", facts=one), verdicts=(allowed(),))
        frame, facts = lines.frame(result), split(one)
        assert frame is not None
        size += len(plain(result))
        pieces = {**lines._texts}
        assert whole(frame.line("a", facts.size, facts.own), pieces) == plain(result)
    assert sum(map(len, lines._texts.values())) <= 2**20 < size


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
