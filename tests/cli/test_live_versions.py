"""A target whose fleet runs two versions of its policies at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.tree import AUDIT, code, policy_for, tree
from tests.cli.conftest import Command

GOOD, NEW = code("good"), code("new")
CONFIG = b"""\
version: 1
targets:
  prod:
    policies: [new.xml]
    also:
      - name: last
        policies: [old.xml]
"""


def findings(gate: Command, root: Path, *, old: bytes, new: bytes, files: dict[str, bytes]) -> tuple[int, list[dict[str, Any]]]:
    tree(
        root,
        {"csv-gate.yaml": CONFIG, "old.xml": old, "new.xml": new, **{f"build/{name}": data for name, data in files.items()}},
    )
    outcome = gate(
        "check", root / "build", "--config", root / "csv-gate.yaml", "-o", "json", "--evaluated-at", "2026-11-24T12:00:00Z"
    )
    assert outcome.out, outcome.err
    (artifact,) = json.loads(outcome.out)["artifacts"]
    return outcome.code, [finding for finding in artifact["findings"] if finding["check"] == "CSV210"]


def test_what_the_new_policy_allows_and_the_old_one_blocks_is_a_finding_of_its_own(gate: Command, tmp_path: Path) -> None:
    exit_code, found = findings(gate, tmp_path, old=policy_for(GOOD), new=policy_for(GOOD, NEW), files={"new.dll": NEW})
    assert exit_code == 1
    (finding,) = found
    assert (finding["level"], finding["target"]) == ("error", "prod")
    assert "prod@last, which part of the fleet still has, blocks it" in finding["message"]


def test_an_old_version_that_only_logs_is_a_warning(gate: Command, tmp_path: Path) -> None:
    old = policy_for(GOOD, options=AUDIT)
    exit_code, found = findings(gate, tmp_path, old=old, new=policy_for(GOOD, NEW), files={"new.dll": NEW})
    assert exit_code == 0
    assert [finding["level"] for finding in found] == ["warning"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(policy_for(GOOD, NEW), policy_for(NEW)), (policy_for(GOOD), policy_for(GOOD)), (policy_for(NEW), policy_for(GOOD))],
    ids=["both allow", "both block", "only the old one allows"],
)
def test_versions_that_agree_or_grow_stricter_are_no_such_finding(
    gate: Command, tmp_path: Path, old: bytes, new: bytes
) -> None:
    assert findings(gate, tmp_path, old=old, new=new, files={"new.dll": NEW})[1] == []


def test_the_text_report_tells_it_beside_the_denial(gate: Command, tmp_path: Path) -> None:
    tree(tmp_path, {"csv-gate.yaml": CONFIG, "old.xml": policy_for(GOOD), "new.xml": policy_for(NEW), "build/new.dll": NEW})
    out = gate("check", tmp_path / "build", "--config", tmp_path / "csv-gate.yaml").out
    assert "error[CSV210]" in out
    assert "error[CSV201]" in out


def test_explain_knows_the_check(gate: Command) -> None:
    assert "blocked-by-live-version" in gate("explain", "CSV210").out
