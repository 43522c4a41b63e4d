"""The quick way to an artifact's line gives the bytes of the plain one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from csv_gate.model.facts import Artifact
from csv_gate.model.result import ArtifactResult
from csv_gate.model.result_json import artifact_json
from csv_gate.report.artifact_line import ArtifactLines
from csv_gate.report.escape import json_line
from tests.builders import facts as f
from tests.builders.any_record import any_record


def plain(result: ArtifactResult) -> str:
    return json_line(artifact_json(result))


@given(any_record(ArtifactResult))
def test_a_line_is_the_same_as_written_plainly_whatever_the_result_says(result: ArtifactResult) -> None:
    assert ArtifactLines().line(result) == plain(result)


def test_pieces_that_are_kept_do_not_mix_up_signers() -> None:
    lines = ArtifactLines()
    for number in range(20):
        one = f.facts(f.signature(f.certificate(f"Publisher {number % 3}", issuer_cn=f"CA {number}")))
        result = ArtifactResult(artifact=Artifact(path="a", facts=one), verdicts=())
        assert lines.line(result) == plain(result)
        bare = ArtifactResult(
            artifact=Artifact(path="a", facts=replace(one, signatures=(replace(one.signatures[0], chain=None, signer=None),))),
            verdicts=(),
        )
        assert lines.line(bare) == plain(bare)
