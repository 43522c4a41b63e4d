"""The pages of the engine's checks."""

from __future__ import annotations

import pytest

from csv_gate.model.checks import CHECKS, page

ENGINE_CHECKS = sorted(id for id in CHECKS if id.startswith(("CSV2", "CSV8")))


@pytest.mark.parametrize("check_id", ENGINE_CHECKS)
def test_every_check_of_the_engine_says_what_why_and_how_to_mend(check_id: str) -> None:
    text = page(check_id)
    assert text.what
    assert text.why
    assert text.mend
