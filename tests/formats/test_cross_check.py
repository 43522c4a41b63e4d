import sys
from dataclasses import replace

import pytest

from csv_gate.errors import MissingExtraError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.cross_check import cross_check
from csv_gate.model.facts import Facts
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import pe

SETTINGS = ExtractionSettings()


def _with_digest(facts: Facts, sha256: str) -> Facts:
    assert facts.digests is not None
    return replace(facts, digests=replace(facts.digests, authenticode_sha256=sha256))


@pytest.mark.parametrize("data", [pe(), pe(plus=False), pe(overlay=b"odd"), pe(headers_size=1024), pe(pe_offset=16)])
def test_both_libraries_agree_on_ordinary_images(data: bytes) -> None:
    assert cross_check(data, extract(data, SETTINGS)) == ()


def test_a_different_digest_is_reported_with_both_answers() -> None:
    data = pe()
    facts = extract(data, SETTINGS)
    assert facts.digests is not None
    problems = cross_check(data, _with_digest(facts, "00" * 32))
    assert {problem.code for problem in problems} == {ProblemCode.CROSS_CHECK_DIFFERS}
    assert len(problems) == 2
    for problem, library in zip(problems, ("pefile", "lief"), strict=True):
        assert library in problem.detail
        assert "00" * 32 in problem.detail
        assert str(facts.digests.authenticode_sha256) in problem.detail


def test_what_is_no_image_is_not_checked() -> None:
    assert cross_check(b"text", extract(b"text", SETTINGS)) == ()


@pytest.mark.parametrize("library", ["pefile", "lief", "asn1crypto"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=library):
        cross_check(pe(), extract(pe(), SETTINGS))
