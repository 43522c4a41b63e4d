"""What holds for every test: nothing is kept in the home of whoever runs them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("csv-gate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("csv-gate")


@pytest.fixture(autouse=True, scope="session")
def _kept_facts_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("CSV_GATE_CACHE_DIR", str(tmp_path_factory.mktemp("kept")))
