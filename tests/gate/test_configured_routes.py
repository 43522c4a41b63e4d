"""Where a configured target's files go, and on which machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from csv_gate.config import load_config
from csv_gate.gate import configured_routes
from csv_gate.gate.asked import Asked
from csv_gate.gate.configured_routes import ConfiguredRoutes, routes_of
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.context import CodeMode
from tests.builders.plans import NOON

CONFIG = r"""
version: 1
targets:
  prod:
    policies: p.xml
    paths: [app/**, tools/**]
    install_paths:
      - {from: tools, to: 'C:\Tools'}
"""


def routes(folder: Path, *, code_mode: CodeMode | None = None) -> ConfiguredRoutes:
    (folder / "csv-gate.yaml").write_text(CONFIG)
    settings = load_config(folder / "csv-gate.yaml").config.targets["prod"]
    return routes_of([settings], Asked(evaluated_at=NOON, code_mode=code_mode, limits=DEFAULT_LIMITS))[0]


def test_a_file_outside_of_a_targets_paths_goes_elsewhere(tmp_path: Path) -> None:
    assert routes(tmp_path).context_for("docs/a.dll") is None


def test_what_the_command_line_says_of_code_wins(tmp_path: Path) -> None:
    context = routes(tmp_path, code_mode=CodeMode.KERNEL).context_for("app/a.dll")
    assert context is not None
    assert context.code_mode is CodeMode.KERNEL


def test_files_for_the_same_machine_get_one_context(tmp_path: Path) -> None:
    of = routes(tmp_path, code_mode=CodeMode.USER)
    assert of.context_for("app/a.dll") is of.context_for("app/b.dll")
    assert of.context_for("tools/a.exe") is not of.context_for("tools/b.exe")


def test_contexts_of_files_that_all_go_to_places_of_their_own_are_not_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured_routes, "MOST_KNOWN", 3)
    of = routes(tmp_path)
    paths = {context.install_path for number in range(9) if (context := of.context_for(f"tools/{number}.exe"))}
    assert len(paths) == 9
    assert len(of._known) <= 3
