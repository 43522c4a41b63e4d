"""Real files under a real template. Needs the optional corpus: the environment variable CSV_GATE_CORPUS names its folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.model.context import AppControlContext, Mode
from csv_gate.model.verdict import Decision
from csv_gate.policies import join_policies, load_policy, read_policy, write_binary
from csv_gate.suggesting import Candidate, Level, Wish, suggest

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", ""))
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")
CONTEXT = AppControlContext(evaluated_at=datetime(2026, 6, 1, tzinfo=UTC), mode=Mode.ENFORCE)


@pytest.fixture(scope="module")
def base() -> AppControlPolicy:
    return load_policy(CORPUS / "appcontrol" / "wizard" / "DefaultWindows_Audit.xml")


@pytest.fixture(scope="module")
def files() -> list[Candidate]:
    listed = sorted(path for path in CORPUS.glob("signed/pypi-*/**/*") if path.suffix in (".dll", ".exe", ".pyd"))
    found = [(path.relative_to(CORPUS).as_posix(), extract(path.read_bytes(), ExtractionSettings())) for path in listed]
    return [Candidate(path=path, facts=facts, context=CONTEXT) for path, facts in found if facts.format == "pe"]


@pytest.mark.parametrize(
    "levels",
    [(Level.FILE_PUBLISHER, Level.HASH), (Level.PCA_CERTIFICATE, Level.FILE_NAME, Level.HASH), (Level.HASH,)],
    ids=lambda levels: "+".join(levels),
)
def test_every_file_runs_with_the_suggested_policy_in_both_forms(
    base: AppControlPolicy, files: list[Candidate], levels: tuple[Level, ...]
) -> None:
    suggestion = suggest(join_policies([base]), files, Wish(level=levels[0], fallbacks=levels[1:]))
    assert suggestion.policy is not None
    assert len(suggestion.mended) > 40
    assert suggestion.unmended == ()
    for data in (suggestion.xml, write_binary(suggestion.policy)):
        compiled = compile_policy_set(join_policies([base, read_policy(data, path="suggested")]))
        blocked = [
            file.path
            for file in files
            if evaluate(file.facts, compiled, file.context, target="t").decision is not Decision.ALLOWED
        ]
        assert blocked == []
